"""The store as services see it: ``with store.write() as transaction`` and named queries, on SQLite or PostgreSQL."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from alp_daemon.errors import Unavailable
from alp_daemon.settings import is_postgres
from alp_daemon.store.sqlite import BUSY_SECONDS, SqliteStore
from alp_daemon.store.transaction import Row, Transaction

if TYPE_CHECKING:
    from alp_daemon.store.postgres import PostgresStore

__all__ = ["Row", "Store", "Transaction", "migrate", "moment", "open_store", "stamp"]


class Store(Protocol):
    """A database. Safe to use from many threads; each has a connection of its own until it calls ``close``."""

    @property
    def name(self) -> str:
        """What it is called in messages; never with a password."""

    def write(self, *, lasting: bool = True) -> AbstractContextManager[Transaction]:
        """A write transaction: all of it is kept, or nothing. ``Transaction.lock`` says what it has to itself.

        One that is not ``lasting`` does not wait for the disk. The next one that does brings it along; a power cut
        before that takes it back. Only for what nobody was told, and what is done again without it.
        """

    def read(self) -> AbstractContextManager[Transaction]:
        """A consistent view of the database that neither waits for a writer nor hinders one."""

    def alone(self, *subject: str) -> AbstractContextManager[None]:
        """Nobody else, in whatever process or on whatever node, is inside with this subject.

        For what takes long and needs no transaction meanwhile. Inside, transactions may be opened as usual.
        """

    def close(self) -> None:
        """Closes the connection of the calling thread."""


def open_store(database: Path | str, *, cache_mib: int = 64, busy_seconds: float = BUSY_SECONDS) -> Store:
    """The path of an SQLite file, which is made or brought up to date; or ``postgresql://…`` (see ``migrate``).

    ``cache_mib`` is what each thread's connection to a file may keep of it in memory; a large plan needs much.
    ``busy_seconds`` is how long a writer waits for others before ``Busy`` is raised.
    Raises ``Unavailable`` where the schema is not this release's, ``TryAgain`` where the server does not answer.
    """
    if is_postgres(database):
        return _postgres(str(database), busy_seconds).open()
    return SqliteStore(Path(database), cache_mib=cache_mib, busy_seconds=busy_seconds).open()


def migrate(database: Path | str) -> list[str]:
    """Brings the schema up to date; returns the names of the migrations that it took.

    An SQLite file has one daemon, and is brought up to date by whoever opens it. A PostgreSQL database may have many,
    so that somebody has to say when all of them have stopped.
    """
    store = _postgres(str(database)) if is_postgres(database) else SqliteStore(Path(database))
    try:
        return store.migrate()
    finally:
        store.close()


def _postgres(address: str, busy_seconds: float = BUSY_SECONDS) -> PostgresStore:
    # Imported here: who uses SQLite need not have psycopg.
    try:
        from alp_daemon.store.postgres import PostgresStore
    except ImportError as error:
        raise Unavailable(
            "database: PostgreSQL needs psycopg, which is not installed; `pip install 'alp-daemon[postgres]'`"
        ) from error
    return PostgresStore(address, busy_seconds=busy_seconds)


def stamp(moment: datetime) -> str:
    """A time as it is stored: ``2026-11-21T06:00:00.000000Z``. Always the same width, so text order is time order."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def moment(stamp: str) -> datetime:
    return datetime.fromisoformat(stamp)
