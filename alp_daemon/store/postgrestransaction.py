"""A transaction on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psycopg import Connection, Cursor
from psycopg.rows import dict_row, tuple_row

from alp_daemon.domain.model import Keys, ListState
from alp_daemon.store import pgcolumns
from alp_daemon.store.rows import Columns, columns, joined, taken
from alp_daemon.store.sql import queries
from alp_daemon.store.transaction import ADDRESS, EVENT, Transaction

# Bounds what is in memory twice; a value of PostgreSQL's holds a gigabyte at most.
_ROWS_PER_READ = 500_000
_KEYS_AT_ONCE = 100_000
_ROWS_PER_FETCH = 20_000

# Tables whose rows PostgreSQL numbers.
_NUMBERED = ("lists", "uploads", "outbox")
_TEXT_COLUMNS = {"emails": "list, key, address", "attribute_sets": "list, id, attributes"}


class PostgresTransaction(Transaction):
    """One open transaction. ``writes``: whether it may, and so may lock."""

    def __init__(self, connection: Connection[Any], *, writes: bool) -> None:
        self._connection = connection
        self._writes = writes

    def _execute(self, name: str, values: Mapping[str, object]) -> Cursor[dict[str, Any]]:
        return self._connection.cursor(row_factory=dict_row).execute(queries("postgres")[name], values)

    def many(self, name: str, rows: Iterable[Mapping[str, object]]) -> None:
        # A cursor that sends values beside the statement: it need not wait for each answer.
        Cursor(self._connection).executemany(queries("postgres")[name], rows)

    def time(self, now: datetime) -> datetime:  # noqa: ARG002  nodes' clocks differ, and the server has one
        (found,) = self._connection.execute("SELECT clock_timestamp()").fetchone() or (None,)
        assert isinstance(found, datetime)
        return found

    def lock(self, *subject: str) -> None:
        if self._writes:
            lock = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"
            self._connection.execute(lock, ("/".join(subject),))

    def read_addresses(self, list_id: int, version: int) -> ListState:
        cursor = self._connection.execute("SELECT count(*) FROM addresses WHERE list = %s", (list_id,))
        (count,) = cursor.fetchone() or (0,)
        return joined(version, self._parts(ADDRESS, "addresses WHERE list = %(list)s", {"list": list_id}), count)

    def read_some_addresses(self, list_id: int, version: int, keys: Keys) -> ListState:
        source = "addresses WHERE list = %(list)s AND key = ANY(%(keys)s)"
        chunks = (keys[start : start + _KEYS_AT_ONCE] for start in range(0, len(keys), _KEYS_AT_ONCE))
        parts = (part for chunk in chunks for part in self._parts(ADDRESS, source, {"list": list_id, "keys": chunk}))
        return joined(version, parts, len(keys))

    def upsert_addresses(self, list_id: int, rows: ListState) -> None:
        """The list is locked, so that what is new is known: it is copied, at half the price of an upsert."""
        there = np.isin(rows.keys, self.read_some_addresses(list_id, 0, rows.keys).keys, assume_unique=True)
        new = dict(zip(ADDRESS, columns(taken(rows, ~there)), strict=True))
        if not there.all():
            pgcolumns.copy(self._connection, "addresses", {"list": list_id, **new})
        changed = taken(rows, there)
        for start in range(0, len(changed), _KEYS_AT_ONCE):
            self._update(list_id, taken(changed, slice(start, start + _KEYS_AT_ONCE)))

    def _update(self, list_id: int, rows: ListState) -> None:
        values = {name: pgcolumns.narrowed(name, column) for name, column in zip(ADDRESS, columns(rows), strict=True)}
        arrays = ", ".join(f"%({name})s" for name in ADDRESS)
        Cursor(self._connection).execute(
            "UPDATE addresses a SET status = n.status, tag_set = n.tag_set, attrs = n.attrs, feeds = n.feeds"  # noqa: S608
            f" FROM unnest({arrays}) AS n ({', '.join(ADDRESS)}) WHERE a.list = %(list)s AND a.key = n.key",
            {"list": list_id, **values},
        )

    def insert_events(self, list_id: int, version: int, columns: Columns) -> None:
        events = dict(zip(EVENT, columns, strict=True))
        pgcolumns.copy(self._connection, "events", {"list": list_id, "version": version, **events})

    def read_events(self, list_id: int, version: int) -> list[NDArray[np.int64]]:
        source = "events WHERE list = %(list)s AND version = %(version)s"
        nothing = [np.empty(0, np.int64) for _ in EVENT]
        parts = self._parts(EVENT, source, {"list": list_id, "version": version})
        return [np.concatenate(column) for column in zip(nothing, *parts, strict=True)]

    def read_texts(self, name: str, list_id: int) -> dict[int, str]:
        values = {"list": list_id, "after": -1, "limit": None}
        return dict(self._connection.cursor(row_factory=tuple_row).execute(queries("postgres")[name], values))

    def insert_emails(self, list_id: int, rows: Sequence[tuple[int, str]]) -> None:
        self._copy_texts("emails", list_id, rows)

    def insert_attribute_sets(self, list_id: int, rows: Sequence[tuple[int, str]]) -> None:
        self._copy_texts("attribute_sets", list_id, rows)

    def _copy_texts(self, table: str, list_id: int, rows: Sequence[tuple[int, str]]) -> None:
        with self._connection.cursor().copy(f"COPY {table} ({_TEXT_COLUMNS[table]}) FROM STDIN") as target:
            for number, text in rows:
                target.write_row((list_id, number, text))

    def columns(self, table: str) -> list[str]:
        cursor = self._connection.execute(f"SELECT * FROM {table} LIMIT 0")  # noqa: S608  a name of the schema
        return [column.name for column in cursor.description or ()]

    def rows(self, select: str) -> Iterator[tuple[Any, ...]]:
        with self._connection.cursor(name="rows") as cursor:
            cursor.itersize = _ROWS_PER_FETCH
            yield from cursor.execute(select)

    def append(self, table: str, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
        names = ", ".join(f'"{name}"' for name in columns)
        with self._connection.cursor().copy(f"COPY {table} ({names}) FROM STDIN") as target:
            for row in rows:
                target.write_row(row)
        if table in _NUMBERED:
            last = f"(SELECT max(id) FROM {table})"  # noqa: S608  as above
            self._connection.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), {last})")

    def _parts(self, names: Sequence[str], source: str, values: Mapping[str, object]) -> Iterable[Columns]:
        """The named columns, the first of them ``key``, a part at a time and in the order of their keys.

        ``source``: a table and the condition on its rows.
        """
        arrays = ", ".join(f"array_agg({name})" for name in names)
        rows = f"SELECT {', '.join(names)} FROM {source} AND key > %(after)s ORDER BY key LIMIT %(limit)s"  # noqa: S608
        sql = f"SELECT {arrays} FROM ({rows}) AS part"  # noqa: S608  a statement of the program's own
        after = -1
        while True:
            cursor = Cursor(self._connection)
            cursor.execute(sql, {**values, "after": after, "limit": _ROWS_PER_READ}, binary=True)
            assert cursor.pgresult is not None
            data = [cursor.pgresult.get_value(0, place) for place in range(len(names))]
            part = [pgcolumns.from_array(column) for column in data if column is not None]
            if part:
                yield part
            if not part or len(part[0]) < _ROWS_PER_READ:
                return
            after = int(part[0][-1])
