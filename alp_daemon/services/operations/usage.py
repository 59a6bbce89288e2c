"""What customers used, month by month: applied uploads by mode, and the addresses that are charged."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from alp_daemon.store.store import Store


@dataclass(slots=True)
class CustomerUsage:
    """One customer's. ``set_up_on`` is the day of the first log-in or approval; None for one that has neither."""

    customer: str
    set_up_on: str | None = None
    uploads_by_mode: dict[str, int] = field(default_factory=dict)
    never_seen_by_month: dict[str, int] = field(default_factory=dict)

    @property
    def uploads(self) -> int:
        return sum(self.uploads_by_mode.values())

    @property
    def never_seen(self) -> int:
        return sum(self.never_seen_by_month.values())


@dataclass(frozen=True, slots=True)
class Usage:
    months: list[str]
    customers: list[CustomerUsage]

    @property
    def modes(self) -> list[str]:
        """Those that anybody used."""
        return sorted({mode for each in self.customers for mode in each.uploads_by_mode})


def usage_of_all(store: Store, customers: list[str], now: datetime, months: int = 12) -> Usage:
    """Of the customers that are configured, and of those that were and have used something."""
    shown = _months(now, months)
    with store.read() as transaction:
        rows = transaction.all("console.usage", since=shown[0])
        set_up = {row["customer"]: row["at"][:10] for row in transaction.all("console.set_up")}
    found = {id_: CustomerUsage(id_) for id_ in sorted({*customers, *set_up, *(row["customer"] for row in rows)})}
    for id_, each in found.items():
        each.set_up_on = set_up.get(id_)
    for row in rows:
        each = found[row["customer"]]
        each.uploads_by_mode[row["mode"]] = each.uploads_by_mode.get(row["mode"], 0) + row["uploads"]
        months_ = each.never_seen_by_month
        months_[row["month"]] = months_.get(row["month"], 0) + row["never_seen"]
    return Usage(shown, list(found.values()))


def _months(now: datetime, count: int) -> list[str]:
    """The last months, the present one last: ``2026-11``."""
    last = now.year * 12 + now.month - 1
    return [f"{month // 12:04}-{month % 12 + 1:02}" for month in range(last - count + 1, last + 1)]
