"""SQLite: the file, its schema, connections, transactions, and its errors in plain words.

One library for the whole process: two SQLite libraries on one file can drop each other's locks.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from alp_daemon.errors import AlpError, Busy, TryAgain, Unavailable
from alp_daemon.flock import alone_about, alone_in
from alp_daemon.store.sql import migrations
from alp_daemon.store.sqlitefile import locks_of, opened
from alp_daemon.store.sqlitetransaction import SqliteTransaction

BUSY_SECONDS = 60.0
# A committed transaction survives a power cut (WAL NORMAL lost 1 % of them).
_DURABLE = "PRAGMA synchronous = FULL"
# Between two parts of a copy an interrupt is heard: 16 MiB.
_PAGES_AT_ONCE = 4096


class SqliteStore:
    """One database file. A thread has a connection of its own; ``write`` and ``read`` open transactions on it."""

    def __init__(
        self, path: Path, *, busy_seconds: float = BUSY_SECONDS, cache_mib: int = 64, sole: bool = False
    ) -> None:
        """``sole``: nobody else can have the file open, a copy of one's own or one in ``sole_use``."""
        self.path = path
        self._sole = sole
        self._busy_seconds = busy_seconds
        self._cache_mib = cache_mib
        self._local = threading.local()
        self._writing = threading.RLock()

    @property
    def name(self) -> str:
        return str(self.path)

    def open(self) -> SqliteStore:
        """Creates the file or brings its schema up to date; must be called before anything else."""
        self.migrate()
        return self

    def migrate(self) -> list[str]:
        """The same; returns the names of the migrations that it took."""
        with _translated(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # SQLite does not wait its turn while a new file becomes WAL.
            with alone_in(self.path.parent):
                return self._bring_up_to_date()

    @contextmanager
    def write(self, *, lasting: bool = True) -> Iterator[SqliteTransaction]:
        """A write transaction. It takes the write lock at once, so that it cannot fail half-way for want of it."""
        with self._turn(), self._lasting(lasting), self._transaction("BEGIN IMMEDIATE") as transaction:
            yield transaction

    @contextmanager
    def read(self) -> Iterator[SqliteTransaction]:
        """A consistent view of the database that neither waits for a writer nor hinders one."""
        with self._transaction("BEGIN") as transaction:
            yield transaction

    def copy_to(self, target: Path) -> None:
        """Writes a copy of the database as it is at one instant. Nobody waits for it, and it waits for nobody."""
        with _translated(target), closing(sqlite3.connect(target)) as copy, self.read() as transaction:
            # From its first reading on the transaction sees one instant. Without, each write of another process beside
            # the copying would begin it anew.
            transaction.one("lists.all")
            self._connection().backup(copy, pages=_PAGES_AT_ONCE)

    def fault(self) -> str | None:
        """What is wrong with the file, as SQLite sees it; None if it is sound. Reads all of it."""
        try:
            (found,) = self._connection().execute("PRAGMA quick_check(1)").fetchone()
        except sqlite3.DatabaseError as error:
            return str(error)
        return None if found == "ok" else str(found)

    def fold_wal(self) -> None:
        """Puts all that is beside the file into it. Raises ``TryAgain`` where somebody else has it open."""
        with _translated(self.path):
            connection = self._connection()
            connection.execute("PRAGMA busy_timeout = 1000")
            (mode,) = connection.execute("PRAGMA journal_mode = DELETE").fetchone()
            self.close()
        if mode != "delete":
            raise TryAgain(f"{self.path}: another program has it open; end that first")

    def close(self) -> None:
        """Closes the connection of the calling thread."""
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None

    @contextmanager
    def alone(self, *subject: str) -> Iterator[None]:
        """Nobody else is inside with this subject, on this machine; the database is everybody's meanwhile."""
        with alone_about("/".join(subject), locks_of(self.path)):
            yield

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """One writer at a time of this process's threads: the next begins at once, where SQLite sleeps and looks."""
        asked = time.monotonic()
        if not self._writing.acquire(timeout=self._busy_seconds):
            raise Busy(f"{self.path}: this program has been writing to the database for long; try again")
        try:
            # Whoever asks has one patience, for this program's writers and for all others together.
            left = self._busy_seconds - (time.monotonic() - asked)
            with _translated(self.path):
                self._connection().execute(f"PRAGMA busy_timeout = {max(0, round(left * 1000))}")
            yield
        finally:
            self._writing.release()

    @contextmanager
    def _lasting(self, lasting: bool) -> Iterator[None]:
        """Whether the next commit waits for the disk."""
        if lasting:
            yield
            return
        with _translated(self.path):
            connection = self._connection()
            connection.execute("PRAGMA synchronous = NORMAL")
            try:
                yield
            finally:
                connection.execute(_DURABLE)

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[SqliteTransaction]:
        with _translated(self.path):
            connection = self._connection()
            connection.execute(begin)
            try:
                yield SqliteTransaction(connection)
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = opened(self.path, self._busy_seconds, sole=self._sole)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(_DURABLE)
            connection.execute(f"PRAGMA cache_size = -{self._cache_mib * 1024}")
            self._local.connection = connection
        return connection

    def _bring_up_to_date(self) -> list[str]:
        scripts = migrations("sqlite")
        known = len(scripts)
        (applied,) = self._connection().execute("PRAGMA user_version").fetchone()
        if applied > known:
            raise Unavailable(f"{self.path}: made by a newer release (schema {applied}, this one knows {known})")
        if applied < known:
            self._migrate(scripts)
        return [name for name, _ in scripts[applied:]]

    def _migrate(self, scripts: list[tuple[str, str]]) -> None:
        # Imported here: 0.2 s that a run on an up-to-date database does not pay.
        import sqlite_utils

        sets = sqlite_utils.Migrations("alp_daemon")
        for name, script in scripts:
            sets(name=name)(_migration(script))
        connection = self._connection()
        sets.apply(sqlite_utils.Database(connection))
        connection.execute(f"PRAGMA user_version = {len(scripts)}")


@contextmanager
def reading_folded(path: Path) -> Iterator[SqliteTransaction]:
    """A file that nobody writes to and that was folded, of whatever release: it is read as it is, and not touched."""
    address = f"{path.absolute().as_uri()}?immutable=1"
    with _translated(path), closing(sqlite3.connect(address, uri=True)) as connection:
        yield SqliteTransaction(connection)


def has_table(transaction: SqliteTransaction, name: str) -> bool:
    """Whether the release that made the file knew this table."""
    return any(transaction.rows(f"PRAGMA table_info({name})"))


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
        return Busy(f"{path}: another program has kept the database locked; try again ({text})")
    # A quota or a size limit reaches SQLite as an I/O error.
    if "full" in text or "disk I/O error" in text:
        return TryAgain(f"{path}: cannot be written ({text}); nothing was changed, free some space and try again")
    if "readonly" in text or "unable to open" in text:
        return Unavailable(f"{path}: cannot be written ({text}); check the folder and its owner")
    return Unavailable(f"{path}: {text}")
