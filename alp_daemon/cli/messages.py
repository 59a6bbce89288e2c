"""Inbound text messages: take one in, and list those that a person should read."""

from __future__ import annotations

import click

from alp_daemon.cli.arguments import LIMIT
from alp_daemon.cli.context import Context, command
from alp_daemon.cli.times import to_seconds
from alp_daemon.services.addresses import inbound


@command("message")
@click.argument("customer_id", metavar="CUSTOMER")
@click.argument("from_number", metavar="FROM")
@click.argument("text")
@click.option("--id", "message_id", metavar="MSGID", help="The gateway's id: the same message is done once.")
def message_command(context: Context, customer_id: str, from_number: str, text: str, message_id: str | None) -> None:
    """Take in an inbound text message (STOP, HELP, the keyword, or anything else)."""
    customer = context.addressee(customer_id)
    words = context.settings.messages.in_force()
    answer = inbound.message(context.store, customer, from_number, text, message_id, context.now, words)
    context.show(answer.as_dict(), f"{answer.intent}: the number is {answer.status}\nreply: {answer.reply or '(none)'}")


@command("messages")
@click.argument("customer_id", metavar="CUSTOMER")
@click.option("--limit", type=LIMIT, metavar="N", default=100, show_default=True, help="How many at the most.")
def messages_command(context: Context, customer_id: str, limit: int) -> None:
    """List inbound messages that no rule understood, newest first."""
    found = inbound.not_understood(context.existing_store, context.addressee(customer_id).id, limit)
    rows = [[to_seconds(each["at"]), each["from"], each["text"]] for each in found]
    context.show(found, lambda: context.table(["when", "from", "text"], rows))
