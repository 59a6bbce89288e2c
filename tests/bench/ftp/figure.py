"""One measured thing, and its line in the table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Figure:
    """``values`` are those of all runs, in ``unit``; the median counts."""

    what: str
    server: str
    unit: str
    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return median(self.values)

    @property
    def p99(self) -> float:
        """The value that one in a hundred exceeds; of fewer than a hundred the largest."""
        return sorted(self.values)[min(len(self.values) - 1, int(len(self.values) * 0.99))]

    def as_row(self) -> dict[str, object]:
        return {
            "what": self.what,
            "server": self.server,
            "unit": self.unit,
            "median": round(self.median, 4),
            "least": round(min(self.values), 4),
            "p99": round(self.p99, 4),
            "runs": len(self.values),
        }


def table(figures: Sequence[Figure]) -> str:
    """The figures for a terminal."""
    lines = ["{:<58}{:<22}{:>12}{:>12}{:>12}{:>6}  unit".format("what", "server", "median", "least", "p99", "runs")]
    for figure in figures:
        numbers = (figure.median, min(figure.values), figure.p99)
        cells = "".join(f"{number:>12,.{0 if number >= 100 else 3}f}" for number in numbers)
        lines.append(f"{figure.what:<58}{figure.server:<22}{cells}{len(figure.values):>6}  {figure.unit}")
    return "\n".join(lines)
