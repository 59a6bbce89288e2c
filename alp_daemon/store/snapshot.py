"""A list read whole, quickly: from packed segments, and from the table only what they are not to be asked about.

The law stands in ``migrations/0002_snapshots.sql``: a list is its segments, but for the stale keys, whose rows hold.
Triggers mark a key as stale in the transaction that writes its row, so that no crash, rollback, reader beside it or
edit by hand can tell the two apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from alp_daemon.domain.model import Keys, ListState
from alp_daemon.store.rows import columns, joined, packed, taken, unpacked
from alp_daemon.store.transaction import Row

if TYPE_CHECKING:
    from alp_daemon.store.sqlitetransaction import SqliteTransaction

TRIGGERS = 3  # on `addresses`
SEGMENT_ROWS = 65_536
# Up to so many stale keys, or to this share of the list, marking them costs less than new segments would.
FEW_STALE = 1000
STALE_SHARE = 1 / 100


def read(transaction: SqliteTransaction, list_id: int, version: int) -> ListState:
    """The whole list: a million addresses in a hundredth of a second, and a microsecond for each stale key."""
    segments = transaction.all("snapshot.segments", list=list_id)
    if not segments or not _is_kept(transaction):
        return transaction.read_table(list_id, version)
    newer = _Newer(*transaction.read_stale_addresses(list_id))
    parts = (columns(part.over(_segment(transaction, list_id, each))) for each, part in _by_segment(segments, newer))
    return joined(version, parts, sum(each["length"] for each in segments) + len(newer.rows))


def write(transaction: SqliteTransaction, list_id: int, rows: ListState) -> None:
    """Inserts or updates the rows. Where they are many, the segments are renewed, and nothing is stale afterwards."""
    if not _is_worth_renewing(transaction, list_id, rows):
        transaction.upsert_table(list_id, rows)
        return
    _renew(transaction, list_id, _Newer(*transaction.read_stale_addresses(list_id)).and_then(rows))
    # They would cost as much again as the rows, and mark what is not stale.
    with transaction.without_triggers("addresses"):
        transaction.upsert_table(list_id, rows)


def holds(transaction: SqliteTransaction, list_id: int) -> bool:
    """Whether what is read is what stands in the table: untrue only where triggers were away and came back."""
    quick, true = read(transaction, list_id, 0), transaction.read_table(list_id, 0)
    return all(np.array_equal(*pair) for pair in zip(columns(quick), columns(true), strict=True))


@dataclass(frozen=True, slots=True)
class _Newer:
    """What is known better than from segments: ``rows``, and that ``keys`` beside theirs have no row."""

    keys: Keys
    rows: ListState

    def and_then(self, rows: ListState) -> _Newer:
        others = self.keys[~np.isin(self.keys, rows.keys, assume_unique=True)]
        return _Newer(np.sort(np.concatenate((others, rows.keys)), kind="stable"), self.rows.patched(rows))

    def between(self, start: int | None, stop: int | None) -> _Newer:
        """What it knows from the key ``start`` on to before ``stop``; None is the end of the list."""
        return _Newer(
            self.keys[_between(self.keys, start, stop)], taken(self.rows, _between(self.rows.keys, start, stop))
        )

    def over(self, rows: ListState) -> ListState:
        if len(self.keys) == 0:
            return rows
        if len(self.keys) > len(self.rows):
            rows = taken(rows, ~np.isin(rows.keys, self.keys, assume_unique=True))
        return rows.patched(self.rows)


def _between(keys: Keys, start: int | None, stop: int | None) -> slice:
    return slice(
        None if start is None else int(np.searchsorted(keys, start)),
        None if stop is None else int(np.searchsorted(keys, stop)),
    )


def _by_segment(segments: list[Row], newer: _Newer) -> Iterator[tuple[Row, _Newer]]:
    """Each segment with what is newer within it. The first reaches down to the lowest key, the last to the highest."""
    bounds = [None, *(each["first_key"] for each in segments[1:]), None]
    for each, (start, stop) in zip(segments, pairwise(bounds), strict=True):
        yield each, newer.between(start, stop)


def _segment(transaction: SqliteTransaction, list_id: int, segment: Row) -> ListState:
    row = transaction.one("snapshot.segment", list=list_id, first_key=segment["first_key"])
    assert row is not None
    return unpacked(0, row["data"], segment["length"])


def _is_worth_renewing(transaction: SqliteTransaction, list_id: int, rows: ListState) -> bool:
    # A command for one address does not count what is stale: the next file will.
    if len(rows) < 2 or not _is_kept(transaction):
        return False
    size = transaction.one("snapshot.size", list=list_id)
    assert size is not None
    return bool(len(rows) + size["stale"] > max(FEW_STALE, size["length"] * STALE_SHARE))


def _is_kept(transaction: SqliteTransaction) -> bool:
    """Whether the triggers are there: a tool that makes the table anew, to change a column, say, may lose them."""
    row = transaction.one("snapshot.triggers")
    assert row is not None
    return bool(row["n"] == TRIGGERS)


def _renew(transaction: SqliteTransaction, list_id: int, newer: _Newer) -> None:
    segments = transaction.all("snapshot.segments", list=list_id)
    if segments:
        for each, part in _by_segment(segments, newer):
            if len(part.keys):
                rows = part.over(_segment(transaction, list_id, each))
                transaction.run("snapshot.remove_segment", list=list_id, first_key=each["first_key"])
                _add(transaction, list_id, rows)
    else:
        _add(transaction, list_id, newer.over(transaction.read_table(list_id, 0)))
    transaction.run("snapshot.nothing_stale", list=list_id)


def _add(transaction: SqliteTransaction, list_id: int, rows: ListState) -> None:
    bounds = np.linspace(0, len(rows), ceil(len(rows) / SEGMENT_ROWS) + 1, dtype=int).tolist()
    for start, stop in pairwise(bounds):
        part = taken(rows, slice(start, stop))
        first, length = int(part.keys[0]), stop - start
        transaction.run("snapshot.add_segment", list=list_id, first_key=first, length=length, data=packed(part))
