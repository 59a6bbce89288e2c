"""How large a list was: the opted-in addresses after each of its newest changes."""

from __future__ import annotations

from dataclasses import dataclass

from alp_daemon.domain.model import Status
from alp_daemon.store import lists
from alp_daemon.store.store import Store

MOST_CHANGES = 1_000
MOST_EVENTS = 1_000_000
"""What is read to know it: some tenths of a second."""


@dataclass(frozen=True, slots=True)
class Size:
    """The opted-in addresses after a change. ``upload`` is set where the change was a file or the undo of one."""

    at: str
    opted_in: int
    source: str
    upload: int | None


def sizes_over_time(store: Store, customer: str) -> list[Size]:
    """From the oldest change that is read up to now; empty for a list that has never changed."""
    with store.read() as transaction:
        head = lists.open_list(transaction, customer)
        if head is None:
            return []
        rows = transaction.all("console.size_steps", list=head.id, changes=MOST_CHANGES, events=MOST_EVENTS)
        counts = transaction.all("lists.count_by_status", list=head.id)
    opted_in = sum(row["n"] for row in counts if row["status"] == Status.opted_in)
    sizes = []
    for row in rows:  # newest first: each change is taken back from the size after it
        sizes.append(Size(row["at"], opted_in, row["source"], row["upload"]))
        opted_in -= row["step"]
    return sizes[::-1]
