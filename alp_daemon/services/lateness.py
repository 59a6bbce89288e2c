"""Files that do not come as they used to: the failure that nobody reports."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby, pairwise

from alp_daemon.store.store import Row, moment

WATCHED = timedelta(days=35)
"""What counts as a feed's habit: five weeks, so that a weekly file has a habit too."""
FEWEST = 4
"""Files below which nobody can speak of a habit."""
# A file is late past its longest pause so far and a quarter of it: a nightly file by the next morning.
_PATIENCE = 1.25


@dataclass(frozen=True, slots=True)
class Late:
    """A feed that has been silent for longer than it ever was in the time that is watched."""

    customer: str
    feed: str
    last_at: datetime
    usual: timedelta
    """Its longest pause so far."""


def late_feeds(arrivals: Iterable[Row], now: datetime) -> list[Late]:
    """The feeds whose next file is overdue by their own habit, the longest silence first.

    ``arrivals`` are the files of the time that is watched (customer, feed, received_at), oldest first.
    """
    by_feed = groupby(sorted(arrivals, key=_feed), _feed)
    found = (_late(customer, feed, _times(group), now) for (customer, feed), group in by_feed)
    return sorted((each for each in found if each), key=lambda each: each.last_at)


def _feed(row: Row) -> tuple[str, str]:
    return row["customer"], row["feed"]


def _times(rows: Iterable[Row]) -> list[datetime]:
    return [moment(row["received_at"]) for row in rows]


def _late(customer: str, feed: str, times: Sequence[datetime], now: datetime) -> Late | None:
    if len(times) < FEWEST:
        return None
    longest = max(later - earlier for earlier, later in pairwise(times))
    # Several files on one afternoon, while a feed is set up, are no habit.
    usual = max(longest, timedelta(hours=1))
    return Late(customer, feed, times[-1], usual) if now - times[-1] > usual * _PATIENCE else None
