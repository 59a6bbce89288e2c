"""A transaction on SQLite. Whole lists are read from their snapshots (``snapshot.py``), a device of SQLite only."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alp_daemon.domain.model import Keys, ListState
from alp_daemon.store import bulk, snapshot
from alp_daemon.store.rows import Columns, columns, joined
from alp_daemon.store.sql import queries
from alp_daemon.store.transaction import ADDRESS, EVENT, Row, Transaction

_KEYS_PER_READ = 1000


class SqliteTransaction(Transaction):
    """One open transaction on a connection of its own thread."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def _execute(self, name: str, values: Mapping[str, object]) -> sqlite3.Cursor:
        cursor = self._connection.cursor()
        cursor.row_factory = _as_mapping
        return cursor.execute(queries("sqlite")[name], values)

    def many(self, name: str, rows: Iterable[Mapping[str, object]]) -> None:
        self._connection.executemany(queries("sqlite")[name], rows)

    def time(self, now: datetime) -> datetime:
        return now  # all are on one machine

    def lock(self, *subject: str) -> None:
        """Nothing to do: a write transaction is alone from its beginning (``BEGIN IMMEDIATE``)."""

    def read_addresses(self, list_id: int, version: int) -> ListState:
        return snapshot.read(self, list_id, version)

    def upsert_addresses(self, list_id: int, rows: ListState) -> None:
        snapshot.write(self, list_id, rows)

    def is_read_right(self, list_id: int) -> bool:
        return snapshot.holds(self, list_id)

    def read_table(self, list_id: int, version: int) -> ListState:
        """Every row of ``addresses``, at half a second a million: the snapshot is what is quick."""
        source = "SELECT * FROM addresses WHERE list = ? AND key > ? ORDER BY key LIMIT ?"
        (count,) = self._connection.execute("SELECT count(*) FROM addresses WHERE list = ?", (list_id,)).fetchone()
        return joined(version, bulk.read(self._connection, ADDRESS, source, list_id), count)

    def upsert_table(self, list_id: int, rows: ListState) -> None:
        """Writes to ``addresses`` only; its triggers tell the snapshot."""
        bulk.insert(
            self._connection,
            "INSERT INTO addresses (list, key, status, tag_set, attrs, feeds) VALUES ",
            " ON CONFLICT (list, key) DO UPDATE SET status = excluded.status, tag_set = excluded.tag_set,"
            " attrs = excluded.attrs, feeds = excluded.feeds",
            (list_id,),
            columns(rows),
        )

    def read_some_addresses(self, list_id: int, version: int, keys: Keys) -> ListState:
        rows: list[tuple[int, ...]] = []
        for start in range(0, len(keys), _KEYS_PER_READ):
            chunk = keys[start : start + _KEYS_PER_READ].tolist()
            marks = ",".join("?" * len(chunk))
            sql = (
                "SELECT key, status, tag_set, attrs, feeds FROM addresses"  # noqa: S608  only marks are put in
                f" WHERE list = ? AND key IN ({marks}) ORDER BY key"
            )
            rows += self._connection.execute(sql, (list_id, *chunk)).fetchall()
        return joined(version, [list(np.array(rows, np.int64).reshape(-1, len(ADDRESS)).T)], len(rows))

    def read_stale_addresses(self, list_id: int) -> tuple[Keys, ListState]:
        """The keys that the snapshot is not to be asked about, and the rows of those that have one."""
        source = "SELECT key FROM snapshot_stale WHERE list = ? AND key > ? ORDER BY key LIMIT ?"
        parts = [part for (part,) in bulk.read(self._connection, ("key",), source, list_id)]
        keys = np.concatenate([np.empty(0, np.int64), *parts])
        # CROSS: SQLite might rather read all addresses than seek those few.
        source = (
            "SELECT a.* FROM snapshot_stale s CROSS JOIN addresses a ON a.list = s.list AND a.key = s.key"
            " WHERE s.list = ? AND s.key > ? ORDER BY s.key LIMIT ?"
        )
        return keys, joined(0, bulk.read(self._connection, ADDRESS, source, list_id), len(keys))

    def insert_events(self, list_id: int, version: int, columns: Columns) -> None:
        bulk.insert(
            self._connection,
            f"INSERT INTO events (list, version, {', '.join(EVENT)}) VALUES ",  # noqa: S608
            "",
            (list_id, version),
            columns,
        )

    def read_events(self, list_id: int, version: int) -> list[NDArray[np.int64]]:
        of_version = f"list = ? AND version = {int(version)}"
        source = f"SELECT * FROM events WHERE {of_version} AND key > ? ORDER BY key LIMIT ?"  # noqa: S608  a number
        nothing = [np.empty(0, np.int64) for _ in EVENT]
        parts = bulk.read(self._connection, EVENT, source, list_id)
        return [np.concatenate(column) for column in zip(nothing, *parts, strict=True)]

    def read_texts(self, name: str, list_id: int) -> dict[int, str]:
        return bulk.read_texts(self._connection, queries("sqlite")[name], list_id)

    def insert_emails(self, list_id: int, rows: Sequence[tuple[int, str]]) -> None:
        bulk.insert_texts(self._connection, "INSERT INTO emails (list, key, address) VALUES ", list_id, rows)

    def insert_attribute_sets(self, list_id: int, rows: Sequence[tuple[int, str]]) -> None:
        head = "INSERT INTO attribute_sets (list, id, attributes) VALUES "
        bulk.insert_texts(self._connection, head, list_id, rows)

    def columns(self, table: str) -> list[str]:
        cursor = self._connection.execute(f"SELECT * FROM {table} LIMIT 0")  # noqa: S608  a name of the schema
        return [column[0] for column in cursor.description]

    def rows(self, select: str) -> Iterator[tuple[Any, ...]]:
        return self._connection.execute(select)

    def append(self, table: str, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
        names = ", ".join(f'"{name}"' for name in columns)
        marks = ",".join("?" * len(columns))
        # A list that has no snapshot yet is read from its table.
        with self.without_triggers(table):
            self._connection.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)  # noqa: S608

    @contextmanager
    def without_triggers(self, table: str) -> Iterator[None]:
        """Puts the table's triggers aside. Other connections never see it so: the schema is part of the transaction."""
        sql = "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?"
        triggers = self._connection.execute(sql, (table,)).fetchall()
        for name, _ in triggers:
            self._connection.execute(f'DROP TRIGGER "{name}"')
        try:
            yield
        finally:
            for _, definition in triggers:
                self._connection.execute(definition)


def _as_mapping(cursor: sqlite3.Cursor, row: tuple[Any, ...]) -> Row:
    return {column[0]: value for column, value in zip(cursor.description, row, strict=True)}
