"""One number at a time: the ManageOptin commands and inbound messages.

Each is the plan of a file, made on one row, so that no second set of rules can grow here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np

from alp_daemon import log
from alp_daemon.customers import Customer
from alp_daemon.domain import phone
from alp_daemon.domain.keyword import DEFAULT_WORDS, Intent, Words, classify
from alp_daemon.domain.model import Listed, Status, Tags
from alp_daemon.domain.plan import Plan, make_plan
from alp_daemon.domain.policy import COMMANDS, KEYWORD_MESSAGE, Policy
from alp_daemon.domain.tag import BadTag, clean
from alp_daemon.errors import Refused, UsageProblem
from alp_daemon.services import line_types
from alp_daemon.settings import Settings
from alp_daemon.store import lists
from alp_daemon.store.lists import Change
from alp_daemon.store.store import Store, Transaction, stamp


@dataclass(frozen=True, slots=True)
class Sender:
    """Who gives a command: ``source`` is why (operator, api or end_user), ``actor`` is the person or log-in."""

    actor: str
    source: str
    channel: str


@dataclass(frozen=True, slots=True)
class Standing:
    """How one number stands after a command."""

    number: str
    status: str
    tags: Tags
    changed: bool = False
    message: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {"number": self.number, "status": self.status, "tags": list(self.tags), "changed": self.changed}


@dataclass(frozen=True, slots=True)
class Answer:
    """What an inbound message meant, how its sender stands now, and the one text that may go back."""

    intent: str
    status: str
    reply: str

    def as_dict(self) -> dict[str, Any]:
        return {"intent": self.intent, "status": self.status, "reply": self.reply}


# What brings a number onto the list asks for a line that takes texts; what takes it off asks for nothing.
_NEEDS_MOBILE = {"opt_in", "reactivate"}

_REFUSALS = {
    ("opt_in", Status.opted_out): "it is opted out, and only its own message with the keyword {keyword} can lift that",
    ("suspend", Status.absent): "it is not on the list; only an opted-in number can be suspended",
    ("suspend", Status.opted_out): "it is opted out, which is more than suspended",
    ("reactivate", Status.absent): "it is not on the list; opt it in instead",
    (
        "reactivate",
        Status.opted_out,
    ): "it is opted out, and only its own message with the keyword {keyword} can lift that",
    ("add_tags", Status.absent): "it is not on the list; opt it in with these tags instead",
    ("add_tags", Status.opted_out): "it is opted out; its tags are kept as they are",
    ("remove_tags", Status.absent): "it is not on the list",
}


def command(
    store: Store,
    settings: Settings,
    customer: Customer,
    name: str,
    number: str,
    tags: tuple[str, ...],
    sender: Sender,
    now: datetime,
) -> Standing:
    """Does one of ``policy.COMMANDS``. Raises ``Refused`` where the rules forbid it; what is true is no error."""
    key = _key_or_fault(number, (phone.parse if name in _NEEDS_MOBILE else phone.parse_line)(number, customer.region))
    wanted = parse_tags(tags)
    with store.write() as transaction:
        if name in _NEEDS_MOBILE and not line_types.takes_texts(transaction, settings, customer, key):
            raise Refused(f"{phone.mask(key)} cannot be changed by {name}: {phone.REASONS['not_mobile']}")
        before = _standing(transaction, customer.id, key)
        plan = _apply(transaction, customer.id, COMMANDS[name], key, wanted, sender, now)
        if len(plan.refused):
            raise Refused(f"{phone.mask(key)} cannot be changed by {name}: {_refusal(name, before, customer)}")
        after = _standing(transaction, customer.id, key)
    changed = (before.status, before.tags) != (after.status, after.tags)
    log.info("command", command=name, customer=customer.id, changed=changed, actor=sender.actor)
    return replace(
        after, changed=changed, message="" if changed else f"nothing to change: it is {after.status} already"
    )


def status(store: Store, customer: Customer, number: str) -> Standing:
    key = parse_number(number, customer.region)
    with store.read() as transaction:
        return _standing(transaction, customer.id, key)


def message(
    store: Store,
    customer: Customer,
    sender_number: str,
    text: str,
    message_id: str | None,
    now: datetime,
    words: Words = DEFAULT_WORDS,
) -> Answer:
    """An inbound text. With an id it is idempotent: a message delivered twice is answered twice and done once."""
    key = _key_or_fault(sender_number, phone.parse_sender(sender_number, customer.region))
    intent = classify(text, customer.keyword, words)
    with store.write() as transaction:
        earlier = message_id and transaction.one("messages.get", customer=customer.id, id=message_id)
        if earlier:
            return Answer(earlier["intent"], Status(earlier["status"]).name, earlier["reply"])
        sender = Sender(actor="end user", source="end_user", channel="message")
        if intent in (Intent.opt_out, Intent.opt_in):
            rules = COMMANDS["opt_out"] if intent is Intent.opt_out else KEYWORD_MESSAGE
            _apply(transaction, customer.id, rules, key, (), sender, now, message_id, note=text[:160])
        standing = _standing(transaction, customer.id, key)
        answer = Answer(intent.value, standing.status, _reply(intent, customer))
        transaction.run(
            "messages.add",
            customer=customer.id,
            id=message_id or f"local-{now.timestamp():.6f}-{key}",
            at=stamp(now),
            key=key,
            text=text[:1600],
            intent=answer.intent,
            status=Status[standing.status],
            reply=answer.reply,
        )
    log.info("message", customer=customer.id, intent=answer.intent, message=message_id)
    return answer


def unanswered(store: Store, customer: str, limit: int) -> list[dict[str, Any]]:
    """Inbound messages that no rule understood, newest first: for a person to read."""
    with store.read() as transaction:
        rows = transaction.all("messages.others", customer=customer, limit=limit)
    return [
        {"id": row["id"], "at": row["at"], "from": phone.format_key(row["key"]), "text": row["text"]} for row in rows
    ]


def parse_number(text: str, region: str) -> int:
    """The key of a number that a person asks about, of whatever type. Raises ``UsageProblem`` with the cure."""
    return _key_or_fault(text, phone.parse_line(text, region))


def _key_or_fault(text: str, verdict: int | phone.Reason) -> int:
    if isinstance(verdict, str):
        raise UsageProblem(f"{phone.mask(text)}: {phone.REASONS[verdict]}")
    return verdict


def parse_tags(texts: tuple[str, ...]) -> Tags:
    tags = [clean(text) for text in texts]
    for text, tag in zip(texts, tags, strict=True):
        if isinstance(tag, BadTag):
            raise UsageProblem(f"tag {text[:80]!r}: {tag.value.replace('_', ' ')}")
    return tuple(sorted({str(tag) for tag in tags}))


def _apply(
    transaction: Transaction,
    customer: str,
    rules: Policy,
    key: int,
    tags: Tags,
    sender: Sender,
    now: datetime,
    message_id: str | None = None,
    note: str = "",
) -> Plan:
    """Plans and writes the change of one number. A refused plan is empty, so writing it changes nothing."""
    head = lists.create_list(transaction, customer, now)
    keys = np.array([key], np.int64)
    state = lists.read_state(transaction, head, keys)
    sets = lists.read_tag_sets(transaction, head)
    plan = make_plan(state, Listed(keys, np.zeros(1, np.int32), [tags]), rules, sets)
    change = Change(stamp(now), sender.actor, sender.source, sender.channel, message=message_id, note=note)
    if not len(plan.refused):
        lists.write_plan(transaction, head, plan, sets, change)
    return plan


def _standing(transaction: Transaction, customer: str, key: int) -> Standing:
    head = lists.open_list(transaction, customer)
    state = lists.read_state(transaction, head, np.array([key], np.int64))
    if len(state) == 0:
        return Standing(phone.format_key(key), Status.absent.name, ())
    tags = lists.read_tag_sets(transaction, head)[int(state.tag_set[0])]
    return Standing(phone.format_key(key), Status(int(state.status[0])).name, tags)


def _refusal(name: str, before: Standing, customer: Customer) -> str:
    why = _REFUSALS.get((name, Status[before.status]), f"it is {before.status}")
    return why.format(keyword=customer.keyword)


def _reply(intent: Intent, customer: Customer) -> str:
    return {
        Intent.opt_out: f"{customer.name}: you are unsubscribed and will get no more messages. Text"
        f" {customer.keyword} to join again.",
        Intent.opt_in: f"{customer.name}: you are subscribed. Reply STOP to end, HELP for help.",
        Intent.help: f"{customer.name}: text {customer.keyword} to subscribe, STOP to end.",
        Intent.other: "",
    }[intent]
