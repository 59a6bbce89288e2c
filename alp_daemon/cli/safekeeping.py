"""Keeping the data: is it what it should be, take a backup, bring one back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from alp_daemon.cli.context import Context, command, say
from alp_daemon.errors import Unavailable

if TYPE_CHECKING:
    from alp_daemon.services.safekeeping.decided import Decisions
    from alp_daemon.services.safekeeping.restore import Restored


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
@click.option(
    "--anyway",
    is_flag=True,
    help="Give up what the database has and the backup has not: if it was used since, there is always something.",
)
def restore_command(context: Context, source: Path, anyway: bool) -> None:
    """Put a backup in the database's place, with the daemon stopped; what it replaces is kept beside it.

    FILE is what `backup` made: a file, or with --spool a folder, whose received files are brought back too.
    """
    from alp_daemon.daemon.partlocks import stopped
    from alp_daemon.services.safekeeping.restore import restore

    context.may_write()
    with stopped(context.settings.data_dir), context.busy("restoring"):
        done = restore(context.settings, source.absolute(), context.now, anyway=anyway)
    context.show(done.as_dict(), f"{done.database}: restored")
    if done.replaced:
        say(f"what was there is kept in {done.replaced}, with {done.put_aside} received files that the backup had not")
    _say_what_was_given_up(done)
    if done.unreadable:
        say(f"it is damaged ({done.unreadable}): who opted out after the backup is not known, so ask your gateway")
    _say_who_changed(done)
    _say_who_may_come_in(done.decided)
    _say_what_else_was_decided(done)
    for upload in done.without_file:
        say(f"upload {upload} waits to be worked, but its file is gone; discard it, and ask for it again")


def _say_what_was_given_up(done: Restored) -> None:
    from alp_daemon.services.safekeeping.sincebackup import UPLOADS

    if not done.given_up:
        return
    count, first, last = len(done.given_up), done.given_up[0], done.given_up[-1]
    say(f"{count:,} uploads came since, from number {first} to {last}; they keep their numbers, as discarded ones")
    if Path(f"{done.replaced}/{UPLOADS}").is_file():
        say(f"{done.replaced}/{UPLOADS} names the file of each: alp-daemon process CUSTOMER FILE --feed FEED")


def _say_who_changed(done: Restored) -> None:
    from alp_daemon.customers import customer_of, is_mail_list

    for name, path in done.opted_out.items():
        customer = customer_of(name)
        say(f"{name}: people opted out since; bring that back now: alp-daemon import {customer} {path} --by NAME")
    for name, changed in done.changed.items():
        who = "subscribers" if is_mail_list(name) else "numbers"
        say(f"{name}: changed since other than by files and opt-outs: {changed.addresses:,} {who}; see {changed.file}")


def _say_who_may_come_in(decided: Decisions) -> None:
    for login in decided.revoked:
        whose = f"{login['customer']} {login['user']}".lstrip()
        say(f"{login['user']} was revoked since, and may log in again; now: alp-daemon credentials revoke {whose}")
    for login in decided.issued:
        say(f"{login['user']} ({login['kind']}) was issued since, and is gone; issue another, and pass it on")
    for feed in decided.approved:
        again = f"alp-daemon approve {feed['customer']} --feed {feed['feed']} --sample FILE --by NAME"
        say(f"feed {feed['feed']} of {feed['customer']} was approved since, by {feed['approved_by']}: {again}")


def _say_what_else_was_decided(done: Restored) -> None:
    from alp_daemon.services.safekeeping.sincebackup import CUSTOMERS, INTERESTS, LINE_TYPES

    decided = done.decided
    if decided.pushed:
        last = decided.pushed[0]
        again = f"alp-daemon customers push --folder {done.replaced}/{CUSTOMERS} --by NAME"
        say(f"the customers' files were pushed since, last by {last['pushed_by']} at {last['pushed_at']}: {again}")
    if decided.line_types:
        again = f"alp-daemon line-types load {done.replaced}/{LINE_TYPES}"
        say(f"line types were loaded since ({decided.line_types:,} are replaced): {again}")
    if decided.interests:
        named = f"{done.replaced}/{INTERESTS} names them"
        say(f"interests were made since ({len(decided.interests):,}); {named}: alp-daemon interests add BRAND NAME")
