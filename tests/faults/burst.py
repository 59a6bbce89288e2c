"""Thousands of small files put into the drop folders at once: none is missed, and each customer's keep their order.

A part of them lies there before the daemon starts, which no event of the file system can announce. In every other burst
the daemon's watches are taken away half-way, and nothing announces the rest either.
"""

from __future__ import annotations

import random
import shutil
import time
from pathlib import Path

from tests.crash.provider import Provider
from tests.eventually import eventually
from tests.faults.campaign import Tally
from tests.faults.deaf import make_deaf, watches
from tests.faults.installation import phone

CUSTOMERS = [f"school-{number}" for number in range(5)]
FILES = 50_000
"""Of one burst at most."""
_YAML = "name: School\nkeyword: JOIN\nfeeds: {}\n"
_BACKLOG = 0.2
_PATIENCE = 120.0
"""Seconds without any progress."""

_File = tuple[str, str, int]
"""Its customer, its name, and the number in it."""


def run(folder: Path, rounds: int, seed: int) -> Tally:
    """``rounds`` files in two bursts, or in as many as it takes."""
    tally, chance = Tally(), random.Random(seed)
    bursts = max(2, -(-rounds // FILES))
    for number in range(bursts):
        part = folder / f"burst-{number}"
        _burst(Provider(part), -(-rounds // bursts), tally, chance, deaf=number % 2 == 1)
        shutil.rmtree(part)
    tally.counted["bursts"] = bursts
    return tally


def _burst(provider: Provider, size: int, tally: Tally, chance: random.Random, *, deaf: bool) -> None:
    provider.set_up(dict.fromkeys(CUSTOMERS, _YAML))
    files = [(chance.choice(CUSTOMERS), f"list-{number:06}.csv", number) for number in range(size)]
    backlog = int(size * _BACKLOG)
    _drop(provider, files[:backlog])
    with provider.daemon() as daemon:
        if deaf:
            half = (backlog + size) // 2
            _drop(provider, files[backlog:half])
            make_deaf(daemon.pid)
            _drop(provider, files[half:])
            tally.counted["dropped before a daemon that hears nothing"] += size - half
        else:
            _drop(provider, files[backlog:])
        _wait(provider, size)
        tally.expect(bool(watches(daemon.pid)) is not deaf, f"the daemon's watches: {watches(daemon.pid)}")
    for customer in CUSTOMERS:
        _compare(provider, customer, files, tally)
    tally.rounds += size
    tally.counted["there before the start"] += backlog


def _compare(provider: Provider, customer: str, files: list[_File], tally: Tally) -> None:
    mine = [(name, "applied") for owner, name, _ in files if owner == customer]
    states = provider.states(customer)
    tally.counted["applied"] += sum(state == "applied" for _, state in states)
    missed = {name for name, _ in mine} - {name for name, _ in states}
    tally.expect(not missed, f"{customer}: {len(missed)} of {len(mine)} files were missed")
    tally.expect(missed or sorted(states) == mine, f"{customer}: not all are applied once")
    tally.expect(missed or states == mine, f"{customer}: not in their order")
    expected = {f"+1{phone(number)}" for owner, _, number in files if owner == customer}
    listed = {line.split(",")[0] for line in provider.export(customer).splitlines()[1:]}
    tally.expect(listed == expected, f"{customer}: {len(listed ^ expected)} numbers are missing or too many")


def _drop(provider: Provider, files: list[_File]) -> None:
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
    eventually(provider.is_idle, otherwise=lambda: f"{provider.log()[-600:]}")
