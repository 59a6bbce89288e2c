"""What counts as growth, and what as noise."""

from __future__ import annotations

import random

from tests.faults.flat import Life, grown


def _life(megabytes: list[float], descriptors: list[float]) -> Life:
    return Life("the daemon", megabytes, descriptors)


def test_what_goes_up_and_down_has_not_grown() -> None:
    chance = random.Random(1)
    megabytes = [80 + chance.uniform(0, 10) for _ in range(300)]
    assert _life(megabytes, [60 + chance.randint(0, 9) for _ in range(300)]).faults() == []


def test_what_is_loaded_at_first_is_no_growth() -> None:
    assert grown([30, 60, 80, *[80] * 297]) == 0


def test_a_slow_leak_is_growth() -> None:
    """A kilobyte an act, under noise ten times as large as what a look adds."""
    chance = random.Random(1)
    megabytes = [80 + look * 5 / 1024 + chance.uniform(0, 0.05) for look in range(1440)]
    (fault,) = _life(megabytes, [60] * 1440).faults()
    assert fault.startswith("the daemon: 3.5 MB more than in its first third, after 1440 looks")


def test_one_descriptor_is_growth() -> None:
    (fault,) = _life([80] * 300, [*[60] * 150, *[61] * 150]).faults()
    assert fault == "the daemon: 1.0 descriptors more than in its first third, after 300 looks"
