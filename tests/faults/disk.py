"""A disk that is full at any write, a spool that takes none, a database that is locked: it is said, and passes.

The daemon is never restarted. A client that was told 226 has its file applied; one that was not sends it again.
"""

from __future__ import annotations

import ftplib
import io
import os
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from itertools import cycle
from pathlib import Path

from tests.faults.campaign import Tally
from tests.faults.installation import Door, Installation, phone
from tests.faults.mounts import forbidden, small_disk

_MEGABYTES = 24
# The disks are smaller than what is to stay free by default.
_CUSTOMER = "name: School\nkeyword: JOIN\nfeeds: {}\nlimits: {free_space_floor: 0}\n"
_ROWS = 400
_PAGE = 4096
_ROOM_FOR_ALL = 64 * _PAGE
_LOCKED_SECONDS = 1.5
_LOOKED_AT_SECONDS = 0.3
"""The file rang the bell, and the folders are scanned meanwhile."""


def run(folder: Path, rounds: int, seed: int) -> Tally:
    """Each round: something is wrong with the disk while a file comes by FTP or through the drop folder.

    A full disk has room for a page more each time, from none to all that a file and its record take: it gets full at
    any write.
    """
    tally, chance = Tally(), random.Random(seed)
    room = cycle(range(0, _ROOM_FOR_ALL, _PAGE))
    data, spool = folder / "data", folder / "data/spool"
    installation = Installation(folder, customers={"acme": _CUSTOMER})
    staged: dict[str, Callable[[], AbstractContextManager[None]]] = {
        "database disk full": lambda: _full(data, next(room)),
        "spool full": lambda: _full(spool, next(room)),
        "database locked": lambda: locked(data),
        "spool read-only": lambda: forbidden(spool),
    }
    with small_disk(data, _MEGABYTES), small_disk(spool, _MEGABYTES):
        installation.issue()
        sent = []
        with installation.running() as door:
            for number in range(rounds):
                name, content = f"list-{number}.csv", _content(number)
                what = chance.choice(list(staged))
                trouble = staged[what]()
                tally.counted[what] += 1
                if chance.random() < 0.6:
                    _by_ftp(door, tally, trouble, name, content)
                else:
                    _dropped(installation, tally, trouble, name, content)
                sent.append(name)
                tally.rounds += 1
                _settle(installation, tally, sent)
        expected = {f"+1{phone(index)}" for index in range(rounds * _ROWS)}
        listed = {line.split(",")[0] for line in installation.provider.export().splitlines()[1:]}
        tally.expect(listed == expected, f"{len(expected ^ listed)} numbers are missing or too many")
        installation.sound(tally)
    return tally


def _by_ftp(door: Door, tally: Tally, trouble: AbstractContextManager[None], name: str, content: bytes) -> None:
    with trouble:
        reply = _send(door, name, content)
    tally.counted[f"told {reply[:3]}"] += 1
    if not reply.startswith("226"):
        tally.expect(reply[:3] in ("451", "452"), f"{name}: the client was told {reply!r}")
        again = _send(door, name, content)
        tally.expect(again.startswith("226"), f"{name}: with room again the client was told {again!r}")


def _dropped(
    installation: Installation, tally: Tally, trouble: AbstractContextManager[None], name: str, content: bytes
) -> None:
    # Put there before, whole: it is the daemon that has the trouble with it.
    installation.provider.drop("acme", f"preformatted/{name}", content.decode())
    with trouble:
        time.sleep(_LOOKED_AT_SECONDS)
    tally.counted["dropped"] += 1


def _settle(installation: Installation, tally: Tally, sent: list[str]) -> None:
    """All that was sent is applied, once and in order, and nothing lies about."""
    try:
        installation.wait_for(len(sent))
    except AssertionError as error:
        tally.faults.append(f"after {sent[-1]}: {str(error)[-300:]}")
    states = installation.provider.states()
    tally.expect(states == [(name, "applied") for name in sent], f"after {sent[-1]}: {states[-3:]}")


def _send(door: Door, name: str, content: bytes) -> str:
    """The last reply, whatever it was."""
    ftp = ftplib.FTP(timeout=30)
    ftp.connect("127.0.0.1", door.server.port)
    ftp.login(door.login.user, door.login.password)
    ftp.cwd("preformatted")
    try:
        return _stored(ftp, name, content)
    except ftplib.Error as refusal:
        return str(refusal)
    finally:
        with suppress(ftplib.Error, OSError, EOFError):
            ftp.quit()


def _stored(ftp: ftplib.FTP, name: str, content: bytes) -> str:
    try:
        return ftp.storbinary(f"STOR {name}", io.BytesIO(content))
    except OSError:
        # The data connection was closed before all was sent. Why, the reply says.
        return ftp.getresp()


@contextmanager
def _full(disk: Path, left: int) -> Iterator[None]:
    """Room for so many bytes more."""
    ballast = disk / ".ballast"
    try:
        with ballast.open("wb", buffering=0) as file:
            status = os.statvfs(disk)
            room = max(0, status.f_bavail * status.f_frsize - left)
            with suppress(OSError):
                file.write(bytes(room))
        yield
    finally:
        ballast.unlink()


@contextmanager
def locked(data: Path) -> Iterator[None]:
    """Another program writes for a second and a half."""
    with closing(sqlite3.connect(data / "alp.db", isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        release = threading.Timer(_LOCKED_SECONDS, other.execute, ["ROLLBACK"])
        release.start()
        try:
            yield
        finally:
            release.join()


def _content(number: int) -> bytes:
    return "".join(f"{phone(number * _ROWS + row)},tag\n" for row in range(_ROWS)).encode()
