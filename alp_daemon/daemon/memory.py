"""How much memory a process may take, a share of the machine's, so that one file cannot take it from everybody; and
what the garbage collector need not look at.
"""

from __future__ import annotations

import gc
import os
import resource
from contextlib import suppress
from pathlib import Path

LEAST = 2**30
"""Bytes; a list of ten million numbers takes six tenths of it."""

_SHARE = 3 / 4
_CGROUPS = Path("/sys/fs/cgroup")


def limit(processes: int) -> int:
    """Limits this process to its share, one of so many alike, and returns that in bytes.

    Past it Python raises ``MemoryError``, where otherwise the system would end this process, or another one.
    """
    most = share(processes)
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    # Not the address space (RLIMIT_AS): threads and mapped files take a lot of that and no memory.
    resource.setrlimit(resource.RLIMIT_DATA, (most, hard))
    return most


def share(processes: int) -> int:
    """What one of so many processes may have. The rest of the machine's is the system's and the daemon's own."""
    return max(LEAST, int(_of_machine() * _SHARE / processes))


def freeze() -> None:
    """To be called when all is loaded. From then on the garbage collector leaves out what is there (``gc.freeze``).

    Else each of its full rounds goes through all that was ever imported. That takes as long as several files do, and
    nobody is served meanwhile; and a round comes the later, the more there is to go through.
    """
    gc.collect()
    gc.freeze()


def _of_machine() -> int:
    """What the machine has, or the container or service that this runs in may have of it."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([physical, *_of_cgroups(_CGROUPS, Path("/proc/self/cgroup"))])


def _of_cgroups(root: Path, own: Path) -> list[int]:
    """The limits of a process's control group and of those around it (version 2 of the kernel's interface)."""
    found: list[int] = []
    with suppress(OSError):
        path = next((line.partition("::")[2] for line in own.read_text().splitlines() if line.startswith("0::")), "/")
        group = root / path.strip("/")
        for each in (group, *group.parents):
            if each.is_relative_to(root):
                with suppress(OSError, ValueError):  # the outermost has no such file; "max" is no number
                    found.append(int((each / "memory.max").read_text()))
    return found
