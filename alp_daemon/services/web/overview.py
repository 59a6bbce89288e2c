"""The installation at a glance: what came, what waits, who is locked out, how large the lists are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from alp_daemon.customers import customer_of, is_mail_list
from alp_daemon.domain.model import stage
from alp_daemon.services.alarms.lateness import WATCHED, Late, Overdue, expecting_feeds, late_feeds, overdue_feeds
from alp_daemon.services.operations.metrics import Metrics
from alp_daemon.store.store import Row, Store, Transaction, stamp

HOURS = 24


@dataclass(frozen=True, slots=True)
class Hour:
    """The uploads that came within one hour, by what became of them."""

    since: datetime
    stages: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.stages.values())


@dataclass(frozen=True, slots=True)
class ListSize:
    """A list of numbers, or of subscribers."""

    customer: str
    is_mail: bool
    sizes: dict[str, int]
    """Addresses by status."""
    last_file_at: str | None
    """When the customer's last file that was applied came, where that was in the last weeks."""


@dataclass(frozen=True, slots=True)
class Overview:
    hours: list[Hour]
    waiting: dict[str, int]
    """Uploads that are held, failed, or received and not worked yet."""
    lockouts: int
    lists: list[ListSize]
    overdue: list[Overdue]
    late: list[Late]


def overview(store: Store, metrics: Metrics, now: datetime) -> Overview:
    with store.read() as transaction:
        waiting = {row["state"]: row["n"] for row in transaction.all("console.waiting")}
        hours = _hours(transaction, now)
        lockouts = len(transaction.all("lockouts.active", now=stamp(now)))
        habits = transaction.all("console.habits", since=stamp(now - WATCHED))
        overdue, expecting = overdue_feeds(transaction), expecting_feeds(transaction)
    late = late_feeds(habits, expecting, now)
    return Overview(hours, waiting, lockouts, _lists(metrics, habits), overdue, late)


def _lists(metrics: Metrics, habits: list[Row]) -> list[ListSize]:
    last_files: dict[str, str] = {}
    for habit in habits:
        last_files[habit["customer"]] = max(habit["last_at"], last_files.get(habit["customer"], ""))
    return [
        ListSize(customer_of(name), is_mail_list(name), sizes, last_files.get(customer_of(name)))
        for name, sizes in metrics.list_sizes().items()
    ]


def _hours(transaction: Transaction, now: datetime) -> list[Hour]:
    """The last hours, the present one last, also those in which nothing came."""
    this_hour = now.replace(minute=0, second=0, microsecond=0)
    starts = [this_hour - timedelta(hours=back) for back in reversed(range(HOURS))]
    found: dict[str, dict[str, int]] = {}
    for row in transaction.all("console.by_hour", since=stamp(starts[0])):
        found.setdefault(row["hour"], {})[stage(row["state"], is_undone=row["is_undone"])] = row["n"]
    return [Hour(start, found.get(stamp(start)[:13], {})) for start in starts]
