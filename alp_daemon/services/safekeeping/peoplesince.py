"""Who stands otherwise on a list than a backup has it, and could not know."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from alp_daemon.customers import is_mail_list
from alp_daemon.domain import phone
from alp_daemon.domain.model import Keys, ListState, Status
from alp_daemon.domain.rows import differs, find, rows_of, take
from alp_daemon.domain.tag_sets import TagSets
from alp_daemon.store import lists
from alp_daemon.store.lists import ListHead
from alp_daemon.store.store import Row, Transaction

_OUT = (Status.opted_out, Status.unsubscribed)


class PeopleSince:
    """One list in a database and in its backup. Rows are texts: address, status, tags, and what is said of each."""

    def __init__(self, newer: Transaction, older: Transaction, name: str) -> None:
        head = lists.open_list(newer, name)
        assert head is not None
        self._newer, self._head = newer, head
        self._older, self._old = older, lists.open_list(older, name)
        self._state = lists.read_state(newer, head)

    @cached_property
    def _sets(self) -> TagSets:
        return lists.read_tag_sets(self._newer, self._head)

    @cached_property
    def _emails(self) -> dict[int, str]:
        return self._newer.read_texts("emails.part", self._head.id) if is_mail_list(self._head.customer) else {}

    def opted_out(self) -> list[tuple[str, str, str]]:
        """Who is out now and was not."""
        before = lists.read_state(self._older, self._old)
        was = rows_of(before, self._state.keys, *find(before.keys, self._state.keys))
        out = take(self._state, np.isin(self._state.status, _OUT) & (was.status != self._state.status))
        return [(address, status, "") for address, status, _ in self._told(out)]

    def changed(self) -> list[tuple[str, ...]]:
        """Who else stands otherwise because of something that was no file: a command, a message, an import, an undo.

        Each as it stands now, and with when, by whom, why (``source``) and how that was last.
        """
        changes = self._changes_since()
        touched, by = self._touched([change for change in changes if change["source"] != "file"])
        if not len(touched):
            return []
        now = rows_of(self._state, touched, *find(self._state.keys, touched))
        changed = differs(self._before(touched, changes), now) & ~np.isin(now.status, _OUT)
        rows = self._told(take(now, changed))
        return [
            (*row, change["at"], change["actor"], change["source"], change["channel"])
            for row, change in zip(rows, (by[each] for each in touched[changed].tolist()), strict=True)
        ]

    def _changes_since(self) -> list[Row]:
        """Those after the last that the backup has too: a digest tells all that led to it."""
        known = {row["digest"] for row in _changes(self._older, self._old)}
        return [row for row in _changes(self._newer, self._head) if row["digest"] not in known]

    def _touched(self, changes: list[Row]) -> tuple[Keys, dict[int, Row]]:
        """The addresses that these changes are about, sorted, and the last change of each."""
        by = {key: change for change in changes for key in self._events(change)[0].tolist()}
        return np.array(sorted(by), np.int64), by

    def _before(self, keys: Keys, changes: list[Row]) -> ListState:
        """How these addresses stood before the first of the changes that is about them."""
        columns = zip(*(_about(keys, self._events(change)) for change in changes), strict=True)
        key, status, _, tag_set, _, attrs, _ = map(np.concatenate, columns)
        found, first = np.unique(key, return_index=True)
        return ListState(
            0,
            found,
            status[first].astype(np.int8),
            tag_set[first].astype(np.int32),
            attrs[first].astype(np.int32),
            np.zeros(len(found), np.int64),
        )

    def _events(self, change: Row) -> list[NDArray[np.int64]]:
        return self._newer.read_events(self._head.id, change["version"])

    def _told(self, rows: ListState) -> Iterator[tuple[str, str, str]]:
        for key, status, tag_set in zip(rows.keys.tolist(), rows.status.tolist(), rows.tag_set.tolist(), strict=True):
            yield self._emails.get(key) or phone.format_key(key), Status(status).name, ";".join(self._sets[tag_set])


def _about(keys: Keys, events: list[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
    ours = np.isin(events[0], keys)
    return [column[ours] for column in events]


def _changes(transaction: Transaction, head: ListHead | None) -> list[Row]:
    return transaction.all("restore.changes", list=head.id) if head else []
