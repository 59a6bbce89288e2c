"""Takes the watches of inotify away from a process that runs, which is not told: no event ever reaches it again."""

from __future__ import annotations

import ctypes
import os
import re
from pathlib import Path

_PIDFD_GETFD = 438
"""The same number on all architectures (asm-generic/unistd.h); in no library of ours."""
_libc = ctypes.CDLL(None, use_errno=True)


def watches(pid: int) -> dict[int, list[int]]:
    """The numbers of its watches, by the descriptor of the inotify instance."""
    return {
        int(path.name): [int(number, 16) for number in found]
        for path in Path(f"/proc/{pid}/fdinfo").iterdir()
        if (found := re.findall(r"^inotify wd:([0-9a-f]+)", path.read_text(), re.MULTILINE))
    }


def make_deaf(pid: int) -> None:
    process = os.pidfd_open(pid)
    try:
        for descriptor, numbers in watches(pid).items():
            ours = _checked(_libc.syscall(_PIDFD_GETFD, process, descriptor, 0))
            try:
                for number in numbers:
                    _checked(_libc.inotify_rm_watch(ours, number))
            finally:
                os.close(ours)
    finally:
        os.close(process)


def _checked(result: int) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
