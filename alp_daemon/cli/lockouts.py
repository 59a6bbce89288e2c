"""Addresses that were locked out after failed log-ins."""

from __future__ import annotations

import click

from alp_daemon.cli.context import Context, command
from alp_daemon.errors import NotFound
from alp_daemon.services.logins.access import Access


@command("lockouts")
def lockouts_command(context: Context) -> None:
    """List the addresses that are locked out now."""
    found = Access(context.existing_store, context.settings.lockout).lockouts(context.now)
    data = [{"ip": each.ip, "until": each.until.isoformat(), "failures": each.failures} for each in found]
    rows = [[d["ip"], d["until"], d["failures"]] for d in data]
    context.show(data, lambda: context.table(["address", "until", "failures"], rows))


@command("unlock")
@click.argument("ip")
def unlock_command(context: Context, ip: str) -> None:
    """Free a locked-out address at once, and forget its failed log-ins."""
    if not Access(context.existing_store, context.settings.lockout).unlock(ip, context.now):
        raise NotFound(f"{ip} is not locked out; see `alp-daemon lockouts`")
    context.show({"ip": ip, "unlocked": True}, f"{ip} may log in again")
