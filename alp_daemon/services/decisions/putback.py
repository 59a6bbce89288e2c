"""What a list would be without the files that were undone: the addresses go back event by event, the newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from alp_daemon.domain.model import Codes, Keys, ListState, Status, Statuses
from alp_daemon.domain.rows import find
from alp_daemon.store.lists import ListHead
from alp_daemon.store.store import Row, Transaction

Mask = NDArray[np.bool_]
Rows = NDArray[np.intp]
"""Places in a list's rows."""


@dataclass(frozen=True, slots=True)
class Did:
    """What a file did: the events of its changes as columns, sorted by key. What changed nothing is left out."""

    keys: Keys
    status_before: Statuses
    status_after: Statuses
    tags_before: Codes
    tags_after: Codes
    attrs_before: Codes
    attrs_after: Codes

    def taken(self, where: Mask | Rows) -> Did:
        return Did(*(getattr(self, column.name)[where] for column in fields(self)))


def did(transaction: Transaction, head: ListHead, versions: Sequence[int]) -> Did:
    """What one file did. With removals it has made two changes, of different addresses."""
    nothing = [np.empty(0, np.int64) for _ in fields(Did)]
    columns = [transaction.read_events(head.id, version) for version in versions]
    events = Did(*(np.concatenate(parts) for parts in zip(nothing, *columns, strict=True)))
    changed = (
        (events.status_before != events.status_after)
        | (events.tags_before != events.tags_after)
        | (events.attrs_before != events.attrs_after)
    )
    events = events.taken(changed)
    return events.taken(np.argsort(events.keys))


def put_back(transaction: Transaction, head: ListHead, rows: ListState) -> tuple[ListState, Mask]:
    """The rows as they were before undone files changed them, and which of them that has changed.

    A row goes back over one event after the other as far as it stands as the event left it, and nothing that was said
    since the event stands. Who came by an undone file stays, with what the file said, while a feed lists them.
    """
    found = replace(rows, status=rows.status.copy(), tag_set=rows.tag_set.copy(), attrs=rows.attrs.copy())
    is_back, goes_on = np.zeros(len(rows), np.bool_), np.ones(len(rows), np.bool_)
    for change in transaction.all("changes.undone", list=head.id):
        events, at = _of_rows(did(transaction, head, [change["version"]]), found)
        standing = goes_on[at] & _as_left(found, events, at)
        events, at = events.taken(standing), at[standing]
        if len(at) == 0:
            continue
        of_others = (events.status_before == Status.absent) & (found.feeds[at] != 0)
        said_since = transaction.all("events.standing_since", list=head.id, version=change["version"])
        back = ~of_others & ~found_by(said_since, events.keys)
        goes_on[at[~back]] = False
        is_back[at[back]] = True
        found.status[at[back]] = events.status_before[back]
        found.tag_set[at[back]] = events.tags_before[back]
        found.attrs[at[back]] = events.attrs_before[back]
    return found, is_back


def found_by(rows: Sequence[Row], keys: Keys) -> Mask:
    """Which of the keys a query has found; its rows have each a ``key``."""
    return np.isin(keys, np.array([row["key"] for row in rows], np.int64))


def _of_rows(events: Did, rows: ListState) -> tuple[Did, Rows]:
    """The events of these rows, and where their rows are."""
    at, known = find(rows.keys, events.keys)
    return events.taken(known), at[known]


def _as_left(rows: ListState, events: Did, at: Rows) -> Mask:
    as_left: Mask = (
        (rows.status[at] == events.status_after)
        & (rows.tag_set[at] == events.tags_after)
        & (rows.attrs[at] == events.attrs_after)
    )
    return as_left
