"""Bytes on their way to the disk: copied whole, hashed, made durable, and what may go wrong in words."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from io import FileIO, RawIOBase
from pathlib import Path
from typing import BinaryIO

from alp_daemon.errors import NoRoom, NotFound, TryAgain, Unavailable

_COPY_AT_ONCE = 2**20
# As much as a core's own cache holds; with less at a time a hash beside other work waits for its turn more often.
_HASH_AT_ONCE = 2**18
_SEND_AT_ONCE = 2**30

_NO_ROOM = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "the file is larger than this system allows",
}
_PASSING = {
    errno.EMFILE: "too many files are open",
    errno.ENFILE: "too many files are open",
}


@contextmanager
def disk_errors(what: str) -> Iterator[None]:
    """Turns the system's errors into :class:`NoRoom`, another :class:`TryAgain`, or :class:`Unavailable`."""
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise NoRoom(f"{what}: {_NO_ROOM[error.errno]}; nothing was kept, try again later") from error
        if error.errno in _PASSING:
            raise TryAgain(f"{what}: {_PASSING[error.errno]}; nothing was kept, try again later") from error
        raise Unavailable(f"{what}: {error.strerror}; check the data folder and its owner") from error


def ensure_room(folder: Path, floor: int) -> None:
    """Raises :class:`NoRoom` where fewer than ``floor`` bytes are free on the disk of the folder."""
    found = os.statvfs(folder)
    free = found.f_bavail * found.f_frsize
    if free < floor:
        raise NoRoom(
            f"cannot take a file: {free >> 20:,} MiB of the disk are free, and {floor >> 20:,} MiB are to stay free"
            " (free_space_floor); nothing was kept, try again later"
        )


def copy(source: Path, target: BinaryIO) -> None:
    """Copies a whole file, or what a pipe gives. Raises :class:`TryAgain` when it changes meanwhile."""
    try:
        file = source.open("rb", buffering=0)
    except FileNotFoundError as error:
        raise NotFound(f"{source}: there is no such file") from error
    except OSError as error:
        raise Unavailable(f"{source}: cannot be read ({error.strerror})") from error
    with file:
        copy_open(file, str(source), target)


def copy_open(file: FileIO, called: str, target: BinaryIO) -> None:
    """As :func:`copy`, of a file that is open already; ``called`` is what messages call it."""
    with disk_errors(f"cannot copy {called} into the spool"):
        before = os.fstat(file.fileno())
        _pour(file, target)
        target.flush()
        after = os.fstat(file.fileno())
    changed = (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns)
    if changed and stat.S_ISREG(after.st_mode):
        raise TryAgain(f"{called}: it is still being written; try again when it is complete")


def _pour(source: RawIOBase, target: BinaryIO) -> None:
    """Writes all that ``source`` has left; the kernel does it on its own in a third less time, where it can."""
    try:
        while os.sendfile(target.fileno(), source.fileno(), None, _SEND_AT_ONCE):
            pass
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        shutil.copyfileobj(source, target, _COPY_AT_ONCE)  # a pipe, or a file system that cannot


def copy_file(source: Path, target: Path) -> None:
    """Its bytes; readable by the owner only."""
    with source.open("rb", buffering=0) as read:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as written:
            _pour(read, written)


def link_or_copy(source: Path, target: Path) -> None:
    """The same file under a second name; on another file system a copy of it."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        target.hardlink_to(source)
    except OSError:
        copy_file(source, target)


def sha256(file: RawIOBase) -> str:
    """The digest of what a file has left, in hexadecimal."""
    digest, piece = hashlib.sha256(), bytearray(_HASH_AT_ONCE)
    while size := file.readinto(piece):
        digest.update(memoryview(piece)[:size])
    return digest.hexdigest()


def sync_folder(path: Path) -> None:
    """Makes the names in a folder durable."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def make_folder(path: Path) -> None:
    """Makes a folder, and its parent where that is missing; their names are durable."""
    if path.is_dir():
        return
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    for parent in (path.parent, path.parent.parent):
        sync_folder(parent)


def is_left(path: Path, locks: ExitStack) -> bool:
    """Whether no live process holds the file; it is locked until ``locks`` closes."""
    try:
        file = locks.enter_context(path.open("rb"))
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (FileNotFoundError, BlockingIOError):
        return False
    return True


def trouble_of(folder: Path, floor: int = 0) -> str | None:
    """Why no file can be written to a folder, which need not be there yet; None where one can.

    So many bytes of its disk are to stay free as ``floor`` says.
    """
    there = next(each for each in (folder, *folder.parents) if each.exists())
    if not os.access(there, os.W_OK):
        return "cannot be written"
    found = os.statvfs(there)
    if not found.f_bavail:
        return "is full"
    return "has less room than free_space_floor" if found.f_bavail * found.f_frsize < floor else None
