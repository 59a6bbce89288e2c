"""PostgreSQL: connections, transactions, and the schema.

SQLite lets one transaction write at a time. Here customers do not wait for each other, so that transactions run side
by side at PostgreSQL's usual level, READ COMMITTED: each statement sees what was committed before it began. That is
enough, because

- whoever decides by what it reads locks the subject first (``Transaction.lock``): a list before it is read to be
  changed, a customer's queue before a file is taken from it, an address before its password is looked at. What is read
  from then on nobody else can change, as if there were one writer;
- everything else is one statement that names what it expects to find (``WHERE state = 'held' AND …``) and says how
  many rows it found so: PostgreSQL looks at the condition again after it has waited for another's change of the row.

Subjects are advisory locks, and not rows, since a list's first file finds no row to lock. They end with their
transaction, also when its process or machine dies. A transaction locks at most one list, but for a text to a number
that customers share; should two such wait for each other, PostgreSQL ends one of them, which is told to try again.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, LiteralString

import numpy as np
import psycopg
from psycopg import ClientCursor, Connection
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import TransactionStatus
from psycopg.types.string import StrDumper

from alp_daemon.errors import OutcomeUnknown, Unavailable
from alp_daemon.store.pgcolumns import ArrayDumper
from alp_daemon.store.pgerrors import shown, translated
from alp_daemon.store.postgrestransaction import PostgresTransaction
from alp_daemon.store.sql import migrations

BUSY_SECONDS = 60.0
# A server, or the network before it, that is gone without a word is noticed within a minute.
_DEFAULTS: dict[str, Any] = {
    "connect_timeout": 10,
    "application_name": "alp-daemon",
    "keepalives_idle": 20,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 50_000,
}


class _TextDumper(StrDumper):
    """PostgreSQL's text holds no NUL, and what people send may: it becomes U+FFFD, as unreadable bytes do elsewhere."""

    def dump(self, obj: str) -> Any:
        return super().dump(obj.replace("\0", "\ufffd"))


class PostgresStore:
    """One database. A thread has a connection of its own; ``write`` and ``read`` open transactions on it.

    ``address``: ``postgresql://…``, all that libpq knows how to read. What it leaves out, such as the password, libpq
    takes from PGPASSWORD and its like, a password file, or a service.
    """

    def __init__(self, address: str, *, busy_seconds: float = BUSY_SECONDS) -> None:
        self._address = address
        self._busy_seconds = busy_seconds
        self._local = threading.local()
        self.name = shown(address)

    def open(self) -> PostgresStore:
        """Makes sure that the schema is this release's. Must be called before anything else."""
        with translated(self.name):
            applied, known = self._applied(), _known()
            if applied > known:
                raise Unavailable(f"{self.name}: made by a newer release (schema {applied}, this one knows {known})")
            if applied < known:
                raise Unavailable(
                    f"{self.name}: its schema is {applied}, and this release works with {known}; stop every node, take"
                    " a backup, and run `alp-daemon migrate`"
                )
        return self

    def migrate(self) -> list[str]:
        """Brings the schema up to date; returns the names of the migrations that it took. All of them, or none."""
        with self._transaction("BEGIN", writes=True) as transaction:
            # Two at once: the second finds everything done.
            transaction.lock("schema")
            applied = self._applied()
            missing = [(name, script) for name, script in migrations("postgres") if _number(name) > applied]
            connection = self._connection()
            connection.execute(_MIGRATIONS)
            for name, script in missing:
                connection.execute(script)
                connection.execute("INSERT INTO schema_migrations VALUES (%s, %s, now())", (_number(name), name))
        self.open()
        return [name for name, _ in missing]

    @contextmanager
    def write(self, *, lasting: bool = True) -> Iterator[PostgresTransaction]:
        """A write transaction. It is alone with what it locks (see above), and beside others with all else."""
        with self._transaction("BEGIN" if lasting else _NOT_LASTING, writes=True) as transaction:
            yield transaction

    @contextmanager
    def read(self) -> Iterator[PostgresTransaction]:
        """A consistent view of the database that neither waits for a writer nor hinders one."""
        with self._transaction("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY", writes=False) as transaction:
            yield transaction

    @contextmanager
    def alone(self, *subject: str) -> Iterator[None]:
        """Nobody else is inside with this subject, on any node; no transaction is open for it meanwhile."""
        about = ("/".join(subject),)
        with translated(self.name):
            connection = self._first("SELECT pg_advisory_lock(hashtextextended(%s, 0))", about)
        try:
            yield
        finally:
            # A session that was lost has let go of it.
            with suppress(psycopg.OperationalError):
                connection.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", about)

    def close(self) -> None:
        """Closes the connection of the calling thread."""
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None

    @contextmanager
    def _transaction(self, begin: LiteralString, *, writes: bool) -> Iterator[PostgresTransaction]:
        with translated(self.name):
            connection = self._first(begin)
            try:
                yield PostgresTransaction(connection, writes=writes)
                self._commit(connection, writes=writes)
            except BaseException:
                if not connection.closed:
                    connection.rollback()
                raise

    def _commit(self, connection: Connection[Any], *, writes: bool) -> None:
        try:
            connection.execute("COMMIT")
        except psycopg.OperationalError as error:
            if not (writes and connection.closed):
                raise
            raise OutcomeUnknown(f"{self.name}: the connection broke during a commit; look, or try again") from error

    def _first(self, statement: LiteralString, values: tuple[str, ...] = ()) -> Connection[Any]:
        """The connection, outside of any transaction, with this done; a new one where the server ended the old one."""
        connection = self._connection()
        if connection.info.transaction_status is not TransactionStatus.IDLE and not connection.closed:
            raise Unavailable(f"{self.name}: cannot start a transaction within a transaction")
        try:
            connection.execute(statement, values)
        except psycopg.OperationalError:
            if not connection.closed:
                raise
            connection = self._connection()
            connection.execute(statement, values)
        return connection

    def _connection(self) -> Connection[Any]:
        connection: Connection[Any] | None = getattr(self._local, "connection", None)
        if connection is None or connection.closed:
            address = make_conninfo(**_DEFAULTS | conninfo_to_dict(self._address))
            # Values are put into the statement, so that they need no types: `:feed IS NULL` would not tell its own.
            connection = psycopg.connect(address, autocommit=True, cursor_factory=ClientCursor)
            connection.execute(f"SET lock_timeout = {round(self._busy_seconds * 1000)}")
            # What was answered for must survive a power cut, also on a server that is set to be quicker than that.
            connection.execute(_DURABLE)
            connection.execute(_NOT_FOR_EVER)
            connection.adapters.register_dumper(np.ndarray, ArrayDumper)
            connection.adapters.register_dumper(str, _TextDumper)
            self._local.connection = connection
        return connection

    def _applied(self) -> int:
        """The number of the schema; 0 for an empty database."""
        connection = self._connection()
        (is_there,) = connection.execute("SELECT to_regclass('schema_migrations') IS NOT NULL").fetchone() or (False,)
        if not is_there:
            return 0
        (number,) = connection.execute("SELECT coalesce(max(number), 0) FROM schema_migrations").fetchone() or (0,)
        return int(number)


_DURABLE = "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
_NOT_LASTING = "BEGIN; SET LOCAL synchronous_commit = off"
# A node that hangs or is gone within a transaction must not keep its locks: the server ends the session. What it had
# done is undone, and others go on. Whoever has set times of their own knows better.
_NOT_FOR_EVER = """
    SELECT set_config(name, value, false) FROM (VALUES
        ('idle_in_transaction_session_timeout', '2min'), ('tcp_keepalives_idle', '20'),
        ('tcp_keepalives_interval', '10'), ('tcp_keepalives_count', '3')
    ) AS wanted (name, value)
    WHERE (SELECT source FROM pg_settings s WHERE s.name = wanted.name) = 'default'
"""
_MIGRATIONS = """
    CREATE TABLE IF NOT EXISTS schema_migrations (
        number INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at TIMESTAMPTZ NOT NULL
    )
"""


def _known() -> int:
    return _number(migrations("postgres")[-1][0])


def _number(migration: str) -> int:
    return int(migration.partition("_")[0])
