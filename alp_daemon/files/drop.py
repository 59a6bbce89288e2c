"""A customer's drop folder: which files lie in it, when one is whole, and how it is taken out without losing it."""

from __future__ import annotations

import errno
import fcntl
import os
import pwd
import signal
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cache
from pathlib import Path

from alp_daemon.customers import PREFORMATTED, is_temporary

REPORTS = "reports"
FOLDERS = ("", PREFORMATTED)
"""Where files are picked up: the customer's own folder and the one for the standard format."""


@dataclass(frozen=True, slots=True)
class Found:
    """A regular file as it was seen. ``name`` is printable; ``path`` is what it is really called.

    Two looks that are equal say that nobody wrote in between: a write changes ``ctime_ns``, which, other than the
    modification time, no program can set back (``cp -p`` and ``rsync -t`` set that one).
    """

    path: Path
    name: str
    folder: str
    owner: str
    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int


class Claim(Enum):
    """What became of the attempt to take a file."""

    whole = "whole"
    changed = "changed"
    """Another file was put in its place, or it was written to, since it was seen. That one is taken."""
    gone = "gone"
    """Nothing was taken: its owner moved or removed it."""


def prepare(home: Path) -> Path:
    """Makes a customer's folders where they are missing."""
    for folder in (REPORTS, PREFORMATTED):
        (home / folder).mkdir(parents=True, exist_ok=True)
    return home


def look(home: Path) -> list[Found]:
    """The files that lie in a customer's folder, in order of arrival: by modification time, then name.

    Not those with a temporary name, links (they could show any file of the system), folders and devices.
    """
    return sorted(
        (file for folder in FOLDERS for file in _files(home, folder)), key=lambda file: (file.mtime_ns, file.name)
    )


def is_whole(found: Found) -> bool:
    """Whether the file is still as it was seen and nobody has it open for writing; its bytes are durable then.

    A program that has stalled for longer than the two looks (a copy over a slow network) is only seen by this.
    Raises :class:`OSError` when the file cannot be read.
    """
    try:
        file = os.open(found.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ELOOP):
            return False
        raise
    try:
        if not _same(os.fstat(file), found) or _has_writer(file):
            return False
        os.fsync(file)
        return True
    finally:
        os.close(file)


def claim(found: Found, target: Path) -> Claim:
    """Takes the file out of the folder in one step: to ``target``, or aside when that is on another file system.

    What is moved is looked at afterwards, so that a file put there at the last moment is never mistaken for the one
    that was seen, nor lost.
    """
    landed = target
    try:
        try:
            found.path.rename(landed)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            landed = aside(found.path.parent, target)
            found.path.rename(landed)
    except FileNotFoundError:
        return Claim.gone
    now = landed.lstat()
    if not stat.S_ISREG(now.st_mode):
        landed.rename(found.path)
        return Claim.gone
    as_seen = (found.device, found.inode, found.size, found.mtime_ns)
    return Claim.whole if (now.st_dev, now.st_ino, now.st_size, now.st_mtime_ns) == as_seen else Claim.changed


def aside(folder: Path, target: Path) -> Path:
    """The hidden name of a file that is on its way to ``target`` on another file system."""
    return folder / f".{target.name}.pickup"


def _files(home: Path, folder: str) -> Iterator[Found]:
    try:
        entries = os.scandir(home / folder)
    except FileNotFoundError:
        return
    with entries:
        for entry in entries:
            if is_temporary(entry.name) or not entry.is_file(follow_symlinks=False):
                continue
            try:
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            yield Found(
                Path(entry.path),
                _printable(entry.name),
                folder,
                _owner(status.st_uid),
                status.st_dev,
                status.st_ino,
                status.st_size,
                status.st_mtime_ns,
                status.st_ctime_ns,
            )


def _same(status: os.stat_result, found: Found) -> bool:
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns) == (
        found.device,
        found.inode,
        found.size,
        found.mtime_ns,
        found.ctime_ns,
    )


def _has_writer(file: int) -> bool:
    """Asks the kernel: a read lease is refused while anybody has the file open for writing (fcntl(2), Leases).

    Only the file's owner and a process with CAP_LEASE may ask, and not every file system answers; where there is no
    answer, the two looks decide alone.
    """
    # Whoever opens the file within these microseconds makes the kernel signal us. The default SIGIO would end the
    # process; SIGURG is ignored unless somebody asks for it.
    fcntl.fcntl(file, fcntl.F_SETSIG, signal.SIGURG)
    try:
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        return error.errno == errno.EAGAIN
    fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False


def _printable(name: str) -> str:
    """A name as logs, reports and the database can hold it: any byte but NUL and ``/`` may be in a real one."""
    return "".join(sign if sign.isprintable() else f"\\x{ord(sign):02x}" for sign in name)


@cache
def _owner(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return "drop"
