"""A brand's list as people ask for it: its subscribers as a file, and its interests. Only interests are written."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import datetime
from typing import IO, Any

import numpy as np

from alp_daemon import log
from alp_daemon.customers import Customer, mail_list
from alp_daemon.domain.model import Status
from alp_daemon.domain.tag import BadTag, clean
from alp_daemon.errors import UsageProblem
from alp_daemon.store import lists, subscribers
from alp_daemon.store.store import Store

EXPORT_HEADER = ("email", "status", "interests")
# Behind the name of an attribute that is called like one of these.
_ATTRIBUTE = " (attribute)"


def export(store: Store, customer: Customer, status: str | None, out: IO[str]) -> int:
    """Writes the list as CSV, sorted by address, with a column for each attribute; returns how many rows."""
    rows = sorted(row for row in _rows(store, customer) if status is None or row[1] == status)
    attributes = [json.loads(text) for *_, text in rows]
    names = sorted({name for each in attributes for name in each})
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*EXPORT_HEADER, *map(_title, names)])
    for (address, standing, interests, _), known in zip(rows, attributes, strict=True):
        writer.writerow([address, standing, interests, *(_cell(known.get(name, "")) for name in names)])
    return len(rows)


def add_interest(store: Store, customer: Customer, name: str, by: str, now: datetime) -> bool:
    """Makes an interest that uploads may name. ``False``: it is there. Raises ``UsageProblem`` for a bad name."""
    interest = clean(name)
    if isinstance(interest, BadTag):
        raise UsageProblem(f"interest {name[:80]!r}: {interest.rule}")
    with store.write() as transaction:
        head = lists.create_list(transaction, mail_list(customer.id), now)
        added = subscribers.add_interest(transaction, head, interest, by, now)
    if added:
        log.info("interest_added", customer=customer.id, interest=interest, by=by)
    return added


def interests(store: Store, customer: Customer) -> list[dict[str, Any]]:
    """Each interest, and how many opted-in subscribers have it."""
    with store.read() as transaction:
        head = lists.open_list(transaction, mail_list(customer.id))
        names = subscribers.read_interests(transaction, head)
        state = lists.read_state(transaction, head)
        sets = lists.read_tag_sets(transaction, head)
    opted_in = state.tag_set[state.status == Status.opted_in]
    return [{"interest": name, "members": int(np.count_nonzero(sets.holds_any(opted_in, [name])))} for name in names]


def attribute_name(title: str) -> str:
    """The attribute that a column of an export holds."""
    return title.removesuffix(_ATTRIBUTE)


def _title(name: str) -> str:
    return f"{name}{_ATTRIBUTE}" if name in EXPORT_HEADER else name


def _rows(store: Store, customer: Customer) -> Iterator[tuple[str, str, str, str]]:
    """Address, status, interests and attributes (JSON) of everybody on the list."""
    with store.read() as transaction:
        head = lists.open_list(transaction, mail_list(customer.id))
        if head is None:
            return
        state = lists.read_state(transaction, head)
        sets = lists.read_tag_sets(transaction, head)
        addresses = subscribers.read_texts(transaction, head)
        attributes = subscribers.read_attributes(transaction, head).texts(state.attrs)
    names = {int(status): status.name for status in Status}
    joined = {id_: ";".join(sets[id_]) for id_ in set(state.tag_set.tolist())}
    columns = (state.keys.tolist(), state.status.tolist(), state.tag_set.tolist(), attributes)
    for key, status, tag_set, text in zip(*columns, strict=True):
        if status != Status.absent:
            yield addresses[key], names[status], joined[tag_set], text


def _cell(value: object) -> str:
    return ";".join(value) if isinstance(value, list) else str(value)
