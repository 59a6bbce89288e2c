"""Inbound text messages from a gateway, which names the code that was texted to. Several customers may share it.

Where it is doubtful whom a STOP is for, it is for everybody whom it may be for: the lesser evil, as in ``keyword``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alp_daemon import log
from alp_daemon.domain import phone
from alp_daemon.domain.keyword import DEFAULT_WORDS, Intent, Words, classify, holds_keyword
from alp_daemon.domain.model import Status
from alp_daemon.errors import NotFound, Unavailable
from alp_daemon.registry import Registry
from alp_daemon.services.addresses.codes import Addressee, sharing
from alp_daemon.services.addresses.inbound import RETRIES, Answer, Text, clean, ids_of, reply, take_in
from alp_daemon.services.addresses.optin import key_or_fault, standing_of
from alp_daemon.store.store import Store, stamp


@dataclass(frozen=True, slots=True)
class GatewayAnswer:
    """What a message meant. ``statuses`` is the sender's status by customer; ``reply`` is the one text to go back."""

    intent: str
    statuses: dict[str, str]
    reply: str

    def as_dict(self) -> dict[str, Any]:
        """``status`` is null where the sender's lists differ."""
        distinct = set(self.statuses.values())
        status = distinct.pop() if len(distinct) == 1 else None
        return {"intent": self.intent, "status": status, "reply": self.reply, "customers": self.statuses}


def message(
    store: Store, registry: Registry, code: str, received: Text, now: datetime, words: Words = DEFAULT_WORDS
) -> GatewayAnswer:
    """A text to a code, for the customers that it names by their keywords, or else for all that share the code.

    All of it is one transaction, and idempotent by the message's id. Raises ``NotFound`` where nobody has the code,
    and ``Unavailable`` where it may be for somebody whose codes are not known: it is done for the others then, and for
    all when the gateway sends it again.
    """
    received = received.cleaned()
    sharers = sharing(store, registry, clean(code))
    everybody = sharers.known
    if not everybody:
        raise _may_be_theirs(sharers.unread) if sharers.unread else NotFound(_NOBODYS.format(code=code[:20]))
    named = [each for each in everybody if holds_keyword(received.text, each.keyword)]
    key = key_or_fault(received.sender, phone.parse_sender(received.sender, (named or everybody)[0].region))
    intents = {each.id: classify(received.text, each.keyword, words) for each in everybody}
    meant: Sequence[Addressee] = named
    if named and intents[named[0].id] is Intent.opt_out:  # one means it for all: keywords have no part in it
        meant = _meant_by_stop(store, everybody, named, key, received, now)
    left = () if meant else sharers.unread
    # Had the named ones taken it in, it would seem to be for them alone when it comes again.
    addressed = meant or [each for each in everybody if not (left and each in named)]
    with store.write() as transaction:
        answers = {each.id: take_in(transaction, each, key, received, intents[each.id], now) for each in addressed}
    log.info("message", customers=sorted(answers), intent=_strongest(answers.values()), message=received.id)
    if left:
        log.warning("message_not_for_all", customers=left, message=received.id)
        raise _may_be_theirs(left)
    return _answer(addressed, answers)


def _meant_by_stop(
    store: Store,
    everybody: Sequence[Addressee],
    named: Sequence[Addressee],
    key: int,
    received: Text,
    now: datetime,
) -> list[Addressee]:
    """Whom a STOP is for that names somebody; empty where it is for all that share the code.

    Keywords are words, too: "Stop the news". From somebody whom none of the named texts, it is about what others text.
    Unless one of them was told STOP just before: then it is one STOP said twice, and goes where it went.
    """
    with store.read() as transaction:
        is_texted = any(standing_of(transaction, each.id, key).status == Status.opted_in.name for each in named)
        stops = transaction.all("messages.stops", key=key, since=stamp(now - RETRIES))
    told = {row["customer"] for row in stops}
    if not is_texted and told.isdisjoint(each.id for each in named):
        return []
    again = {row["customer"] for row in stops if row["id"] in ids_of(received.id or "", key, received.text)}
    return [each for each in everybody if each in named or each.id in again]


def _answer(addressed: Iterable[Addressee], answers: Mapping[str, Answer]) -> GatewayAnswer:
    intent = _strongest(answers.values())
    done = [each for each in addressed if answers[each.id].intent == intent]
    return GatewayAnswer(intent, {id_: each.status for id_, each in answers.items()}, reply(Intent(intent), done))


_STRENGTH = (Intent.opt_out, Intent.opt_in, Intent.help, Intent.other)


def _strongest(answers: Iterable[Answer]) -> str:
    """Customers with different keywords may understand one text differently; what changes a list decides the reply."""
    found = {answer.intent for answer in answers}
    return next((intent.value for intent in _STRENGTH if intent.value in found), Intent.other.value)


_NOBODYS = "no customer has the code {code!r}: add it to codes: in the customer's file"


def _may_be_theirs(unread: Sequence[str]) -> Unavailable:
    return Unavailable(
        f"this message may be for {' or '.join(unread)}, whose file cannot be used and whose codes are not known: it is"
        " done for all others; send it again when the file is mended (see `alp-daemon check-config`)"
    )
