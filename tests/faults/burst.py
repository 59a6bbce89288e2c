"""Thousands of small files put into the drop folders at once: none is missed, and each customer's keep their order.

A part of them lies there before the daemon starts. No event of the file system can announce those.
"""

from __future__ import annotations

import random
import time
from pathlib import Path

from tests.crash.processes import eventually
from tests.crash.provider import Provider
from tests.faults.campaign import Tally
from tests.faults.installation import phone

CUSTOMERS = [f"school-{number}" for number in range(5)]
_YAML = "name: School\nkeyword: JOIN\nfeeds: {}\n"
_BACKLOG = 0.2
_PATIENCE = 120.0
"""Seconds without any progress."""


def run(folder: Path, rounds: int, seed: int) -> Tally:
    """``rounds`` files, spread over the customers by chance."""
    tally, chance = Tally(), random.Random(seed)
    provider = Provider(folder)
    provider.set_up(dict.fromkeys(CUSTOMERS, _YAML))
    files = [(chance.choice(CUSTOMERS), f"list-{number:06}.csv", number) for number in range(rounds)]
    backlog = int(rounds * _BACKLOG)
    _drop(provider, files[:backlog])
    with provider.daemon():
        _drop(provider, files[backlog:])
        _wait(provider, rounds)
    for customer in CUSTOMERS:
        mine = [(name, "applied") for owner, name, _ in files if owner == customer]
        states = provider.states(customer)
        missed = {name for name, _ in mine} - {name for name, _ in states}
        tally.expect(not missed, f"{customer}: {len(missed)} of {len(mine)} files were missed")
        tally.expect(missed or sorted(states) == mine, f"{customer}: not all are applied once")
        tally.expect(missed or states == mine, f"{customer}: not in their order")
        expected = {f"+1{phone(number)}" for owner, _, number in files if owner == customer}
        listed = {line.split(",")[0] for line in provider.export(customer).splitlines()[1:]}
        tally.expect(listed == expected, f"{customer}: {len(listed ^ expected)} numbers are missing or too many")
    tally.rounds = rounds
    tally.counted["applied"] = len(provider.uploads())
    tally.counted["there before the start"] = backlog
    return tally


def _drop(provider: Provider, files: list[tuple[str, str, int]]) -> None:
    for customer, name, number in files:
        provider.drop(customer, f"preformatted/{name}", f"{phone(number)},tag\n")


def _wait(provider: Provider, files: int) -> None:
    """As long as it goes on, however slow the machine."""

    def done() -> int:
        (row,) = provider.rows("SELECT count(*) AS n FROM uploads WHERE state <> 'received'")
        return int(row["n"])

    seen, since = done(), time.monotonic()
    while seen < files and time.monotonic() - since < _PATIENCE:
        time.sleep(0.2)
        now = done()
        if now > seen:
            seen, since = now, time.monotonic()
    eventually(provider.is_idle, lambda: f"{provider.log()[-600:]}")
