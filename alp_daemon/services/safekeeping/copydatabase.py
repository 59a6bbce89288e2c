"""Moves an installation to another database, and proves that nothing was lost on the way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from alp_daemon import log
from alp_daemon.errors import NotFound, Refused, TryAgain, Unavailable
from alp_daemon.store import copying, lists
from alp_daemon.store.copying import Content
from alp_daemon.store.sqlite import SqliteStore
from alp_daemon.store.sqlitefile import sole_use
from alp_daemon.store.store import Store, Transaction


@dataclass(frozen=True, slots=True)
class Copied:
    """What both databases hold now, by table; and the lists whose chained history does not hold, in either."""

    tables: dict[str, Content]
    broken: list[str]


@contextmanager
def at_rest(path: Path) -> Iterator[Store]:
    """An SQLite database to copy: nobody opens it meanwhile, since what came after its copying began would be lost.

    Raises ``Unavailable`` where somebody has it open.
    """
    if not path.is_file():
        raise NotFound(f"{path}: there is no such SQLite file")
    with ExitStack() as alone:
        try:
            alone.enter_context(sole_use(path))
        except TryAgain as error:
            raise Unavailable(
                f"{path}: a daemon or another program is at work on it, and what that takes in meanwhile, STOPs too,"
                " would be missing in the copy; stop it first"
            ) from error
        yield alone.enter_context(closing(SqliteStore(path, sole=True).open()))


def copy_database(source: Store, target: Store) -> Copied:
    """Copies all data in one transaction: all of it arrives, or nothing does. The daemon must not run meanwhile.

    Raises ``Refused`` where the target holds data already, ``Unavailable`` where what arrived is not what was sent.
    """
    with source.read() as old, target.write() as new:
        _refuse_to_mix(new, target.name)
        for table in copying.TABLES:
            copying.copy(old, new, table)
        tables = {table: _compared(old, new, table) for table in copying.TABLES}
        broken = [row["customer"] for row in new.all("lists.all") if not _holds(new, row["customer"])]
    log.info("database_copied", rows=sum(each.rows for each in tables.values()))
    return Copied(tables, broken)


def _refuse_to_mix(target: Transaction, name: str) -> None:
    present = chain.from_iterable(target.rows(f"SELECT 1 FROM {table} LIMIT 1") for table in copying.TABLES)  # noqa: S608
    if next(present, None):
        raise Refused(f"{name}: it holds data already; name an empty database")


def _compared(old: Transaction, new: Transaction, table: str) -> Content:
    sent, arrived = copying.content(old, table), copying.content(new, table)
    if sent != arrived:
        raise Unavailable(
            f"{table}: {arrived.rows} rows with digest {arrived.digest[:12]} arrived, and {sent.rows} with"
            f" {sent.digest[:12]} were sent; nothing was copied: stop the daemon, and try again"
        )
    return sent


def _holds(transaction: Transaction, customer: str) -> bool:
    head = lists.open_list(transaction, customer)
    return head is not None and lists.first_broken_change(transaction, head) is None
