"""Whether processes that live long stay as they are: their memory and open descriptors, looked at again and again.

A leak goes on and on; whatever else takes memory comes to an end. So a process is flat when what it has taken does not
go up as a line does, after the first third of its looks, in which it loads what it needs and its caches fill. A step is
no line: Python's table of names, say, takes a megabyte more once, after some thousand files.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import TypeVar

from tests.crash.processes import Daemon
from tests.faults.campaign import Tally
from tests.proc import descriptors_of

_MEGABYTES_OF_NOISE = 1.0
"""What the allocator's fragments may come to in the two thirds that are judged, until they are at rest. A leak of more
is found: of 80 bytes for each of 20,000 files, say, or 220 for each act of an hour."""
_PIECES = 24
_EIGHTH = _PIECES // 8
_Number = TypeVar("_Number", int, float)
_UNIT = Path(__file__).parents[2] / "systemd/alp-daemon.service"


@dataclass(frozen=True, slots=True)
class Life:
    """What was seen of one process, look by look."""

    what: str
    megabytes: list[float] = field(default_factory=list)
    descriptors: list[int] = field(default_factory=list)

    def faults(self) -> list[str]:
        climbed, opened = climb(self.megabytes), more(self.descriptors)
        looks = f"after {len(self.megabytes)} looks"
        return [
            *([f"{self.what}: {climbed:.1f} MB more, and no end of it, {looks}"] * (climbed > _MEGABYTES_OF_NOISE)),
            *([f"{self.what}: {opened} more descriptors than in its first third, {looks}"] * (opened > 0)),
        ]


@dataclass(slots=True)
class Watch:
    """All processes of one daemon, from their first look to their end.

    Those that were looked at less often than ``judged_from`` times are not judged: they are still loading what they
    need for the first time, or had no time to grow.
    """

    daemon: Daemon
    judged_from: int
    lives: dict[int, Life] = field(default_factory=dict)

    def look(self) -> None:
        for pid in (self.daemon.pid, *self.daemon.workers()):
            # A worker may have been killed a moment ago.
            with suppress(FileNotFoundError, ProcessLookupError):
                taken, descriptors = megabytes(pid), descriptors_of(pid)
                life = self.lives.setdefault(pid, Life("the daemon" if pid == self.daemon.pid else f"worker {pid}"))
                life.megabytes.append(taken)
                life.descriptors.append(descriptors)

    def judge(self, tally: Tally) -> None:
        judged = [life for life in self.lives.values() if len(life.megabytes) >= self.judged_from]
        tally.faults += [fault for life in judged for fault in life.faults()]
        tally.counted["processes looked at"] = len(self.lives)
        tally.counted["of them long enough to be judged"] = len(judged)
        own = self.lives[self.daemon.pid]
        tally.counted["MB of the daemon at first"] = round(median(_third(own.megabytes, 0)))
        tally.counted["MB of the daemon at last"] = round(median(_third(own.megabytes, 2)))
        tally.counted["descriptors of the daemon at last"] = round(median(_third(own.descriptors, 2)))


def climb(values: Sequence[float]) -> float:
    """By how much they go up after their first third, if all eighths of that are as most of them; negative: down.

    Compared is each piece with the one an eighth later. A line is in all of these differences, a step in few of them.
    (Least squares take a step for a line; the median of all slopes, Theil's and Sen's, does so if it comes half-way.)
    """
    judged = values[len(values) // 3 :]
    cuts = [round(len(judged) * number / _PIECES) for number in range(_PIECES + 1)]
    pieces = [median(judged[begin:end]) for begin, end in pairwise(cuts)]
    return median(later - before for before, later in zip(pieces, pieces[_EIGHTH:], strict=False)) * 8


def more(counts: Sequence[int]) -> int:
    """By how much what is usual in the last third is above what was ever seen in the first; 0 where it is not."""
    return max(0, round(median(_third(counts, 2))) - max(_third(counts, 0)))


def _third(values: Sequence[_Number], number: int) -> Sequence[_Number]:
    cut = max(1, len(values) // 3)
    return (values[:cut], values[cut:-cut], values[-cut:])[number]


def megabytes(pid: int) -> float:
    """What the process has taken for itself; pages of files come and go with the kernel's cache."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) / 1024
    raise ProcessLookupError(pid)  # it has ended and waits for its parent to notice


def of_a_service() -> dict[str, str]:
    """The environment that the unit gives the daemon. It says how the allocator keeps what was freed."""
    given = (line.removeprefix("Environment=") for line in _UNIT.read_text().splitlines() if line.startswith("Env"))
    return dict(each.split("=", 1) for each in given)
