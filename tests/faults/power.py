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

# The disk is smaller than what is to stay free by default.
_CUSTOMER = "name: School\nkeyword: JOIN\nfeeds: {}\nlimits: {free_space_floor: 0}\n"
_MEGABYTES = 1024
_ROWS = 20
_LATEST = 0.7
"""Seconds after the first file of a round was acknowledged at which the power is cut at the latest."""


class _Sender:
    """Sends file after file until nobody answers any more, and remembers what was acknowledged.

    What is answered once the power is cut counts for nothing: such a daemon would be dead. Here it lives on a moment
    with a disk that is not there, and a write to it that was under way may be told that it has succeeded.
    """

    def __init__(self, door: Door, first: int) -> None:
        self._door = door
        self._dark = threading.Event()
        self._was_answered = threading.Event()
        self.acknowledged: list[int] = []
        self.answered_in_the_dark: list[int] = []
        self.begun = first
        self._thread = threading.Thread(target=self._send)
        self._thread.start()

    def wait_for_an_answer(self) -> None:
        """Until a file is acknowledged, or nobody is there to do so."""
        self._was_answered.wait()

    def lights_out(self) -> None:
        self._dark.set()

    def joined(self) -> None:
        self._thread.join()

    def _send(self) -> None:
        with suppress(ftplib.Error, OSError, EOFError):
            self._send_one_after_the_other()
        self._was_answered.set()

    def _send_one_after_the_other(self) -> None:
        ftp = ftplib.FTP(timeout=5)
        ftp.connect("127.0.0.1", self._door.server.port)
        ftp.login(self._door.login.user, self._door.login.password)
        ftp.cwd("preformatted")
        while True:
            number, self.begun = self.begun, self.begun + 1
            if ftp.storbinary(f"STOR {_name(number)}", io.BytesIO(_content(number))).startswith("226 Received"):
                (self.answered_in_the_dark if self._dark.is_set() else self.acknowledged).append(number)
                self._was_answered.set()


def run(folder: Path, rounds: int, seed: int) -> Tally:
    """One power cut a round, always of the same disk."""
    tally, chance = Tally(), random.Random(seed)
    installation = Installation(folder, customers={"acme": _CUSTOMER})
    disk = Disk(folder / "disk.img", folder / "data", _MEGABYTES)
    with disk.mounted():
        installation.issue()
    begun, acknowledged, in_the_dark = 0, set[int](), set[int]()
    while tally.rounds < rounds:
        with disk.mounted(), installation.provider.daemon() as daemon:
            sender = _Sender(installation.door(daemon), begun)
            sender.wait_for_an_answer()
            time.sleep(chance.uniform(0, _LATEST))
            sender.lights_out()
            disk.cut_power()
            daemon.kill()
            sender.joined()
        tally.expect(sender.acknowledged, "nothing was acknowledged: this cut shows nothing")
        begun = sender.begun
        acknowledged |= set(sender.acknowledged)
        in_the_dark |= set(sender.answered_in_the_dark)
        tally.rounds += 1
        with disk.mounted():
            # Says where the daemon listened, and is not meant to outlive it.
            (folder / "data/ports.json").unlink(missing_ok=True)
            there = _look(installation, tally, begun, acknowledged)
    tally.counted["files acknowledged"] = len(acknowledged)
    tally.counted["answered in the dark"] = len(in_the_dark)
    tally.counted["of these not there"] = len(in_the_dark - there)
    return tally


def _look(installation: Installation, tally: Tally, begun: int, acknowledged: set[int]) -> set[int]:
    """After the restart: everything acknowledged is there, and what nobody saw the end of is released by hand.

    Returns the files that are there.
    """
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
    known = set(names)
    kept = {number for number in range(begun) if _name(number) in known}
    expected = {f"+1{phone(number * _ROWS + row)}" for number in kept for row in range(_ROWS)}
    listed = {line.split(",")[0] for line in provider.export().splitlines()[1:]}
    tally.expect(listed == expected, f"{len(listed ^ expected)} numbers are missing or too many")
    installation.sound(tally)
    return kept


def _name(number: int) -> str:
    return f"list-{number:06}.csv"


def _content(number: int) -> bytes:
    return "".join(f"{phone(number * _ROWS + row)},tag\n" for row in range(_ROWS)).encode()
