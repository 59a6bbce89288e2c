"""Keeping the data: is it what it should be, take a backup, bring one back."""

from __future__ import annotations

from pathlib import Path

import click

from alp_daemon.cli.context import Context, command, say
from alp_daemon.errors import Unavailable


@command("verify")
@click.option("--customer", metavar="CUSTOMER", help="Only the lists of this customer.")
def verify_command(context: Context, customer: str | None) -> int:
    """Check that every list, report and count follows from the recorded events. The daemon may run."""
    from alp_daemon.services.safekeeping.verify import verify

    with context.busy("verifying"):
        found = verify(context.existing_store, context.customer(customer).id if customer else None)
    faults = [fault for each in found for fault in each.faults]
    rows = [[each.list, each.addresses, each.changes, each.events, len(each.faults)] for each in found]

    def draw() -> None:
        context.table(["list", "addresses", "changes", "events", "faults"], rows)
        for fault in faults:
            click.echo(fault)

    context.show([each.as_dict() for each in found], draw)
    return Unavailable.exit_code if faults else 0


@command("backup")
@click.argument("target", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--spool", "with_spool", is_flag=True, help="Make FILE a folder, and put the received files into it too.")
def backup_command(context: Context, target: Path, with_spool: bool) -> int:
    """Copy the database into a new file while the daemon runs, and check the copy."""
    from alp_daemon.services.safekeeping.backup import backup

    context.may_write()
    with context.busy("backing up"):
        done = backup(context.settings, target.absolute(), with_spool=with_spool)
    files = f" and {done.files} received files" if with_spool else ""
    context.show(done.as_dict(), f"{done.path}: {done.bytes:,} bytes{files}, in {done.seconds:.1f} s")
    for fault in done.faults:
        say(f"the database itself does not hold, and so does its copy: {fault}")
    return Unavailable.exit_code if done.faults else 0


@command("restore")
@click.argument("source", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--anyway", is_flag=True, help="Even if the database has come further than the backup.")
def restore_command(context: Context, source: Path, anyway: bool) -> None:
    """Put a backup in the database's place, with the daemon stopped; what it replaces is kept beside it."""
    from alp_daemon.customers import customer_of
    from alp_daemon.daemon.partlocks import stopped
    from alp_daemon.services.safekeeping.restore import restore

    context.may_write()
    with stopped(context.settings.data_dir), context.busy("restoring"):
        done = restore(context.settings, source.absolute(), context.now, anyway=anyway)
    context.show(done.as_dict(), f"{done.database}: restored")
    if done.replaced:
        say(f"what was there is kept in {done.replaced}, with {done.put_aside} received files that the backup had not")
    if done.unreadable:
        say(f"it is damaged ({done.unreadable}): who opted out after the backup is not known, so ask your gateway")
    for name, path in done.opted_out.items():
        customer = customer_of(name)
        say(f"{name}: people opted out since; bring that back now: alp-daemon import {customer} {path} --by NAME")
    for login in done.decided.revoked:
        whose = f"{login['customer']} {login['user']}".lstrip()
        say(f"{login['user']} was revoked since, and may log in again; now: alp-daemon credentials revoke {whose}")
    for login in done.decided.issued:
        say(f"{login['user']} ({login['kind']}) was issued since, and is gone; issue another, and pass it on")
    for feed in done.decided.approved:
        again = f"alp-daemon approve {feed['customer']} --feed {feed['feed']} --sample FILE --by NAME"
        say(f"feed {feed['feed']} of {feed['customer']} was approved since, by {feed['approved_by']}: {again}")
    for upload in done.without_file:
        say(f"upload {upload} waits to be worked, but its file is gone; discard it, and ask for it again")
