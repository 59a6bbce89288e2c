"""One number at a time: the ManageOptin commands.

Each is the plan of a file, made on one row, so that no second set of rules can grow here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np

from alp_daemon import log
from alp_daemon.customers import Customer
from alp_daemon.domain import phone, senders
from alp_daemon.domain.model import Listed, Status, Tags
from alp_daemon.domain.plan import make_plan
from alp_daemon.domain.policy import COMMANDS, Policy
from alp_daemon.domain.tag import BadTag, clean
from alp_daemon.domain.tag_sets import EMPTY
from alp_daemon.errors import Refused, UsageProblem
from alp_daemon.masking import masked
from alp_daemon.services.addresses.codes import Addressee, addressee
from alp_daemon.services.processing import line_types
from alp_daemon.settings import Settings
from alp_daemon.store import lists, tagsets
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
    event: int | None = None
    """The version of the list that this command made, also where it was true already; None for a question, and for what
    a command before it has put on record."""

    def as_dict(self) -> dict[str, Any]:
        return {"number": self.number, "status": self.status, "tags": list(self.tags), "changed": self.changed}


@dataclass(frozen=True, slots=True)
class Command:
    """One of ``policy.COMMANDS`` or ``status``, for a number as its sender writes it."""

    name: str
    number: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Prepared:
    """A command whose number and tags were found to be sound.

    ``fault`` is why the number may not come onto the list. One that is on it may be commanded all the same.
    """

    name: str
    key: int
    tags: Tags
    fault: phone.Reason | None = None


STATUS = "status"
"""The command that only asks."""

REFUSED = -1

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
    prepared = prepare(Command(name, number, tags), customer.region)
    with store.write() as transaction:
        standing = carry_out(transaction, settings, customer, prepared, sender, now)
    log.info("command", command=name, customer=customer.id, changed=standing.changed, actor=sender.actor)
    return standing


def opt_out(
    store: Store, customer: Addressee, number: str, tags: tuple[str, ...], sender: Sender, now: datetime
) -> Standing:
    """The ``command`` of this name, for which nobody's file needs to be sound: nothing of it is asked."""
    prepared = prepare(Command("opt_out", number, tags), customer.region)
    with store.write() as transaction:
        before = standing_of(transaction, customer.id, prepared.key)
        standing = _written(transaction, customer, prepared, before, sender, now)
    log.info("command", command=prepared.name, customer=customer.id, changed=standing.changed, actor=sender.actor)
    return standing


def status(store: Store, customer: Addressee, number: str) -> Standing:
    key = parse_number(number, customer.region)
    with store.read() as transaction:
        return standing_of(transaction, customer.id, key)


def prepare(wanted: Command, region: str) -> Prepared:
    """Outside of any transaction, since reading a number takes its time. Raises ``UsageProblem`` with the cure."""
    if wanted.name not in COMMANDS and wanted.name != STATUS:
        raise UsageProblem(f"command {wanted.name[:40]!r}: expected one of {', '.join((*COMMANDS, STATUS))}")
    key = parse_number(wanted.number, region)
    verdict = phone.parse(wanted.number, region) if wanted.name in _NEEDS_MOBILE else key
    fault = verdict if isinstance(verdict, str) else None
    return Prepared(wanted.name, key, parse_tags(wanted.tags), fault)


def carry_out(
    transaction: Transaction,
    settings: Settings,
    customer: Customer,
    wanted: Prepared,
    sender: Sender,
    now: datetime,
) -> Standing:
    """Does a command in the caller's transaction.

    Raises ``Refused``, or ``UsageProblem`` for a number that may not come onto the list; nothing of it is written then.
    """
    before = standing_of(transaction, customer.id, wanted.key)
    if wanted.name == STATUS:
        return before
    if wanted.fault is not None and before.status == Status.absent.name:
        raise UsageProblem(f"{phone.mask(wanted.key)}: {phone.REASONS[wanted.fault]}")
    if wanted.name in _NEEDS_MOBILE and not line_types.takes_texts(transaction, settings, customer, wanted.key):
        raise _refused(wanted, phone.REASONS["not_mobile"])
    return _written(transaction, addressee(customer), wanted, before, sender, now)


def parse_number(text: str, region: str) -> int:
    """The key of a number that a person asks about or opts out: all that a message can have put onto a list.

    Raises ``UsageProblem`` with the cure.
    """
    return key_or_fault(text, senders.parse(text, region))


def key_or_fault(text: str, verdict: int | phone.Reason) -> int:
    if isinstance(verdict, str):
        reason = phone.REASONS[verdict]
        raise UsageProblem(f"{phone.mask(text)}: {reason}", typed=f"{masked(text[:80])!r}: {reason}")
    return verdict


def parse_tags(texts: tuple[str, ...]) -> Tags:
    tags = [clean(text) for text in texts]
    for text, tag in zip(texts, tags, strict=True):
        if isinstance(tag, BadTag):
            raise UsageProblem(f"tag {text[:80]!r}: {tag.rule}")
    return tuple(sorted({str(tag) for tag in tags}))


def write(
    transaction: Transaction,
    customer: str,
    rules: Policy,
    key: int,
    tags: Tags,
    sender: Sender,
    now: datetime,
    message_id: str | None = None,
    note: str = "",
) -> int:
    """Plans and writes the change of one number.

    Returns the list's version that it made, 0 where there was nothing to write, or ``REFUSED``.
    """
    head = lists.create_list(transaction, customer, now)
    keys = np.array([key], np.int64)
    state = lists.read_state(transaction, head, keys)
    sets = tagsets.around(transaction, head.id, [(int(state.tag_set[0]) if len(state) else EMPTY, tags)])
    plan = make_plan(state, Listed(keys, np.zeros(1, np.int32), [tags]), rules, sets)
    if len(plan.refused):
        return REFUSED
    change = Change(stamp(now), sender.actor, sender.source, sender.channel, message=message_id, note=note)
    written = lists.write_plan(transaction, head, plan, sets, change)
    return written.version if written.version > head.version else 0


def standing_of(transaction: Transaction, customer: str, key: int) -> Standing:
    head = lists.open_list(transaction, customer)
    state = lists.read_state(transaction, head, np.array([key], np.int64))
    if head is None or len(state) == 0:
        return Standing(phone.format_key(key), Status.absent.name, ())
    own = int(state.tag_set[0])
    tags = tagsets.of_ids(transaction, head.id, [own])[own]
    return Standing(phone.format_key(key), Status(int(state.status[0])).name, tags)


def _written(
    transaction: Transaction, customer: Addressee, wanted: Prepared, before: Standing, sender: Sender, now: datetime
) -> Standing:
    """Does a command that the number's line does not forbid. Raises ``Refused`` where the list does."""
    event = write(transaction, customer.id, COMMANDS[wanted.name], wanted.key, wanted.tags, sender, now)
    if event == REFUSED:
        why = _REFUSALS.get((wanted.name, Status[before.status]), f"it is {before.status}")
        raise _refused(wanted, why.format(keyword=customer.keyword))
    after = standing_of(transaction, customer.id, wanted.key)
    changed = (before.status, before.tags) != (after.status, after.tags)
    told = "" if changed else f"nothing to change: it is {after.status} already"
    return replace(after, changed=changed, message=told, event=event or None)


def _refused(wanted: Prepared, why: str) -> Refused:
    return Refused(f"{phone.mask(wanted.key)} cannot be changed by {wanted.name}: {why}")
