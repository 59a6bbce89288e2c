"""Which feeds are late: by what their customer's file expects, else by their own habit.

What is expected wins: of a feed with an ``expect:`` nobody guesses.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from alp_daemon.store.store import Row, Transaction, moment

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


@dataclass(frozen=True, slots=True)
class Overdue:
    """A feed whose file did not come by the time at which its customer's file expects it."""

    customer: str
    feed: str
    slot: datetime
    """The oldest time that was missed since a file last came."""


def overdue_feeds(transaction: Transaction) -> list[Overdue]:
    """The feeds with an open alarm, each once, the longest overdue first."""
    oldest: dict[tuple[str, str], Overdue] = {}
    for row in transaction.all("alarms.open"):  # the oldest slot of a feed comes first
        oldest.setdefault(_feed(row), Overdue(row["customer"], row["feed"], moment(row["slot"])))
    return sorted(oldest.values(), key=lambda each: each.slot)


def expecting_feeds(transaction: Transaction) -> set[tuple[str, str]]:
    """Customer and name of each feed that says by when its file has to come."""
    return {_feed(row) for row in transaction.all("expectations.all")}


def late_feeds(habits: Iterable[Row], expecting: Container[tuple[str, str]], now: datetime) -> list[Late]:
    """The feeds whose next file is overdue by their own habit, the longest silence first.

    ``habits`` are those of the time that is watched (see ``console.habits``). Of the feeds ``expecting`` a file at a
    certain time no habit is asked.
    """
    found = (_late(row, now) for row in habits if _feed(row) not in expecting)
    return sorted((each for each in found if each), key=lambda each: each.last_at)


def _feed(row: Row) -> tuple[str, str]:
    return row["customer"], row["feed"]


def _late(habit: Row, now: datetime) -> Late | None:
    if habit["files"] < FEWEST:
        return None
    # Several files on one afternoon, while a feed is set up, are no habit.
    usual = max(timedelta(seconds=habit["longest_pause"]), timedelta(hours=1))
    last_at = moment(habit["last_at"])
    return Late(habit["customer"], habit["feed"], last_at, usual) if now - last_at > usual * _PATIENCE else None
