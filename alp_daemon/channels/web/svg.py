"""Charts as geometry: where bars, dots and marks stand on a drawing. Templates draw them; no script is needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

WIDTH, HEIGHT = 900, 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 72, 8, 16, 26
_GAP = 0.2
"""The share of a bar's place that stays empty."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A text at an axis."""

    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a stacked bar; ``kind`` says which, for its colour."""

    x: float
    y: float
    width: float
    height: float
    kind: str


@dataclass(frozen=True, slots=True)
class Bars:
    parts: list[Part]
    x_marks: list[Mark]
    y_marks: list[Mark]
    left: int = _LEFT
    width: int = WIDTH
    height: int = HEIGHT


@dataclass(frozen=True, slots=True)
class Point:
    """A value at a moment. ``link`` leads to what it stands for; one without is on the line only."""

    at: datetime
    value: int
    link: str = ""


@dataclass(frozen=True, slots=True)
class Dot:
    x: float
    y: float
    point: Point


@dataclass(frozen=True, slots=True)
class Steps:
    """A line that stays where it is until the next change. ``path`` is the ``d`` of an SVG path."""

    path: str
    dots: list[Dot]
    x_marks: list[Mark]
    y_marks: list[Mark]
    left: int = _LEFT
    width: int = WIDTH
    height: int = HEIGHT


def bars(stacks: Sequence[Mapping[str, int]], labels: Sequence[str], every: int = 1) -> Bars:
    """A stack of parts for each label; ``every`` so many of the labels are written."""
    top = _rounded_up(max((sum(stack.values()) for stack in stacks), default=0))
    place = (WIDTH - _LEFT - _RIGHT) / max(len(stacks), 1)
    parts = []
    for index, stack in enumerate(stacks):
        y = float(HEIGHT - _BOTTOM)
        for kind, value in stack.items():
            height = _plot_height() * value / top
            y -= height
            x = _LEFT + place * (index + _GAP / 2)
            parts.append(Part(_short(x), _short(y), _short(place * (1 - _GAP)), _short(height), kind))
    x_marks = [
        Mark(_short(_LEFT + place * (index + 0.5)), HEIGHT - 6, label)
        for index, label in enumerate(labels)
        if index % every == 0
    ]
    return Bars(parts, x_marks, _y_marks(top))


def steps(points: Sequence[Point], until: datetime) -> Steps:
    """The points, oldest first, and on to ``until``. There must be one at least."""
    since = points[0].at
    seconds = max((until - since).total_seconds(), 1.0)
    top = _rounded_up(max(point.value for point in points))

    def x(at: datetime) -> float:
        return _short(_LEFT + (WIDTH - _LEFT - _RIGHT) * (at - since).total_seconds() / seconds)

    dots = [Dot(x(point.at), _y(point.value, top), point) for point in points]
    path = f"M{dots[0].x},{dots[0].y}" + "".join(f"H{dot.x}V{dot.y}" for dot in dots[1:]) + f"H{x(until)}"
    x_marks = [Mark(_LEFT, HEIGHT - 6, f"{since:%Y-%m-%d}"), Mark(WIDTH - _RIGHT, HEIGHT - 6, f"{until:%Y-%m-%d}")]
    return Steps(path, [dot for dot in dots if dot.point.link], x_marks, _y_marks(top))


def _plot_height() -> int:
    return HEIGHT - _TOP - _BOTTOM


def _y(value: int, top: int) -> float:
    return _short(HEIGHT - _BOTTOM - _plot_height() * value / top)


def _y_marks(top: int) -> list[Mark]:
    values = [0, top // 2, top] if top > 1 else [0, top]
    return [Mark(_LEFT - 8, _y(value, top), f"{value:,}") for value in values]


def _rounded_up(value: int) -> int:
    """The next of 1, 2, 4, 10, 20, 40, 100… so that the axis has round numbers, also at its middle."""
    unit = 1
    while True:
        for factor in (1, 2, 4):
            if unit * factor >= value:
                return unit * factor
        unit *= 10


def _short(value: float) -> float:
    return round(value, 1)
