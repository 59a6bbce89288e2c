"""Whether processes that live long stay as they are: their memory and open descriptors, looked at again and again.

A process is flat when the median of the last third of its looks is not above the highest of the first third. Memory may
be above it by two megabytes: the allocator's fragments come to that, and a leak of 300 bytes an act does in an hour.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from tests.crash.processes import Daemon
from tests.faults.campaign import Tally

JUDGED_FROM = 240
"""Looks. What was looked at less often is still loading what it needs for the first time, or had no time to grow."""
_MEGABYTES_OF_NOISE = 2.0


@dataclass(frozen=True, slots=True)
class Life:
    """What was seen of one process, look by look."""

    what: str
    megabytes: list[float] = field(default_factory=list)
    descriptors: list[float] = field(default_factory=list)

    def faults(self) -> list[str]:
        return [
            f"{self.what}: {growth:.1f} {unit} more than in its first third, after {len(values)} looks"
            for unit, values, noise in (
                ("MB", self.megabytes, _MEGABYTES_OF_NOISE),
                ("descriptors", self.descriptors, 0.0),
            )
            if (growth := grown(values)) > noise
        ]


@dataclass(slots=True)
class Watch:
    """All processes of one daemon, from their first look to their end."""

    daemon: Daemon
    lives: dict[int, Life] = field(default_factory=dict)

    def look(self) -> None:
        for pid in (self.daemon.pid, *self.daemon.workers()):
            # A worker may have been killed a moment ago.
            with suppress(FileNotFoundError, ProcessLookupError):
                megabytes, descriptors = _megabytes(pid), len(list(Path(f"/proc/{pid}/fd").iterdir()))
                life = self.lives.setdefault(pid, Life("the daemon" if pid == self.daemon.pid else f"worker {pid}"))
                life.megabytes.append(megabytes)
                life.descriptors.append(descriptors)

    def judge(self, tally: Tally) -> None:
        judged = [life for life in self.lives.values() if len(life.megabytes) >= JUDGED_FROM]
        tally.faults += [fault for life in judged for fault in life.faults()]
        tally.counted["processes looked at"] = len(self.lives)
        tally.counted["of them long enough to be judged"] = len(judged)
        own = self.lives[self.daemon.pid]
        tally.counted["MB of the daemon at first"] = round(median(_third(own.megabytes, 0)))
        tally.counted["MB of the daemon at last"] = round(median(_third(own.megabytes, 2)))
        tally.counted["descriptors of the daemon at last"] = round(median(_third(own.descriptors, 2)))


def grown(values: list[float]) -> float:
    """By how much what is usual in the last third is above what was ever seen in the first; 0 where it is not."""
    return max(0.0, median(_third(values, 2)) - max(_third(values, 0)))


def _third(values: list[float], number: int) -> list[float]:
    cut = max(1, len(values) // 3)
    return (values[:cut], values[cut:-cut], values[-cut:])[number]


def _megabytes(pid: int) -> float:
    """What the process has taken for itself; pages of files come and go with the kernel's cache."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) / 1024
    raise ProcessLookupError(pid)  # it has ended and waits for its parent to notice
