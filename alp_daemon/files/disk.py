"""Bytes on their way to the disk: copied whole, hashed, made durable, and what may go wrong in words."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import RawIOBase
from pathlib import Path
from typing import BinaryIO

from alp_daemon.errors import NotFound, TryAgain, Unavailable

_COPY_AT_ONCE = 2**20
# As much as a core's own cache holds; with less at a time a hash beside other work waits for its turn more often.
_HASH_AT_ONCE = 2**20
_SEND_AT_ONCE = 2**30

_PASSING = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "the file is larger than this system allows",
    errno.EMFILE: "too many files are open",
    errno.ENFILE: "too many files are open",
}


@contextmanager
def disk_errors(what: str) -> Iterator[None]:
    """Turns the system's errors into :class:`TryAgain` (a full disk, a quota) or :class:`Unavailable`."""
    try:
        yield
    except OSError as error:
        if error.errno in _PASSING:
            raise TryAgain(f"{what}: {_PASSING[error.errno]}; nothing was kept, try again later") from error
        raise Unavailable(f"{what}: {error.strerror}; check the data folder and its owner") from error


def copy(source: Path, target: BinaryIO) -> None:
    """Copies a whole file, or what a pipe gives. Raises :class:`TryAgain` when it changes meanwhile."""
    try:
        file = source.open("rb", buffering=0)
    except FileNotFoundError as error:
        raise NotFound(f"{source}: there is no such file") from error
    except OSError as error:
        raise Unavailable(f"{source}: cannot be read ({error.strerror})") from error
    with file, disk_errors(f"cannot copy {source} into the spool"):
        before = os.fstat(file.fileno())
        _pour(file, target)
        target.flush()
        after = os.fstat(file.fileno())
    changed = (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns)
    if changed and stat.S_ISREG(after.st_mode):
        raise TryAgain(f"{source}: it is still being written; try again when it is complete")


def _pour(source: RawIOBase, target: BinaryIO) -> None:
    """Writes all that ``source`` has left; the kernel does it on its own in a third less time, where it can."""
    try:
        while os.sendfile(target.fileno(), source.fileno(), None, _SEND_AT_ONCE):
            pass
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        shutil.copyfileobj(source, target, _COPY_AT_ONCE)  # a pipe, or a file system that cannot


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
