"""Processes by names that no other one has: the number alone is given out again, and each machine counts for itself."""

from __future__ import annotations

import os
from pathlib import Path


def identity(place: str) -> str:
    """This process, told apart from an earlier one that had the same number, and from those of other places.

    ``place``: a node, or a host.
    """
    return f"{os.getpid()}@{started(os.getpid())}@{place}"


def has_ended(identity: str, place: str) -> bool:
    """Whether it was a process of this place that is no more. Of those of other places nobody here can tell."""
    pid, _, rest = identity.partition("@")
    began, _, where = rest.partition("@")
    return where == place and started(int(pid)) != began


def started(pid: int) -> str:
    """When the kernel started the process (field 22 of proc_pid_stat(5)); empty if it has ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
    state, *fields = stat.rpartition(")")[2].split()
    # A zombie has ended, and only its parent has not looked yet.
    return "" if state in "ZX" else fields[18]
