"""Inbound text messages: STOP, HELP, the keyword, or something for a person to read.

The command line names the customer. A gateway names the code that was texted to, which several customers may share.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alp_daemon import log
from alp_daemon.customers import Customer
from alp_daemon.domain import phone
from alp_daemon.domain.keyword import DEFAULT_WORDS, Intent, Words, classify, holds_keyword
from alp_daemon.domain.model import Status
from alp_daemon.domain.policy import COMMANDS, KEYWORD_MESSAGE
from alp_daemon.errors import NotFound
from alp_daemon.services.optin import Sender, key_or_fault, standing_of, write
from alp_daemon.store.store import Row, Store, Transaction, stamp

_KEPT = 1600
"""Signs of a text that are kept: as many as ten parts of a text message can have."""

_END_USER = Sender(actor="end user", source="end_user", channel="message")


@dataclass(frozen=True, slots=True)
class Text:
    """One inbound message. Without an id it cannot be told from the same text sent again."""

    sender: str
    text: str
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What an inbound message meant, how its sender stands now, and the one text that may go back."""

    intent: str
    status: str
    reply: str

    def as_dict(self) -> dict[str, Any]:
        return {"intent": self.intent, "status": self.status, "reply": self.reply}


@dataclass(frozen=True, slots=True)
class GatewayAnswer:
    """The same for a message to a code. ``statuses`` is the sender's status by customer; ``reply`` is one text."""

    intent: str
    statuses: dict[str, str]
    reply: str

    def as_dict(self) -> dict[str, Any]:
        """``status`` is null where the sender's lists differ."""
        distinct = set(self.statuses.values())
        status = distinct.pop() if len(distinct) == 1 else None
        return {"intent": self.intent, "status": status, "reply": self.reply, "customers": self.statuses}


def message(
    store: Store,
    customer: Customer,
    sender_number: str,
    text: str,
    message_id: str | None,
    now: datetime,
    words: Words = DEFAULT_WORDS,
) -> Answer:
    """A text to one customer. With an id it is idempotent: delivered twice, it is answered twice and done once."""
    received = Text(sender_number, text, message_id)
    key = key_or_fault(sender_number, phone.parse_sender(sender_number, customer.region))
    intent = classify(text, customer.keyword, words)
    with store.write() as transaction:
        answer = _take_in(transaction, customer, key, received, intent, now)
    log.info("message", customer=customer.id, intent=answer.intent, message=message_id)
    return answer


def from_gateway(
    store: Store, customers: Iterable[Customer], code: str, received: Text, now: datetime, words: Words = DEFAULT_WORDS
) -> GatewayAnswer:
    """A text to a code, for the customers that it names by their keywords, or else for all that share the code.

    All of it is one transaction, and idempotent by the message's id. Raises ``NotFound`` where nobody has the code.
    """
    sharing = [customer for customer in customers if code.strip().removeprefix("+") in customer.codes]
    if not sharing:
        raise NotFound(f"no customer has the code {code[:20]!r}: add it to codes: in the customer's file")
    named = [customer for customer in sharing if holds_keyword(received.text, customer.keyword)]
    addressed = named or sharing
    parsed = phone.parse_sender(received.sender, addressed[0].region)
    key = key_or_fault(received.sender, parsed)
    intents = {customer.id: classify(received.text, customer.keyword, words) for customer in addressed}
    with store.write() as transaction:
        answers = {each.id: _take_in(transaction, each, key, received, intents[each.id], now) for each in addressed}
    intent = _strongest(answers.values())
    log.info("message", customers=sorted(answers), intent=intent, message=received.id)
    done = [customer for customer in addressed if answers[customer.id].intent == intent]
    statuses = {id_: answer.status for id_, answer in answers.items()}
    return GatewayAnswer(intent, statuses, _reply(Intent(intent), done))


def unanswered(store: Store, customer: str, limit: int) -> list[dict[str, Any]]:
    """Inbound messages that no rule understood, newest first: for a person to read."""
    with store.read() as transaction:
        rows = transaction.all("messages.others", customer=customer, limit=limit)
    return [
        {"id": row["id"], "at": row["at"], "from": phone.format_key(row["key"]), "text": row["text"]} for row in rows
    ]


def _take_in(
    transaction: Transaction, customer: Customer, key: int, received: Text, intent: Intent, now: datetime
) -> Answer:
    transaction.lock("list", customer.id)
    text = received.text[:_KEPT]
    id_, earlier = _known_as(transaction, customer.id, received.id or f"local-{now.timestamp():.6f}", key, text)
    if earlier is not None:
        return Answer(earlier["intent"], Status(earlier["status"]).name, earlier["reply"])
    if intent in (Intent.opt_out, Intent.opt_in):
        rules = COMMANDS["opt_out"] if intent is Intent.opt_out else KEYWORD_MESSAGE
        write(transaction, customer.id, rules, key, (), _END_USER, now, received.id, note=received.text[:160])
    standing = standing_of(transaction, customer.id, key)
    answer = Answer(intent.value, standing.status, _reply(intent, [customer]))
    transaction.run(
        "messages.add",
        customer=customer.id,
        id=id_,
        at=stamp(now),
        key=key,
        text=text,
        intent=answer.intent,
        status=Status[standing.status],
        reply=answer.reply,
    )
    return answer


def _known_as(transaction: Transaction, customer: str, id_: str, key: int, text: str) -> tuple[str, Row | None]:
    """The id that the message is kept under, and the message as it was taken in before; None for a new one.

    Two gateways may count alike, and one that was set up anew begins again at 1. A STOP must not be lost to that: the
    same message has the same sender and text too, and another one under its id gets an id of its own.
    """
    earlier = transaction.one("messages.get", customer=customer, id=id_)
    if earlier is None or (earlier["key"], earlier["text"]) == (key, text):
        return id_, earlier
    own = f"{id_}~{hashlib.sha256(f'{key} {text}'.encode()).hexdigest()[:16]}"
    log.warning("message_id_used_again", customer=customer, message=id_)
    return own, transaction.one("messages.get", customer=customer, id=own)


_STRENGTH = (Intent.opt_out, Intent.opt_in, Intent.help, Intent.other)


def _strongest(answers: Iterable[Answer]) -> str:
    """Customers with different keywords may understand one text differently; what changes a list decides the reply."""
    found = {answer.intent for answer in answers}
    return next(intent.value for intent in _STRENGTH if intent.value in found)


def _reply(intent: Intent, customers: list[Customer]) -> str:
    name = " and ".join(customer.name for customer in customers)
    keyword = " or ".join(dict.fromkeys(customer.keyword for customer in customers))
    return {
        Intent.opt_out: f"{name}: you are unsubscribed and will get no more messages. Text {keyword} to join again.",
        Intent.opt_in: f"{name}: you are subscribed. Reply STOP to end, HELP for help.",
        Intent.help: f"{name}: text {keyword} to subscribe, STOP to end.",
        Intent.other: "",
    }[intent]
