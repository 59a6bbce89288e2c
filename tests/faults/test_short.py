"""A few rounds of each campaign. ``python -m tests.faults --long`` is for a night."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.databases import sqlite_only
from tests.faults.campaign import Skipped
from tests.faults.campaigns import CAMPAIGNS

SEED = 20261121
ROUNDS = {
    "clients": 10,
    "cut": 12,
    "pairs": 4,
    "guesses": 2,
    "disk": 3,
    "clock": 2,
    "power": 1,
    "burst": 80,
    "hostile": 10,
    "stateful": 200,
    "growth": 80,
    "soak": 8,
}
"""``kills`` are the tests of ``tests/crash``, which run anyway."""


@sqlite_only
@pytest.mark.parametrize("name", ROUNDS)
def test_campaign(name: str, tmp_path: Path) -> None:
    print(f"python -m tests.faults {name} --rounds {ROUNDS[name]} --seed {SEED}")
    try:
        tally = CAMPAIGNS[name].run(tmp_path / "site", ROUNDS[name], SEED)
    except Skipped as reason:
        pytest.skip(str(reason))
    print(tally)
    assert tally.rounds >= ROUNDS[name]
    assert not tally.faults


def test_every_campaign_has_a_short_form() -> None:
    assert {*ROUNDS, "kills"} == {*CAMPAIGNS}
