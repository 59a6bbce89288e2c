"""What counts as growth, and what as noise: in figures, and in a process that works and one that leaks."""

from __future__ import annotations

import random
import subprocess
import sys

import pytest

from tests.faults.flat import Life, climb, megabytes, of_a_service

_STAND_IN = """\
import random, sys
chance, kept, leaked = random.Random(1), [], int(sys.argv[1])
for _ in sys.stdin:
    for _ in range(40):
        rows = [str(chance.random()) * chance.randint(1, 20) for _ in range(chance.randint(1, 40))]
        table = bytearray(chance.randint(1, 2**17))
        if leaked:
            kept.append(bytes(leaked))
    print(flush=True)
"""
"""For each line that it is sent it works forty files, and keeps so many bytes of each."""


def _life(taken: list[float], descriptors: list[int]) -> Life:
    return Life("the daemon", taken, descriptors)


def test_what_goes_up_and_down_does_not_climb() -> None:
    chance = random.Random(1)
    taken = [80 + chance.uniform(0, 5) for _ in range(300)]
    assert _life(taken, [60 + chance.randint(0, 9) for _ in range(300)]).faults() == []


def test_what_is_loaded_at_first_is_no_climb() -> None:
    assert climb([30, 60, 80, *[80] * 297]) == 0


@pytest.mark.parametrize("steps", [(120,), (200,), (280,), (140, 260)])
@pytest.mark.parametrize("height", [20, -20])
def test_a_step_or_two_are_no_climb(height: float, steps: tuple[int, ...]) -> None:
    chance = random.Random(1)
    taken = [80 + sum(look >= at for at in steps) * height + chance.uniform(0, 0.2) for look in range(300)]
    assert _life(taken, [60] * 300).faults() == []


def test_what_comes_to_rest_does_not_climb() -> None:
    assert climb([80 - 10 * 0.99**look for look in range(1440)]) < 0.1


def test_a_slow_leak_climbs() -> None:
    """A kilobyte a look, under noise a hundred times as large."""
    chance = random.Random(1)
    taken = [80 + look * 2 / 1024 + chance.uniform(0, 0.2) for look in range(1440)]
    (fault,) = _life(taken, [60] * 1440).faults()
    assert fault == "the daemon: 1.8 MB more, and no end of it, after 1440 looks"


def test_many_steps_climb() -> None:
    """Two megabytes kept of each tenth look: of each reload, say."""
    (fault,) = _life([80 + look // 10 * 2 for look in range(480)], [60] * 480).faults()
    assert fault.startswith("the daemon: 64.0 MB more")


@pytest.mark.parametrize(("leaked", "found"), [(0, False), (200, True)], ids=["works", "leaks"])
def test_a_process_that_leaks_200_bytes_of_each_file_is_found(leaked: int, found: bool) -> None:
    """Of 12,000 files. The other one takes and frees as much as it does."""
    process = subprocess.Popen(
        [sys.executable, "-c", _STAND_IN, str(leaked)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=of_a_service(),
        text=True,
    )
    life = _life([], [])
    with process:
        assert process.stdin
        assert process.stdout
        for _ in range(300):
            print(file=process.stdin, flush=True)
            process.stdout.readline()
            life.megabytes.append(megabytes(process.pid))
            life.descriptors.append(3)
    assert bool(life.faults()) is found, f"{climb(life.megabytes):.2f} MB"


def test_one_descriptor_is_growth() -> None:
    (fault,) = _life([80] * 300, [*[60] * 150, *[61] * 150]).faults()
    assert fault == "the daemon: 1 more descriptors than in its first third, after 300 looks"


def test_the_allocator_is_the_service_s() -> None:
    assert "MALLOC_ARENA_MAX" in of_a_service()
