"""Many ManageOptin commands in one transaction, an answer for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alp_daemon import log
from alp_daemon.customers import Customer
from alp_daemon.errors import AlpError, Refused, UsageProblem
from alp_daemon.services.addresses import idempotency, optin
from alp_daemon.services.addresses.idempotency import Once
from alp_daemon.services.addresses.optin import Command, Prepared, Sender, Standing
from alp_daemon.settings import Settings
from alp_daemon.store.store import Store, Transaction

MOST = 1_000
"""Commands in one call. They take the write lock for a second or so."""

Answer = Standing | Refused | UsageProblem
"""How a number stands after its command, or why the command was refused or made no sense."""


@dataclass(frozen=True, slots=True)
class Managed:
    """An answer for each command, in their order. ``replayed``: all was done before, under the same key."""

    answers: list[Answer]
    replayed: bool = False


def manage(
    store: Store,
    settings: Settings,
    customer: Customer,
    commands: Sequence[Command],
    sender: Sender,
    now: datetime,
    once: Once | None = None,
) -> Managed:
    """Does the commands in their order: all that the rules allow, or after a crash none of them.

    A refused command does not hinder the others. Raises ``UsageProblem`` for a key that was used for another call.
    """
    prepared = [_prepared(each, customer) for each in commands]
    with store.write() as transaction:
        earlier = idempotency.answered(transaction, customer.id, once, now) if once else None
        if earlier is not None:
            return Managed([_restored(each) for each in earlier], replayed=True)
        answers = [_done(transaction, settings, customer, each, sender, now) for each in prepared]
        if once:
            idempotency.keep(transaction, customer.id, once, [_stored(each) for each in answers], now)
    changed = sum(isinstance(each, Standing) and each.changed for each in answers)
    refused = sum(isinstance(each, AlpError) for each in answers)
    log.info(
        "commands", customer=customer.id, commands=len(answers), changed=changed, refused=refused, actor=sender.actor
    )
    return Managed(answers)


def _prepared(command: Command, customer: Customer) -> Prepared | UsageProblem:
    try:
        return optin.prepare(command, customer.region)
    except UsageProblem as error:
        return error


def _done(
    transaction: Transaction,
    settings: Settings,
    customer: Customer,
    prepared: Prepared | UsageProblem,
    sender: Sender,
    now: datetime,
) -> Answer:
    if isinstance(prepared, UsageProblem):
        return prepared
    try:
        return optin.carry_out(transaction, settings, customer, prepared, sender, now)
    except (Refused, UsageProblem) as error:
        return error


_ERRORS: dict[str, type[Refused] | type[UsageProblem]] = {"refused": Refused, "usage": UsageProblem}


def _stored(answer: Answer) -> list[Any]:
    if isinstance(answer, Standing):
        return ["standing", answer.number, answer.status, answer.tags, answer.changed, answer.message, answer.event]
    return ["refused" if isinstance(answer, Refused) else "usage", str(answer)]


def _restored(stored: list[Any]) -> Answer:
    kind, *values = stored
    if kind == "standing":
        number, status, tags, changed, message, event = values
        return Standing(number, status, tuple(tags), changed, message, event)
    return _ERRORS[kind](*values)
