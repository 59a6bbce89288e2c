"""The clock is set an hour back or forth while five customers send: nothing is lost, and their order is kept.

The daemon is never restarted for it; every tenth round it is killed, and its next life begins under another clock.
"""

from __future__ import annotations

import io
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.crash.model import apply, exported, file_of
from tests.crash.test_random import MODES, YAML, Sent, random_rows
from tests.faults.campaign import Tally
from tests.faults.connections import entered
from tests.faults.faketime import Clock
from tests.faults.installation import Door, Installation

Chance = random.Random

_HOUR = 3600
_SHIFTS = (-_HOUR, 0, _HOUR)
_ROUNDS_OF_A_LIFE = 10
_REPEATED = (1, 1, 1, 300)
"""How often a file has its rows. The list is the same, but its worker is at work for long enough to see a change."""


class _Site:
    """Customers of all modes, and a daemon that goes by a clock of its own."""

    def __init__(self, folder: Path, tally: Tally, chance: Chance) -> None:
        self.clock = Clock(folder / "clock")
        self.senders = [Sent(mode) for mode in MODES]
        customers = {sender.customer: YAML.format(mode=sender.mode) for sender in self.senders}
        self.installation = Installation(folder, customers=customers)
        sample = str(self.installation.provider.write("list-sample.csv", file_of([("2125550100", "a")])))
        for customer in customers:
            self.installation.provider.done("approve", customer, "--sample", sample, "--by", "ann")
        self._logins = {customer: self.installation.issued(customer) for customer in customers}
        self._shift = 0
        self._tally = tally
        self._chance = chance

    @contextmanager
    def running(self) -> Iterator[dict[str, Door]]:
        with self.clock.worn(), self.installation.provider.daemon() as daemon:
            yield {customer: self.installation.door(daemon, login) for customer, login in self._logins.items()}

    def set_clock(self) -> None:
        self._shift = self._chance.choice([each for each in _SHIFTS if each != self._shift])
        self._tally.counted[f"set to {self._shift:+d} s"] += 1
        self.clock.shift(self._shift)

    def send(self, sender: Sent, door: Door) -> None:
        """Each customer has one way in: between two ways there is no order to keep."""
        rows = random_rows(self._chance)
        sender.names.append(f"list-{len(sender.names):05}.csv")
        sender.changed.append(apply(sender.numbers, rows, sender.mode))
        content = file_of(rows * self._chance.choice(_REPEATED))
        if self.senders.index(sender) % 2:
            self.installation.provider.drop(sender.customer, sender.names[-1], content)
        else:
            self._by_ftp(door, sender.names[-1], content.encode())

    def _by_ftp(self, door: Door, name: str, content: bytes) -> None:
        """Its sender looks at the size afterwards, in the same session, as schedulers do."""
        ftp = entered(door, tls=self._chance.random() < 0.5)
        ftp.storbinary(f"STOR {name}", io.BytesIO(content))
        if self._chance.random() < 0.2:
            self.set_clock()
        found = ftp.size(name)
        self._tally.expect(found == len(content), f"{name}: SIZE {found}, sent {len(content)}")
        ftp.quit()

    def rest(self) -> None:
        self.installation.wait_for(sum(len(sender.names) for sender in self.senders))


def run(folder: Path, rounds: int, seed: int) -> Tally:
    """Each round the clock is set at least once, between two files or while some are worked."""
    tally, chance = Tally(), Chance(seed)
    site = _Site(folder, tally, chance)
    while tally.rounds < rounds:
        with site.running() as doors:
            descriptors = None
            for _ in range(min(_ROUNDS_OF_A_LIFE, rounds - tally.rounds)):
                _round(site, doors, chance)
                tally.rounds += 1
                if descriptors is None:
                    descriptors = _any(doors).descriptors()
            assert descriptors is not None
            _any(doors).assert_quiet(tally, descriptors)
            if tally.rounds < rounds:
                _any(doors).daemon.kill()
                site.set_clock()
    for sender in site.senders:
        _compare(site, sender, tally)
    (seen,) = site.installation.provider.rows(
        "SELECT unixepoch(max(received_at)) - unixepoch(min(received_at)) AS seconds FROM uploads"
    )
    tally.expect(seen["seconds"] >= _HOUR, f"the daemon did not go by our clock: {seen}")
    site.installation.sound(tally)
    return tally


def _any(doors: dict[str, Door]) -> Door:
    return next(iter(doors.values()))


def _round(site: _Site, doors: dict[str, Door], chance: Chance) -> None:
    senders = [sender for sender in site.senders for _ in range(chance.randint(0, 3))]
    chance.shuffle(senders)
    at = chance.randint(0, len(senders))
    for number, sender in enumerate(senders):
        if number == at:
            site.set_clock()
        site.send(sender, doors[sender.customer])
    if at == len(senders):
        site.set_clock()
    site.rest()


def _compare(site: _Site, sender: Sent, tally: Tally) -> None:
    """Each file is applied once, in the order in which they were sent."""
    provider = site.installation.provider
    found = provider.rows("SELECT name, state FROM uploads WHERE customer = ? ORDER BY id", sender.customer)
    expected = [{"name": name, "state": "applied"} for name in sender.names]
    tally.counted["files applied"] += len(found)
    tally.expect(found == expected, f"{sender.customer}: {[row for row in found if row not in expected][:3]}")
    tally.expect(
        provider.export(sender.customer) == exported(sender.numbers), f"{sender.customer}: its list is not the model's"
    )
