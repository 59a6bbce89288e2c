"""Inbound text messages from a gateway, which names the code that was texted to. Several customers may share it.

Where it is doubtful whom a STOP is for, it is for everybody whom it may be for: the lesser evil, as in ``keyword``.
So one to a code that nobody has is not lost, either.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from operator import itemgetter
from typing import Any

from alp_daemon import log
from alp_daemon.domain import phone, senders
from alp_daemon.domain.keyword import DEFAULT_WORDS, Intent, Words, classify, holds_keyword
from alp_daemon.domain.model import Status
from alp_daemon.errors import NotFound, Unavailable
from alp_daemon.registry import Registry
from alp_daemon.services.addresses.codes import Addressee, Sharing, anybody, sharing
from alp_daemon.services.addresses.inbound import RETRIES, Answer, Text, clean, gateways_id, reply, take_in
from alp_daemon.services.addresses.optin import key_or_fault, standing_of
from alp_daemon.store.store import Store, Transaction, stamp


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

    All of it is one transaction, and idempotent by the message's id. Where nobody has the code, a STOP is for those it
    names and those whose list has its sender, and all else is not done. Raises ``NotFound`` for that, and
    ``Unavailable`` for a STOP that is for nobody, or where a text may be for somebody whose codes are not known: it is
    done for the others then, and for all when the gateway sends it again.
    """
    received = received.cleaned()
    sharers = sharing(store, registry, clean(code), now)
    if not sharers.known:
        return _to_unknown_code(store, registry, sharers.unread, code, received, now, words)
    return _take_in(store, sharers, _keys(store, received, sharers.known), received, now, words)


def _to_unknown_code(
    store: Store,
    registry: Registry,
    unread: Sequence[str],
    code: str,
    received: Text,
    now: datetime,
    words: Words,
) -> GatewayAnswer:
    """A code that nobody has is a mistake in a customer's file: whoever says STOP to it is texted by one of them.

    But nobody opts in by it. Raises as ``message``.
    """
    is_stop = classify(received.text, "", words) is Intent.opt_out
    log.warning("message_to_unknown_code", code=code[:20], is_stop=is_stop, message=received.id)
    nobodys = _NOBODYS.format(code=code[:20])
    if is_stop:
        possible = anybody(store, registry, now)
        keys = _keys(store, received, possible.known)
        concerned = replace(possible, known=_concerned(store, possible.known, keys, received))
        if concerned.known:
            return _take_in(store, concerned, keys, received, now, words)
    if unread:
        raise _may_be_theirs(unread)
    if is_stop:
        raise Unavailable(
            f"{nobodys}; it names no customer and no list has the sender of this STOP, so nothing was done: send it"
            " again when that is mended"
        )
    raise NotFound(nobodys)


def _concerned(
    store: Store, everybody: Sequence[Addressee], keys: Mapping[str, int], received: Text
) -> tuple[Addressee, ...]:
    """Those whom a STOP names, and those whose list has its sender."""
    holding = _holding(store, keys.values())
    return tuple(
        each
        for each in everybody
        if each.id in keys and ((each.id, keys[each.id]) in holding or holds_keyword(received.text, each.keyword))
    )


def _holding(store: Store, keys: Iterable[int]) -> set[tuple[str, int]]:
    """Which customers' lists have which of these numbers."""
    with store.read() as transaction:
        return {(row["customer"], key) for key in set(keys) for row in transaction.all("lists.holding", key=key)}


def _take_in(
    store: Store, sharers: Sharing, keys: Mapping[str, int], received: Text, now: datetime, words: Words
) -> GatewayAnswer:
    everybody = [each for each in sharers.known if each.id in keys]
    named = [each for each in everybody if holds_keyword(received.text, each.keyword)]
    intents = {each.id: classify(received.text, each.keyword, words) for each in everybody}
    meant: Sequence[Addressee] = named
    if named and intents[named[0].id] is Intent.opt_out:  # one means it for all: keywords have no part in it
        meant = _meant_by_stop(store, sharers, named, keys, received, now)
    left = () if meant else sharers.unread
    # Had the named ones taken it in, it would seem to be for them alone when it comes again.
    addressed = meant or [each for each in everybody if not (left and each in named)]
    with store.write() as transaction:
        answers = {
            each.id: take_in(transaction, each, keys[each.id], received, intents[each.id], now) for each in addressed
        }
    log.info("message", customers=sorted(answers), intent=_strongest(answers.values()), message=received.id)
    if left:
        log.warning("message_not_for_all", customers=left, message=received.id)
        raise _may_be_theirs(left)
    return _answer(addressed, answers)


def _keys(store: Store, received: Text, everybody: Sequence[Addressee]) -> dict[str, int]:
    """The sender's number by customer, as each one's region reads it: a gateway may leave the country out.

    For whom it may be one number or another it is the one that their list has, and without that they are not there.
    Raises ``UsageProblem`` where it is none for anybody.
    """
    by_region = senders.parse_by_region(received.sender, sorted({each.region for each in everybody}))
    if everybody and not by_region:
        key_or_fault(received.sender, phone.parse_line(received.sender, everybody[0].region))
    keys = {each.id: by_region[each.region] for each in everybody if each.region in by_region}
    doubtful = [each.id for each in everybody if each.region not in by_region]
    holding = _holding(store, by_region.values()) if doubtful else set()
    for customer in doubtful:
        listed = [key for id_, key in holding if id_ == customer]
        if len(listed) == 1:
            keys[customer] = listed[0]
        else:
            log.warning("message_from_whom", customer=customer, message=received.id)
    return keys


def _meant_by_stop(
    store: Store,
    sharers: Sharing,
    named: Sequence[Addressee],
    keys: Mapping[str, int],
    received: Text,
    now: datetime,
) -> list[Addressee]:
    """Whom a STOP is for that names somebody; empty where it is for all that share the code.

    Keywords are words, too: "Stop the news". From somebody whom none of the named texts, it is about what others text;
    and who is gone texts nobody. Unless the last STOP that reached one of the named was for them alone: then it is one
    STOP said twice. What is delivered twice goes where it went.
    """
    ids = {each.id for each in named}
    here = ids - sharers.gone
    with store.read() as transaction:
        is_texted = any(standing_of(transaction, id_, keys[id_]).status == Status.opted_in.name for id_ in here)
        reached = _reached_by_stops(transaction, keys, now)
    went = reached.get((received.id, received.kept))
    if went:  # to all but the named, where it waits for those who could not be read: see ``message``
        return [each for each in sharers.known if each.id in went & keys.keys()] if went & ids else []
    last = [next((those for those in reached.values() if id_ in those), None) for id_ in here]
    is_said_twice = any(those is not None and those <= ids for those in last)
    return list(named) if is_texted or is_said_twice else []


def _reached_by_stops(
    transaction: Transaction, keys: Mapping[str, int], now: datetime
) -> dict[tuple[str | None, str], set[str]]:
    """Whom each STOP of the sender reached of late, by the gateway's id and the text; the latest first."""
    since = stamp(now - RETRIES)
    stops = [row for key in set(keys.values()) for row in transaction.all("messages.stops", key=key, since=since)]
    reached: dict[tuple[str | None, str], set[str]] = {}
    for row in sorted(stops, key=itemgetter("at"), reverse=True):
        if keys.get(row["customer"], row["key"]) == row["key"]:  # or else it is somebody else's
            reached.setdefault((gateways_id(row), row["text"]), set()).add(row["customer"])
    return reached


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
