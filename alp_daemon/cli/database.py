"""The database itself: its schema, and its move to another one."""

from __future__ import annotations

import click

from alp_daemon.cli.context import Context, command, say
from alp_daemon.errors import Unavailable


@command("migrate")
def migrate_command(context: Context) -> None:
    """Bring the database's schema up to date. On PostgreSQL stop every node first, and take a backup."""
    names = context.migrate()
    context.show({"applied": names}, "\n".join(names) or "the schema is up to date")


@command("copy-database")
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
def copy_database_command(context: Context, source: str, target: str) -> int:
    """Copy all data into an empty database, and prove that it is the same. Stop the daemon first.

    FROM and TO are paths of SQLite files or addresses such as postgresql://alp@db.example.net/alp.
    """
    from alp_daemon.services.safekeeping.copydatabase import copy_database

    with context.busy("copying"):
        copied = copy_database(*context.stores(source, target))
    data = {
        "tables": {name: {"rows": each.rows, "sha256": each.digest} for name, each in copied.tables.items()},
        "broken": copied.broken,
    }
    rows = [[name, each.rows, each.digest[:12]] for name, each in copied.tables.items()]
    context.show(data, lambda: context.table(["table", "rows", "digest"], rows))
    for customer in copied.broken:
        say(f"{customer}: its history does not hold, and did not before; see `alp-daemon doctor`")
    return Unavailable.exit_code if copied.broken else 0
