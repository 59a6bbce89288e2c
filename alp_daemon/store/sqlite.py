"""SQLite: connections, transactions, and the statements that carry a whole list at once.

One library for the whole process: two SQLite libraries on one file can drop each other's locks.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from alp_daemon.domain.model import Keys, ListState
from alp_daemon.errors import AlpError, TryAgain, Unavailable
from alp_daemon.store.sql import migrations, queries

Row = Mapping[str, Any]

BUSY_SECONDS = 60.0
# Rows in one INSERT: 1,000 lands a million rows in 0.36 s, executemany in 0.9.
_ROWS_PER_INSERT = 1000
# Rows read at once: bounds the text that SQLite builds for them (some 20 MB).
_ROWS_PER_READ = 500_000


class Transaction:
    """One open transaction. Runs named queries; see ``queries/*.sql`` for what each does and takes."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def _execute(self, name: str, values: Mapping[str, object]) -> sqlite3.Cursor:
        cursor = self._connection.cursor()
        cursor.row_factory = _as_mapping
        return cursor.execute(queries()[name], values)

    def run(self, name: str, /, **values: object) -> int:
        """The number of rows that the statement changed."""
        return self._execute(name, values).rowcount

    def one(self, name: str, /, **values: object) -> Row | None:
        cursor = self._execute(name, values)
        row: Row | None = cursor.fetchone()
        cursor.close()
        return row

    def all(self, name: str, /, **values: object) -> list[Row]:
        return self._execute(name, values).fetchall()

    def many(self, name: str, rows: Iterable[Mapping[str, object]]) -> None:
        self._connection.executemany(queries()[name], rows)

    def read_addresses(self, list_id: int, version: int) -> ListState:
        """The whole list as arrays, packed by SQLite itself: six times as fast as fetching the rows."""
        sql = (
            "SELECT group_concat(key), group_concat(status), group_concat(tag_set), group_concat(attrs),"
            " group_concat(feeds), max(key) FROM (SELECT * FROM addresses WHERE list = ? AND key > ?"
            " ORDER BY key LIMIT ?)"
        )
        parts: list[list[np.ndarray]] = []
        last = -1
        while True:
            *columns, highest = self._connection.execute(sql, (list_id, last, _ROWS_PER_READ)).fetchone()
            if highest is None:
                break
            parts.append([np.fromstring(text, np.int64, sep=",") for text in columns])
            last = highest
        return _state(version, parts)

    def read_some_addresses(self, list_id: int, version: int, keys: Keys) -> ListState:
        """Only the rows of these keys, which must be sorted."""
        rows: list[tuple[int, int, int, int, int]] = []
        for chunk in _chunks(keys.tolist(), _ROWS_PER_INSERT):
            marks = ",".join("?" * len(chunk))
            sql = (
                "SELECT key, status, tag_set, attrs, feeds FROM addresses"  # noqa: S608  only marks are put in
                f" WHERE list = ? AND key IN ({marks}) ORDER BY key"
            )
            rows += self._connection.execute(sql, (list_id, *chunk)).fetchall()
        return _state(version, [[np.array(column) for column in zip(*rows, strict=True)]] if rows else [])

    def upsert_addresses(self, list_id: int, rows: ListState) -> None:
        columns = (rows.keys, rows.status, rows.tag_set, rows.attrs, rows.feeds)
        self._insert(
            "INSERT INTO addresses (list, key, status, tag_set, attrs, feeds) VALUES ",
            " ON CONFLICT (list, key) DO UPDATE SET status = excluded.status, tag_set = excluded.tag_set,"
            " attrs = excluded.attrs, feeds = excluded.feeds",
            (list_id,),
            columns,
        )

    def insert_events(self, list_id: int, version: int, columns: Sequence[np.ndarray]) -> None:
        """``columns``: key, status before and after, tag set before and after, attrs before and after."""
        self._insert(
            "INSERT INTO events (list, version, key, status_before, status_after, tags_before, tags_after,"
            " attrs_before, attrs_after) VALUES ",
            "",
            (list_id, version),
            columns,
        )

    def read_events(self, list_id: int, version: int) -> list[np.ndarray]:
        """The columns of ``insert_events``, in key order."""
        sql = (
            "SELECT key, status_before, status_after, tags_before, tags_after, attrs_before, attrs_after"
            " FROM events WHERE list = ? AND version = ? ORDER BY key"
        )
        rows = self._connection.execute(sql, (list_id, version)).fetchall()
        table = np.array(rows, dtype=np.int64).reshape(-1, 7)
        return list(table.T)

    def _insert(self, head: str, tail: str, fixed: tuple[int, ...], columns: Sequence[np.ndarray]) -> None:
        """Integers only. A column of one value stands in the statement: binding it costs as much as storing it."""
        cells, varying = [str(int(value)) for value in fixed], []
        for column in columns:
            if len(column) and (column == column[0]).all():
                cells.append(str(int(column[0])))
            else:
                cells.append("?")
                varying.append(column)
        mark = f"({','.join(cells)})"
        full = head + ",".join([mark] * _ROWS_PER_INSERT) + tail
        for start in range(0, len(columns[0]), _ROWS_PER_INSERT):
            rows = min(_ROWS_PER_INSERT, len(columns[0]) - start)
            sql = full if rows == _ROWS_PER_INSERT else head + ",".join([mark] * rows) + tail
            block = np.empty((rows, len(varying)), np.int64)
            for place, column in enumerate(varying):
                block[:, place] = column[start : start + rows]
            self._connection.execute(sql, block.ravel().tolist())


class SqliteStore:
    """One database file. A thread has a connection of its own; ``write`` and ``read`` open transactions on it."""

    def __init__(self, path: Path, *, busy_seconds: float = BUSY_SECONDS) -> None:
        self.path = path
        self._busy_seconds = busy_seconds
        self._local = threading.local()

    def open(self) -> SqliteStore:
        """Creates the file or brings its schema up to date; must be called before anything else."""
        with _translated(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with _alone(self.path.parent):
                self._bring_up_to_date()
        return self

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """A write transaction. It takes the write lock at once, so that it cannot fail half-way for want of it."""
        with self._transaction("BEGIN IMMEDIATE") as transaction:
            yield transaction

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """A consistent view of the database that neither waits for a writer nor hinders one."""
        with self._transaction("BEGIN") as transaction:
            yield transaction

    def close(self) -> None:
        """Closes the connection of the calling thread."""
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[Transaction]:
        with _translated(self.path):
            connection = self._connection()
            connection.execute(begin)
            try:
                yield Transaction(connection)
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(self.path, timeout=self._busy_seconds, isolation_level=None)
            # FULL: a committed transaction survives a power cut (WAL NORMAL lost 1 % of them).
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA cache_size = -65536")
            self._local.connection = connection
        return connection

    def _bring_up_to_date(self) -> None:
        known = len(migrations())
        (applied,) = self._connection().execute("PRAGMA user_version").fetchone()
        if applied > known:
            raise Unavailable(f"{self.path}: made by a newer release (schema {applied}, this one knows {known})")
        if applied < known:
            self._migrate(known)

    def _migrate(self, known: int) -> None:
        # Imported here: 0.2 s that a run on an up-to-date database does not pay.
        import sqlite_utils

        sets = sqlite_utils.Migrations("alp_daemon")
        for name, script in migrations():
            sets(name=name)(_migration(script))
        connection = self._connection()
        sets.apply(sqlite_utils.Database(connection))
        connection.execute(f"PRAGMA user_version = {known}")


def _as_mapping(cursor: sqlite3.Cursor, row: tuple[Any, ...]) -> Row:
    return {column[0]: value for column, value in zip(cursor.description, row, strict=True)}


def _state(version: int, parts: list[list[np.ndarray]]) -> ListState:
    if not parts:
        return ListState.empty(version)
    keys, status, tag_set, attrs, feeds = (np.concatenate(column) for column in zip(*parts, strict=True))
    return ListState(
        version,
        keys.astype(np.int64, copy=False),
        status.astype(np.int8),
        tag_set.astype(np.int32),
        attrs.astype(np.int32),
        feeds.astype(np.int64, copy=False),
    )


def _chunks(values: list[int], size: int) -> Iterator[list[int]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]


def _migration(script: str) -> Callable[[Any], None]:
    def apply(database: Any) -> None:
        for statement in _statements(script):
            database.execute(statement)

    return apply


def _statements(script: str) -> Iterator[str]:
    """The statements of a script, one by one: ``executescript`` would commit the migration's transaction."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """No other process opens the database meanwhile: SQLite does not wait its turn while a new file becomes WAL."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """SQLite's own errors in the project's words, with what to do."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise _explained(path, error) from error
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.IntegrityError | sqlite3.ProgrammingError | sqlite3.InterfaceError):
            raise
        raise Unavailable(f"{path}: not a usable database ({error}); restore it from the last backup") from error


def _explained(path: Path, error: sqlite3.OperationalError) -> AlpError:
    text = str(error)
    if "locked" in text or "busy" in text:
        return TryAgain(f"{path}: another program has kept the database locked; try again ({text})")
    # A quota or a size limit reaches SQLite as an I/O error.
    if "full" in text or "disk I/O error" in text:
        return TryAgain(f"{path}: cannot be written ({text}); nothing was changed, free some space and try again")
    if "readonly" in text or "unable to open" in text:
        return Unavailable(f"{path}: cannot be written ({text}); check the folder and its owner")
    return Unavailable(f"{path}: {text}")
