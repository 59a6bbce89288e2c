"""Uploads: work one now, look at them, and decide about the held ones."""

from __future__ import annotations

from pathlib import Path

import click

from alp_daemon.cli.arguments import LIMIT, WHOLE_NUMBER, by_default, by_required
from alp_daemon.cli.context import Context, command, say
from alp_daemon.cli.feeds import choose_feed
from alp_daemon.cli.times import to_seconds
from alp_daemon.domain.model import STAGES
from alp_daemon.errors import HELD_EXIT_CODE, NotFound, UnusableFile
from alp_daemon.services.decisions import holds, preview
from alp_daemon.services.decisions.undo import undo
from alp_daemon.services.processing.foreground import process_now
from alp_daemon.services.reports import reporttext, shown
from alp_daemon.services.reports.report import stage

_EXIT_CODES = {
    "applied": 0,
    "held": HELD_EXIT_CODE,
    "rejected": UnusableFile.exit_code,
    "failed": 70,
    "discarded": 0,
}
_BY = by_required("Who decides; it is kept in the history.")


@command("process")
@click.argument("customer_id", metavar="CUSTOMER")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--feed", help="The feed, where the file's name does not say it.")
@click.option("--dry-run", is_flag=True, help="Read, plan and ask the guard; change nothing.")
@by_default("Who sends it; it is kept with the upload.")
def process_command(context: Context, customer_id: str, file: Path, feed: str | None, dry_run: bool, by: str) -> int:
    """Work one file now, in the foreground, the same way as the daemon does."""
    customer = context.customer(customer_id)
    if not file.is_file():
        raise NotFound(f"{file}: there is no such file")
    chosen = choose_feed(customer, file, feed, guess=False)
    with context.busy(f"working {file.name}"):
        if dry_run:
            with context.store_as_it_is() as store:
                finished = preview.dry_run(store, context.settings, customer, chosen, file)
        else:
            finished = process_now(
                context.store, context.settings, customer, file, chosen, by, clock=lambda: context.now, tell=say
            )
    context.show(finished, lambda: click.echo(reporttext.text(finished), nl=False))
    return _EXIT_CODES[finished["state"]]


@command("uploads")
@click.option("--customer", "customer_id", help="Only this customer's.")
@click.option("--state", type=click.Choice(STAGES), help="Only those in this state.")
@click.option("--limit", type=LIMIT, metavar="N", default=100, show_default=True, help="How many at the most.")
def uploads_command(context: Context, customer_id: str | None, state: str | None, limit: int) -> None:
    """List uploads, newest first."""
    found = shown.listed(context.existing_store, customer_id, state, limit)
    if customer_id and not found:
        context.must_know(customer_id)
    reports = [{name: value for name, value in each.items() if name != "rejects"} for each in found]
    rows = [
        [
            each["upload"],
            to_seconds(each["received_at"]),
            each["customer"],
            each["feed"] or "-",
            each["name"],
            stage(each),
            each["reason"][:80],
        ]
        for each in reports
    ]
    context.show(reports, lambda: context.table(["id", "received", "customer", "feed", "name", "state", "why"], rows))


@command("show")
@click.argument("upload_id", metavar="ID", type=WHOLE_NUMBER)
def show_command(context: Context, upload_id: int) -> None:
    """Show one upload's report."""
    found = shown.one(context.existing_store, upload_id)
    context.show(found, lambda: click.echo(reporttext.text(found), nl=False))


@command("release")
@click.argument("upload_id", metavar="ID", type=WHOLE_NUMBER)
@_BY
@click.option("--though-cut", is_flag=True, help="Also where its end may be missing.")
def release_command(context: Context, upload_id: int, by: str, though_cut: bool) -> None:
    """Let a held upload go on, up to the figures that were shown."""
    upload = holds.release(context.existing_store, upload_id, by, context.now, though_cut=though_cut)
    context.show(
        {"upload": upload.id, "state": upload.state},
        f"upload {upload.id} is back in the queue; {context.who_works_on_it}",
    )


@command("discard")
@click.argument("upload_id", metavar="ID", type=WHOLE_NUMBER)
@_BY
def discard_command(context: Context, upload_id: int, by: str) -> None:
    """End a held upload; the list stays as it is."""
    upload = holds.discard(context.existing_store, upload_id, by, context.now)
    context.show({"upload": upload.id, "state": upload.state}, f"upload {upload.id} is discarded")


@command("undo")
@click.argument("upload_id", metavar="ID", type=WHOLE_NUMBER)
@_BY
@click.option("--anyway", is_flag=True, help="Also where a later file of the feed was applied.")
def undo_command(context: Context, upload_id: int, by: str, anyway: bool) -> None:
    """Reverse what one applied upload did."""
    undone = undo(context.existing_store, upload_id, by, context.now, anyway=anyway)
    context.show(
        undone.as_dict(),
        f"upload {upload_id}: {undone.reversed:,} reversed, {undone.kept:,} kept (changed or confirmed since),"
        f" {undone.refused:,} refused (the end user said STOP since)",
    )
