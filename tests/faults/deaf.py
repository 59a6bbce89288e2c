"""Takes the watches of inotify away from a process that runs, which is not told: no event ever reaches it again."""

from __future__ import annotations

import ctypes
import fcntl
import os
import re
import struct
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PIDFD_GETFD = 438
"""The same number on all architectures (asm-generic/unistd.h); in no library of ours."""
_QUIET_LOOKS = 3
_libc = ctypes.CDLL(None, use_errno=True)


def watches(pid: int) -> dict[int, list[int]]:
    """The numbers of its watches, by the descriptor of the inotify instance."""
    return {number: found for number, found in _instances(pid).items() if found}


def make_deaf(pid: int) -> None:
    """Until none comes back: where events were lost in a rush before, watchdog hears of it late, and watches anew."""
    quiet = 0
    while quiet < _QUIET_LOOKS:
        has_news = False
        for descriptor, numbers in _instances(pid).items():
            with _borrowed(pid, descriptor) as ours:
                for number in numbers:
                    _checked(_libc.inotify_rm_watch(ours, number))
                has_news |= bool(numbers) or _unread(ours) > 0
        quiet = 0 if has_news else quiet + 1
        time.sleep(1)


def _instances(pid: int) -> dict[int, list[int]]:
    found = {}
    for path in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed since
            if str(path.readlink()) == "anon_inode:inotify":
                told = Path(f"/proc/{pid}/fdinfo/{path.name}").read_text()
                found[int(path.name)] = [int(number, 16) for number in re.findall(r"^inotify wd:(\S+)", told, re.M)]
    return found


@contextmanager
def _borrowed(pid: int, descriptor: int) -> Iterator[int]:
    process = os.pidfd_open(pid)
    try:
        ours = _checked(_libc.syscall(_PIDFD_GETFD, process, descriptor, 0))
    finally:
        os.close(process)
    try:
        yield ours
    finally:
        os.close(ours)


def _unread(descriptor: int) -> int:
    """Bytes of events that wait to be read."""
    (size,) = struct.unpack("i", fcntl.ioctl(descriptor, termios.FIONREAD, bytes(4)))
    return int(size)


def _checked(result: int) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
