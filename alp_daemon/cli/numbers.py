"""Numbers: one at a time, and the list as a whole."""

from __future__ import annotations

import json
import re
import sys
from functools import partial
from pathlib import Path
from typing import Any

import click

from alp_daemon.cli.arguments import SOURCE, by_default
from alp_daemon.cli.context import Context, command, say
from alp_daemon.cli.output import STDOUT, write_whole
from alp_daemon.cli.times import to_seconds
from alp_daemon.domain import phone
from alp_daemon.domain.model import Status
from alp_daemon.errors import NotFound, UsageProblem
from alp_daemon.services.addresses import history, optin
from alp_daemon.services.addresses.optin import Sender, Standing
from alp_daemon.services.addresses.wholelist import ListKind, export, kind_meant

_TAGS = click.option(
    "--tag",
    "tags",
    multiple=True,
    metavar="T",
    help="A tag to add (opt-in, reactivate) or remove (opt-out, suspend); may be given several times.",
)
_BY = by_default("Who gives the command; it is kept in the history.")


def _manage(name: str, help_text: str) -> click.Command:
    """One ManageOptin command that goes by the customer's file."""

    @command(name.replace("_", "-"), help=help_text)
    @click.argument("customer_id", metavar="CUSTOMER")
    @click.argument("number")
    @_TAGS
    @_BY
    def run(context: Context, customer_id: str, number: str, tags: tuple[str, ...], by: str) -> None:
        customer = context.customer(customer_id)
        sender = Sender(by, "operator", "cli")
        standing = optin.command(context.store, context.settings, customer, name, number, tags, sender, context.now)
        _show_standing(context, standing)

    return run


@command("opt-out")
@click.argument("customer_id", metavar="CUSTOMER")
@click.argument("number")
@SOURCE
@_TAGS
@_BY
def opt_out_command(
    context: Context, customer_id: str, number: str, source: str, tags: tuple[str, ...], by: str
) -> None:
    """Opt a number out; only its keyword message can lift that."""
    customer = context.addressee(customer_id)
    sender = Sender(by, source, "cli")
    _show_standing(context, optin.opt_out(context.store, customer, number, tags, sender, context.now))


opt_in_command = _manage("opt_in", "Opt a number in (refused where it has opted out).")
suspend_command = _manage("suspend", "Suspend an opted-in number.")
reactivate_command = _manage("reactivate", "Reactivate a suspended number.")


@command("status")
@click.argument("customer_id", metavar="CUSTOMER")
@click.argument("number")
def status_command(context: Context, customer_id: str, number: str) -> None:
    """Show how a number stands on a customer's list."""
    customer = context.addressee(customer_id)
    standing = optin.status(context.existing_store, customer, number)
    key = optin.parse_number(number, customer.region)
    stories = history.of_number(context.existing_store, key, [customer.id])
    data = {
        "number": standing.number,
        "status": standing.status,
        "tags": list(standing.tags),
        "history": stories[0]["history"] if stories else [],
    }
    context.show(data, f"{standing.number} is {standing.status}" + _tagged(data["tags"]))


@command("number")
@click.argument("number")
@click.option("--customer", "customer_id", help="Only on this customer's list.")
def number_command(context: Context, number: str, customer_id: str | None) -> None:
    """Print one number's whole history, on every list."""
    customer = context.addressee(customer_id) if customer_id else None
    key = optin.parse_number(number, customer.region if customer else "US")
    lists = [customer.id] if customer else history.known_lists(context.existing_store)
    stories = history.of_number(context.existing_store, key, lists)
    if not stories:
        raise NotFound(f"{phone.mask(key)} has never been on {customer_id or 'any'} list")
    latest = max(stories, key=lambda story: story["history"][-1]["at"])
    data = {
        **latest,
        "history": sorted(
            ({**event, "customer": story["customer"]} for story in stories for event in story["history"]),
            key=lambda event: str(event["at"]),
        ),
    }
    context.show(data, lambda: _print_history(context, data["history"]))


@command("export")
@click.argument("customer_id", metavar="CUSTOMER")
@click.option("--status", type=click.Choice([s.name for s in Status if s is not Status.absent]), help="Only these.")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Instead of stdout.")
@click.option("--list", "which", type=click.Choice([*ListKind]), help="Of a customer with a brand: which of its lists.")
def export_command(context: Context, customer_id: str, status: str | None, out: Path | None, which: str | None) -> None:
    """Write the list as CSV: number, status, tags; a brand's: email, status, interests and the attributes."""
    customer = context.customer(customer_id)
    kind = ListKind(which) if which else kind_meant(customer, customer_id)
    write = partial(export, context.existing_store, customer, kind, status)
    if out is None or out == STDOUT:
        write(sys.stdout)
        return
    count = write_whole(out, write)
    say(f"wrote {out}: {count:,} rows")
    if context.as_json:
        click.echo(json.dumps({"file": str(out), "rows": count}))


@command("usage")
@click.argument("customer_id", metavar="CUSTOMER")
@click.option("--month", metavar="M", help="Such as 2026-11.")
def usage_command(context: Context, customer_id: str, month: str | None) -> None:
    """Count applied uploads and chargeable new numbers, by month and mode."""
    customer = context.customer(customer_id)
    if month is not None and not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", month, re.ASCII):
        raise UsageProblem(f"--month {month}: expected a year and a month, such as 2026-11")
    found = history.usage(context.existing_store, customer.id, month)
    rows = [[f["month"], f["mode"], f["uploads"], f["never_seen_before"]] for f in found]
    context.show(found, lambda: context.table(["month", "mode", "uploads", "never seen before"], rows))


def _show_standing(context: Context, standing: Standing) -> None:
    text = f"{standing.number} is {standing.status}" + (f" ({standing.message})" if standing.message else "")
    context.show(standing.as_dict(), text)


def _print_history(context: Context, events: list[dict[str, Any]]) -> None:
    rows = [
        [
            to_seconds(event["at"]),
            event["customer"],
            f"{event['status_before']} → {event['status_after']}",
            ", ".join(event["tags_after"]),
            f"{event['source']} ({event['by']}, {event['channel']})",
            f"upload {event['upload']}" if event["upload"] else event["note"],
        ]
        for event in events
    ]
    context.table(["when", "list", "status", "tags", "by", "what"], rows)


def _tagged(tags: list[str]) -> str:
    return f", tags: {', '.join(tags)}" if tags else ""
