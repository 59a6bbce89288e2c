"""What a campaign is: rounds of one kind of fault, what became of them, and what must never have become of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


class Skipped(Exception):
    """This machine cannot stage the fault; says what it lacks."""


@dataclass
class Tally:
    """What became of the rounds. Any entry in ``faults`` is a promise that was broken, and fails the campaign."""

    rounds: int = 0
    counted: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def expect(self, true: object, fault: str) -> None:
        if not true:
            self.faults.append(fault)

    def __str__(self) -> str:
        return ", ".join(f"{count:,} {what}" for what, count in sorted(self.counted.items()))


Run = Callable[[Path, int, int], Tally]
"""Works in an empty folder of its own, for so many rounds, from a seed."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """A kind of fault. ``short`` and ``long`` are rounds: for a look in a minute or two, and for a night."""

    name: str
    promise: str
    run: Run
    short: int
    long: int
