"""One at a time: the system's locks on a folder or about a subject, which a process that dies lets go of."""

from __future__ import annotations

import fcntl
import hashlib
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# The byte after those of all subjects.
_ALL_OF_IT = 2**56


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Waits until no other process or thread is in the folder. Binding only for those who ask in the same way."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def alone_about(subject: str, file: Path) -> Iterator[None]:
    """Waits until no other process or thread is at this subject. The file stays empty: each subject is a byte of it.

    A lock belongs to the open file and not to the process (fcntl_locking(2), "Open file description locks"), so that
    threads exclude each other as well.
    """
    byte = int.from_bytes(hashlib.sha256(subject.encode()).digest()[:7])
    descriptor = _opened(file)
    try:
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLKW, _byte(fcntl.F_WRLCK, byte))
        yield
    finally:
        os.close(descriptor)


def one_of_many(file: Path) -> int:
    """Is among those who share the file, until the returned descriptor is closed.

    Raises ``BlockingIOError`` while somebody is ``alone_among``.
    """
    return _held(file, fcntl.F_RDLCK)


def alone_among(file: Path) -> int:
    """Nobody else is ``one_of_many`` until the returned descriptor is closed; whatever subject they are about.

    Raises ``BlockingIOError`` where somebody is.
    """
    return _held(file, fcntl.F_WRLCK)


def _held(file: Path, kind: int) -> int:
    descriptor = _opened(file)
    try:
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, _byte(kind, _ALL_OF_IT))
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _opened(file: Path) -> int:
    return os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _byte(kind: int, at: int) -> bytes:
    return struct.pack("hhqqi4x", kind, os.SEEK_SET, at, 1, 0)
