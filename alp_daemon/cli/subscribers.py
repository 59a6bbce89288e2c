"""A brand's e-mail subscribers: one at a time, and the interests that uploads may name."""

from __future__ import annotations

from typing import Any

import click

from alp_daemon.cli.arguments import SOURCE, by_default
from alp_daemon.cli.context import Context, command, say_of_unusable
from alp_daemon.cli.times import to_seconds
from alp_daemon.errors import NotFound
from alp_daemon.problem import ConfigurationFileError
from alp_daemon.services.addresses import codes, subscriber, subscribers
from alp_daemon.services.addresses.optin import Sender


@command("subscriber")
@click.argument("brand", metavar="BRAND")
@click.argument("email")
def subscriber_command(context: Context, brand: str, email: str) -> None:
    """Show how a subscriber stands, and everything that ever happened to the address."""
    found = subscriber.story(context.existing_store, _owner(context, brand), email)
    context.show(found, lambda: _print_story(context, found))


@command("unsubscribe")
@click.argument("brand", metavar="BRAND")
@click.argument("email")
@SOURCE
@by_default("Who gives the command; it is kept in the history.")
def unsubscribe_command(context: Context, brand: str, email: str, source: str, by: str) -> None:
    """See to it that nobody writes to an address again; only ResubscribeSubscribers lifts that."""
    sender = Sender(by, source, "cli")
    found = subscriber.unsubscribe(context.store, _owner(context, brand), email, sender, context.now)
    told = "" if found["changed"] else " (nothing to change: it was already; that it was said again is recorded)"
    context.show(found, f"{found['email']} is {found['status']}{told}")


@click.group("interests")
def interests_command() -> None:
    """Interests of a brand's e-mail subscribers."""


@command("add")
@click.argument("brand", metavar="BRAND")
@click.argument("name")
@by_default("Who makes it; it is kept.")
def _add(context: Context, brand: str, name: str, by: str) -> None:
    """Make an interest that uploads may name."""
    added = subscribers.add_interest(context.store, context.brand(brand), name, by, context.now)
    context.show(
        {"interest": name, "added": added}, f"{name!r} {'is an interest now' if added else 'is there already'}"
    )


@command("list")
@click.argument("brand", metavar="BRAND")
def _list(context: Context, brand: str) -> None:
    """List the interests and how many opted-in subscribers each has."""
    found = subscribers.interests(context.existing_store, context.brand(brand))
    rows = [[each["interest"], each["members"]] for each in found]
    context.show(found, lambda: context.table(["interest", "members"], rows))


for _command in (_add, _list):
    interests_command.add_command(_command)


def _owner(context: Context, brand: str) -> str:
    """The customer whose brand it is: who wants no more mail waits for nobody to mend the customer's file.

    Where the file is broken or gone, it is as the daemon last read it, which is told on stderr. Raises as
    ``context.brand`` does where that is unknown, and where a sound file says otherwise.
    """
    try:
        return context.brand(brand).id
    except (ConfigurationFileError, NotFound):
        owner = None if context.lacks_database else codes.of_brand(context.store, brand)
        if owner is None or owner in context.load_customers().customers:
            raise
    say_of_unusable(owner, "brand")
    return owner


def _print_story(context: Context, found: dict[str, Any]) -> None:
    click.echo(f"{found['email']} is {found['status']}; interests: {', '.join(found['interests']) or 'none'}")
    for name, value in found["attributes"].items():
        click.echo(f"  {name}: {value}")
    rows = [
        [
            to_seconds(event["at"]),
            f"{event['status_before']} → {event['status_after']}",
            ", ".join(event["interests_after"]),
            f"{event['source']} ({event['by']}, {event['channel']})",
            f"upload {event['upload']}" if event["upload"] else event["note"],
        ]
        for event in found["history"]
    ]
    context.table(["when", "status", "interests", "by", "what"], rows)
