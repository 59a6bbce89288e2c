"""The power is cut while files come in and are applied: what was acknowledged is there, whole, and applied once."""

from __future__ import annotations

import ftplib
import io
import random
import threading
import time
from contextlib import suppress
from pathlib import Path

from tests.faults.campaign import Tally
from tests.faults.installation import Door, Installation, phone
from tests.faults.mounts import Disk

_CUSTOMER = "name: School\nkeyword: JOIN\nfeeds: {}\n"
_MEGABYTES = 64
_ROWS = 20
_LATEST = 0.7
"""Seconds after the first upload at which the power is cut at the latest."""


class _Sender:
    """Sends file after file until nobody answers any more, and remembers what was acknowledged."""

    def __init__(self, door: Door, first: int) -> None:
        self._door = door
        self._next = first
        self.acknowledged: list[int] = []
        self.begun = first
        self._thread = threading.Thread(target=self._send)
        self._thread.start()

    def joined(self) -> None:
        self._thread.join()

    def _send(self) -> None:
        with suppress(ftplib.Error, OSError, EOFError):
            ftp = ftplib.FTP(timeout=5)
            ftp.connect("127.0.0.1", self._door.server.port)
            ftp.login(self._door.login.user, self._door.login.password)
            ftp.cwd("preformatted")
            while True:
                self.begun += 1
                content = io.BytesIO(_content(self.begun - 1))
                if ftp.storbinary(f"STOR list-{self.begun - 1:06}.csv", content).startswith("226 Received"):
                    self.acknowledged.append(self.begun - 1)


def run(folder: Path, rounds: int, seed: int) -> Tally:
    """One power cut a round, always of the same disk."""
    tally, chance = Tally(), random.Random(seed)
    installation = Installation(folder, customer=_CUSTOMER)
    disk = Disk(folder / "disk.img", folder / "data", _MEGABYTES)
    with disk.mounted():
        installation.issue()
    begun, acknowledged = 0, set[int]()
    while tally.rounds < rounds:
        with disk.mounted(), installation.provider.daemon() as daemon:
            sender = _Sender(installation.door(daemon), begun)
            time.sleep(chance.uniform(0.05, _LATEST))
            disk.cut_power()
            daemon.kill()
            sender.joined()
        begun = sender.begun
        acknowledged |= set(sender.acknowledged)
        tally.rounds += 1
        with disk.mounted():
            # Says where the daemon listened, and is not meant to outlive it.
            (folder / "data/ports.json").unlink(missing_ok=True)
            _look(installation, tally, begun, acknowledged)
    tally.counted["files acknowledged"] = len(acknowledged)
    return tally


def _look(installation: Installation, tally: Tally, begun: int, acknowledged: set[int]) -> None:
    """After the restart: everything acknowledged is there, and what nobody saw the end of is released by hand."""
    provider = installation.provider
    with installation.running():
        provider.wait_until_idle()
        for row in provider.uploads():
            if row["state"] == "held":
                tally.counted["held as not settled"] += 1
                provider.done("release", str(row["id"]), "--by", "ann", "--though-cut")
        provider.wait_until_idle()
    states = provider.states()
    names = [name for name, _ in states]
    lost = {_name(number) for number in acknowledged} - set(names)
    tally.expect(not lost, f"lost after they were acknowledged: {sorted(lost)}")
    tally.expect(len(names) == len(set(names)), "a file is there twice")
    tally.expect({state for _, state in states} <= {"applied"}, f"not applied: {set(states)}")
    there = set(names)
    kept = [number for number in range(begun) if _name(number) in there]
    expected = {f"+1{phone(number * _ROWS + row)}" for number in kept for row in range(_ROWS)}
    listed = {line.split(",")[0] for line in provider.export().splitlines()[1:]}
    tally.expect(listed == expected, f"{len(listed ^ expected)} numbers are missing or too many")
    installation.sound(tally)


def _name(number: int) -> str:
    return f"list-{number:06}.csv"


def _content(number: int) -> bytes:
    return "".join(f"{phone(number * _ROWS + row)},tag\n" for row in range(_ROWS)).encode()
