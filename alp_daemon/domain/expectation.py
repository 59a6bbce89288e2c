"""When a feed's file is due, and which file was meant for which time. A slot is one such time.

A file counts for the slot that it came nearest to: one that came the evening before is for tomorrow morning, and a
correction sent at ten does not stand for tomorrow's file.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum

_FRIDAY = 4


class Every(StrEnum):
    """How often a file comes."""

    day = "day"
    weekday = "weekday"
    """Monday to Friday."""
    week = "week"
    month = "month"


LONGEST_GRACE = {
    Every.day: timedelta(hours=11),
    Every.weekday: timedelta(hours=11),
    Every.week: timedelta(days=3),
    Every.month: timedelta(days=13),
}
"""Less than half of the shortest time between two slots, also where the clock is put forward between them: a file that
came within the grace was meant for this slot and no other."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """A file is due by ``by`` (the time on the wall) on certain days, and missed ``grace`` later.

    ``day``: of a week its day (0 is Monday); of a month the day of the month, in a shorter month its last; else unused.
    """

    every: Every
    by: time
    grace: timedelta
    day: int = 0


def due_slot(expect: Expectation, zone: tzinfo, now: datetime) -> datetime:
    """The newest slot whose grace is over at ``now``, in UTC."""
    latest = (now - expect.grace).astimezone(zone).date() + timedelta(days=1)
    return next(slot for slot in _slots_back(expect, zone, latest) if slot + expect.grace <= now)


def opening(expect: Expectation, zone: tzinfo, slot: datetime) -> datetime:
    """From when on a file counts for this slot: half-way from the slot before."""
    latest = slot.astimezone(zone).date()
    before = next(each for each in _slots_back(expect, zone, latest) if each < slot)
    return before + (slot - before) / 2


def _slots_back(expect: Expectation, zone: tzinfo, latest: date) -> Iterator[datetime]:
    """The slots from a day of the zone on back, in UTC.

    A time that the clock skips is as much later as it jumps; of a time that it shows twice the first counts (PEP 495,
    ``fold=0``).
    """
    date_ = latest
    while True:
        if _is_due_on(expect, date_):
            yield datetime.combine(date_, expect.by, zone).astimezone(UTC)
        date_ -= timedelta(days=1)


def _is_due_on(expect: Expectation, date_: date) -> bool:
    match expect.every:
        case Every.day:
            return True
        case Every.weekday:
            return date_.weekday() <= _FRIDAY
        case Every.week:
            return date_.weekday() == expect.day
        case Every.month:
            return date_.day == min(expect.day, monthrange(date_.year, date_.month)[1])
