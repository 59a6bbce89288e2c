"""One at a time: the system's locks on a folder or about a subject, which a process that dies lets go of."""

from __future__ import annotations

import fcntl
import hashlib
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


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
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLKW, struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, byte, 1, 0))
        yield
    finally:
        os.close(descriptor)
