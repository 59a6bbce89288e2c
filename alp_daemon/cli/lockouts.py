"""Addresses that were locked out after failed log-ins."""

from __future__ import annotations

import click

from alp_daemon.cli.arguments import by_default
from alp_daemon.cli.context import Context, command
from alp_daemon.cli.times import to_seconds
from alp_daemon.errors import NotFound
from alp_daemon.services.logins.access import Access


@command("lockouts")
@click.option("--unlocked", is_flag=True, help="Instead those that somebody ended with `unlock`, newest first.")
def lockouts_command(context: Context, unlocked: bool) -> None:
    """List the addresses that are locked out now."""
    access = Access(context.existing_store, context.settings.lockout)
    if unlocked:
        _show_unlocked(context, access)
        return
    found = access.lockouts(context.now)
    data = [{"ip": each.ip, "until": each.until.isoformat(), "failures": each.failures} for each in found]
    rows = [[each.ip, to_seconds(each.until), each.failures] for each in found]
    context.show(data, lambda: context.table(["address", "until", "failures"], rows))


def _show_unlocked(context: Context, access: Access) -> None:
    found = access.unlocked()
    data = [
        {
            "ip": each.lockout.ip,
            "since": each.lockout.since.isoformat(),
            "until": each.lockout.until.isoformat(),
            "failures": each.lockout.failures,
            "unlocked_at": each.at.isoformat(),
            "unlocked_by": each.by,
        }
        for each in found
    ]
    rows = [
        [
            each.lockout.ip,
            to_seconds(each.lockout.since),
            to_seconds(each.lockout.until),
            each.lockout.failures,
            to_seconds(each.at),
            each.by,
        ]
        for each in found
    ]
    columns = ["address", "since", "until", "failures", "unlocked", "by"]
    context.show(data, lambda: context.table(columns, rows))


@command("unlock")
@click.argument("ip")
@by_default("Who frees it; it is kept.")
def unlock_command(context: Context, ip: str, by: str) -> None:
    """Free a locked-out address at once, and forget its failed log-ins."""
    if not Access(context.existing_store, context.settings.lockout).unlock(ip, by, context.now):
        raise NotFound(f"{ip} is not locked out; see `alp-daemon lockouts`")
    context.show({"ip": ip, "unlocked": True}, f"{ip} may log in again")
