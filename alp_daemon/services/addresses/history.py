"""Why a number stands as it does, and the list as a file: reading only."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any

from alp_daemon.domain import phone
from alp_daemon.domain.model import Status
from alp_daemon.store import lists, tagsets
from alp_daemon.store.lists import ListHead
from alp_daemon.store.store import Row, Store, Transaction

EXPORT_HEADER = ("number", "status", "tags")

# How `import` writes down when somebody consented before the list came here.
_IMPORTED_CONSENT = re.compile(r"\bconsent: (\d{4}-\d{2}-\d{2})")


@dataclass(frozen=True, slots=True)
class Page:
    """Some of a list's numbers in order, and the cursor of the next page; None after the last."""

    numbers: list[dict[str, Any]]
    next: str | None


def of_number(store: Store, key: int, customers: Iterable[str]) -> list[dict[str, Any]]:
    """Everything that ever happened to one number, list by list; empty for a number nobody has heard of."""
    with store.read() as transaction:
        found = (_on_list(transaction, customer, key) for customer in customers)
        return [each for each in found if each is not None]


def known_lists(store: Store) -> list[str]:
    with store.read() as transaction:
        return [row["customer"] for row in transaction.all("lists.all")]


def versions(store: Store) -> dict[str, int]:
    """The number of each list's last change, by customer."""
    with store.read() as transaction:
        return {row["customer"]: row["version"] for row in transaction.all("lists.all")}


def export(store: Store, customer: str, status: str | None, out: IO[str]) -> int:
    """Writes the list as CSV, sorted by number; returns how many rows. What an undo took off is not on it."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(EXPORT_HEADER)
    count = 0
    for row in _rows(store, customer):
        if status is None or row[1] == status:
            writer.writerow(row)
            count += 1
    return count


def page(
    store: Store, customer: str, *, status: str | None = None, tag: str | None = None, after: int = 0, limit: int
) -> Page:
    """The numbers of a list after a key, all or those with a status and a tag."""
    with store.read() as transaction:
        head = lists.open_list(transaction, customer)
        if head is None:
            return Page([], None)
        rows = transaction.all(
            "numbers.page",
            list=head.id,
            after=after,
            status=None if status is None else Status[status],
            sets=None if tag is None else json.dumps(_sets_with(transaction, head, tag)),
            limit=limit + 1,
        )
        shown = rows[:limit]
        sets = tagsets.of_ids(transaction, head.id, (row["tag_set"] for row in shown))
    numbers = [
        {
            "number": phone.format_key(row["key"]),
            "status": Status(row["status"]).name,
            "tags": list(sets[row["tag_set"]]),
        }
        for row in shown
    ]
    return Page(numbers, str(shown[-1]["key"]) if len(rows) > limit else None)


def consent_date(events: Sequence[dict[str, Any]]) -> str | None:
    """When the number came (back) onto the list, by a ``history``; None where it is not, or has opted out since.

    A suspension does not end a consent. The day that an import states stands before that of the import.
    """
    since: str | None = None
    for event in events:
        if event["status_after"] not in (Status.opted_in.name, Status.suspended.name):
            since = None
        elif stated := _IMPORTED_CONSENT.search(event["note"] if event["source"] == "import" else ""):
            since = stated[1]
        elif since is None:
            since = event["at"][:10]
    return since


def occurrence(event: Row) -> dict[str, Any]:
    """What every event has, be it of a number or of a subscriber."""
    return {
        "at": event["at"],
        "by": event["actor"],
        "source": event["source"],
        "channel": event["channel"],
        "upload": event["upload"],
        "note": event["note"],
        "status_before": Status(event["status_before"]).name,
        "status_after": Status(event["status_after"]).name,
    }


def usage(store: Store, customer: str, month: str | None) -> list[dict[str, Any]]:
    """By month and mode: applied uploads, and the addresses that had never been on the list (chargeable)."""
    with store.read() as transaction:
        return [dict(row) for row in transaction.all("uploads.usage", customer=customer, month=month)]


def sizes(store: Store, customer: str) -> dict[str, int]:
    """How many addresses the list has in each status."""
    with store.read() as transaction:
        head = lists.open_list(transaction, customer)
        counts = {status.name: 0 for status in Status if status is not Status.absent}
        if head is not None:
            rows = transaction.all("lists.count_by_status", list=head.id)
            counts |= {Status(row["status"]).name: row["n"] for row in rows if row["status"]}
        return counts


def _rows(store: Store, customer: str) -> Iterator[tuple[str, str, str]]:
    with store.read() as transaction:
        head = lists.open_list(transaction, customer)
        state = lists.read_state(transaction, head)
        sets = lists.read_tag_sets(transaction, head)
    names = {int(status): status.name for status in Status}
    joined = {id_: ";".join(sets[id_]) for id_ in set(state.tag_set.tolist())}
    for key, status, tag_set in zip(state.keys.tolist(), state.status.tolist(), state.tag_set.tolist(), strict=True):
        if status != Status.absent:
            yield phone.format_key(key), names[status], joined[tag_set]


def _sets_with(transaction: Transaction, head: ListHead, tag: str) -> list[int]:
    rows = transaction.all("tag_sets.all", list=head.id)
    return [row["id"] for row in rows if tag in tagsets.parsed(row["tags"])]


def _on_list(transaction: Transaction, customer: str, key: int) -> dict[str, Any] | None:
    head = lists.open_list(transaction, customer)
    if head is None:
        return None
    events = transaction.all("events.of_address", list=head.id, key=key)
    if not events:
        return None
    return _story(transaction, head, key, events)


def _story(transaction: Transaction, head: ListHead, key: int, events: list[Any]) -> dict[str, Any]:
    used = (event[column] for event in events for column in ("tags_before", "tags_after"))
    sets = tagsets.of_ids(transaction, head.id, used)
    last = events[-1]
    return {
        "number": phone.format_key(key),
        "customer": head.customer,
        "status": Status(last["status_after"]).name,
        "tags": list(sets[last["tags_after"]]),
        "history": [
            {
                **occurrence(event),
                "message": event["message"],
                "tags_before": list(sets[event["tags_before"]]),
                "tags_after": list(sets[event["tags_after"]]),
            }
            for event in events
        ],
    }
