"""Inbound text messages: STOP, HELP, the keyword, or something for a person to read.

The command line names the customer. A gateway names a code that several may share; see ``gateway``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from alp_daemon import log
from alp_daemon.customers import readable
from alp_daemon.domain import phone, senders
from alp_daemon.domain.keyword import DEFAULT_WORDS, Intent, Words, classify
from alp_daemon.domain.model import Status
from alp_daemon.domain.policy import COMMANDS, KEYWORD_MESSAGE
from alp_daemon.services.addresses.codes import Addressee
from alp_daemon.services.addresses.optin import Sender, key_or_fault, standing_of, write
from alp_daemon.store.store import Row, Store, Transaction, stamp

_KEPT = 1600
"""Signs of a text that are kept: as many as ten parts of a text message can have."""

RETRIES = timedelta(hours=72)
"""How long the same message may be delivered again: networks and gateways keep for days what they cannot deliver.

After that an id that comes round again, from a gateway that was set up anew or whose counter ran over, is a message of
its own, and its STOP is done. Before that the keyword may have come in between, which a late delivery must not undo.
"""

_END_USER = Sender(actor="end user", source="end_user", channel="message")


@dataclass(frozen=True, slots=True)
class Text:
    """One inbound message. Without an id it cannot be told from the same text sent again."""

    sender: str
    text: str
    id: str | None = None

    @property
    def kept(self) -> str:
        """As much of the text as is kept."""
        return self.text[:_KEPT]

    def cleaned(self) -> Text:
        """The same without signs that a database refuses: no STOP fails over one."""
        return replace(self, text=clean(self.text), id=self.id and clean(self.id))


@dataclass(frozen=True, slots=True)
class Answer:
    """What an inbound message meant, how its sender stands now, and the one text that may go back."""

    intent: str
    status: str
    reply: str

    def as_dict(self) -> dict[str, Any]:
        return {"intent": self.intent, "status": self.status, "reply": self.reply}


def message(
    store: Store,
    customer: Addressee,
    sender_number: str,
    text: str,
    message_id: str | None,
    now: datetime,
    words: Words = DEFAULT_WORDS,
) -> Answer:
    """A text to one customer. With an id it is idempotent: delivered twice, it is answered twice and done once."""
    received = Text(sender_number, text, message_id).cleaned()
    key = key_or_fault(sender_number, senders.parse(sender_number, customer.region))
    intent = classify(received.text, customer.keyword, words)
    with store.write() as transaction:
        answer = take_in(transaction, customer, key, received, intent, now)
    log.info("message", customer=customer.id, intent=answer.intent, message=received.id)
    return answer


def not_understood(store: Store, customer: str, limit: int) -> list[dict[str, Any]]:
    """Inbound messages that no rule understood, newest first: for a person to read."""
    with store.read() as transaction:
        rows = transaction.all("messages.others", customer=customer, limit=limit)
    return [
        {"id": row["id"], "at": row["at"], "from": phone.format_key(row["key"]), "text": row["text"]} for row in rows
    ]


def take_in(
    transaction: Transaction, customer: Addressee, key: int, received: Text, intent: Intent, now: datetime
) -> Answer:
    """Does a cleaned message for one of those it is for, once, and keeps it."""
    transaction.lock("list", customer.id)
    text = received.kept
    id_ = received.id or f"local-{now.timestamp():.6f}"
    id_, earlier = _known_as(transaction, customer.id, id_, key, text, now)
    if earlier is not None:
        return Answer(earlier["intent"], Status(earlier["status"]).name, earlier["reply"])
    if intent in (Intent.opt_out, Intent.opt_in):
        rules = COMMANDS["opt_out"] if intent is Intent.opt_out else KEYWORD_MESSAGE
        write(transaction, customer.id, rules, key, (), _END_USER, now, received.id, note=received.text[:160])
    standing = standing_of(transaction, customer.id, key)
    answer = Answer(intent.value, standing.status, reply(intent, [customer]))
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


def gateways_id(kept: Row) -> str:
    """The id that the gateway gave to a message. It may be kept under one of its own; see ``_known_as``."""
    return str(kept["id"]).removesuffix(_distinction(kept["key"], kept["text"]))


def _distinction(key: int, text: str) -> str:
    return f"~{hashlib.sha256(f'{key} {text}'.encode()).hexdigest()[:16]}"


def _known_as(
    transaction: Transaction, customer: str, id_: str, key: int, text: str, now: datetime
) -> tuple[str, Row | None]:
    """The id that the message is kept under, and the message as it was taken in before; None for a new one.

    Two gateways may count alike, and one that was set up anew begins again at 1. A STOP must not be lost to that: the
    same message has the same sender and text too, and comes again within ``RETRIES``.
    """
    shared, own = id_, id_ + _distinction(key, text)
    earlier = transaction.one("messages.get", customer=customer, id=shared)
    if earlier is not None and (earlier["key"], earlier["text"]) != (key, text):
        log.warning("message_id_used_again", customer=customer, message=id_)
        shared, earlier = own, transaction.one("messages.get", customer=customer, id=own)
    if earlier is not None and earlier["at"] < stamp(now - RETRIES):
        log.warning("message_id_used_again", customer=customer, message=id_)
        transaction.run("messages.put_aside", customer=customer, id=shared, aside=f"{shared}~{earlier['at']}")
        earlier = None
    return shared, earlier


def clean(text: str) -> str:
    """The same without signs that a database refuses. Gateways send them, as do command lines."""
    return readable(text).replace("\0", "")  # which PostgreSQL does not take


def reply(intent: Intent, customers: Sequence[Addressee]) -> str:
    """The text that may go back to who asked this of these customers."""
    name = " and ".join(customer.name for customer in customers)
    keyword = " or ".join(dict.fromkeys(customer.keyword for customer in customers))
    return {
        Intent.opt_out: f"{name}: you are unsubscribed and will get no more messages. Text {keyword} to join again.",
        Intent.opt_in: f"{name}: you are subscribed. Reply STOP to end, HELP for help.",
        Intent.help: f"{name}: text {keyword} to subscribe, STOP to end.",
        Intent.other: "",
    }[intent]
