"""The database itself: its schema, and its move to another one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from alp_daemon.cli.context import Context, command, say
from alp_daemon.errors import Unavailable
from alp_daemon.settings import is_postgres
from alp_daemon.store.store import Store, migrate, open_store


@command("migrate")
def migrate_command(context: Context) -> None:
    """Bring the database's schema up to date. On PostgreSQL stop every node first, and take a backup."""
    names = context.migrate()
    context.show({"applied": names}, "\n".join(names) or "the schema is up to date")


@command("copy-database")
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
def copy_database_command(context: Context, source: str, target: str) -> int:
    """Copy all data into an empty database, and prove that it is the same. Stop the daemon first, every node of it.

    FROM and TO are paths of SQLite files or addresses such as postgresql://alp@db.example.net/alp.
    """
    from alp_daemon.services.safekeeping.copydatabase import copy_database

    with context.busy("copying"), _at_rest(context, source) as old:
        migrate(target)
        copied = copy_database(old, open_store(target))
    data = {
        "tables": {name: {"rows": each.rows, "sha256": each.digest} for name, each in copied.tables.items()},
        "broken": copied.broken,
    }
    rows = [[name, each.rows, each.digest[:12]] for name, each in copied.tables.items()]
    context.show(data, lambda: context.table(["table", "rows", "digest"], rows))
    for customer in copied.broken:
        say(f"{customer}: its history does not hold, and did not before; see `alp-daemon doctor`")
    return Unavailable.exit_code if copied.broken else 0


@contextmanager
def _at_rest(context: Context, source: str) -> Iterator[Store]:
    """A database that nobody is at work on. Raises ``Unavailable`` where somebody is, ``NotFound`` where it is none."""
    from alp_daemon.services.operations import nodes
    from alp_daemon.services.safekeeping.copydatabase import at_rest

    if not is_postgres(source):
        with at_rest(Path(source)) as store:
            yield store
        return
    store = open_store(source)
    if living := nodes.living(store, context.now, context.settings.lease):
        names = ", ".join(f"{node.name} ({node.role})" for node in living)
        raise Unavailable(
            f"{store.name}: {names} is at work on it, and what that takes in meanwhile, STOPs too, would be missing in"
            f" the copy; stop every node first (one that was killed counts as living for {context.settings.lease})"
        )
    yield store
