"""Lists: read a list's state into arrays, write a plan. No rule stands here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from alp_daemon.domain.model import Keys, ListState
from alp_daemon.domain.plan import Plan
from alp_daemon.domain.tag_sets import TagSets
from alp_daemon.errors import Refused
from alp_daemon.store import firstlistings, tagsets
from alp_daemon.store.store import Transaction, stamp

HIGHEST_FEED_BIT = 62  # of addresses.feeds, a signed 64-bit number; the sign is model.CONFIRMED
_HASHED_AT_ONCE = 2**20  # events; a whole column of them in eight bytes each would be the most memory of a first load


@dataclass(frozen=True, slots=True)
class ListHead:
    """A list's row: its id, the number of its last change, and the digest chained over all of them."""

    id: int
    customer: str
    version: int
    digest: bytes
    imported_at: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """Who changes a list, when, and by what. ``source``: file, operator, api, end_user, import or undo."""

    at: str
    actor: str
    source: str
    channel: str
    upload: int | None = None
    message: str | None = None
    note: str = ""


def open_list(transaction: Transaction, customer: str) -> ListHead | None:
    """The customer's list, or None before its first change. A write transaction has it to itself from here on."""
    transaction.lock("list", customer)
    row = transaction.one("lists.of", customer=customer)
    if row is None:
        return None
    return ListHead(row["id"], row["customer"], row["version"], row["digest"], row["imported_at"])


def create_list(transaction: Transaction, customer: str, now: datetime) -> ListHead:
    head = open_list(transaction, customer)
    if head is None:
        transaction.run("lists.add", customer=customer, now=stamp(now))
        head = open_list(transaction, customer)
    assert head is not None
    return head


def read_state(transaction: Transaction, head: ListHead | None, keys: Keys | None = None) -> ListState:
    """The list as arrays; with ``keys`` (sorted) only those rows."""
    if head is None:
        return ListState.empty()
    if keys is None:
        return transaction.read_addresses(head.id, head.version)
    return transaction.read_some_addresses(head.id, head.version, keys)


def read_tag_sets(transaction: Transaction, head: ListHead | None) -> TagSets:
    if head is None:
        return TagSets()
    return TagSets((row["id"], tagsets.parsed(row["tags"])) for row in transaction.all("tag_sets.all", list=head.id))


def feed_bit(transaction: Transaction, head: ListHead | None, feed: str) -> int:
    """The feed's mask in ``ListState.feeds``: the one it has, or the one that ``keep_feed_bit`` will give it."""
    if head is None:
        return 1
    row = transaction.one("feed_bits.get", list=head.id, feed=feed)
    if row is None:
        row = transaction.one("feed_bits.next", list=head.id)
    assert row is not None
    if row["bit"] > HIGHEST_FEED_BIT:
        raise Refused(f"customer {head.customer}: a list can tell {HIGHEST_FEED_BIT + 1} feeds apart, not more")
    return 1 << int(row["bit"])


def keep_feed_bit(transaction: Transaction, head: ListHead, feed: str) -> int:
    """Gives the feed its bit for good, from its first applied upload on; returns the mask."""
    mask = feed_bit(transaction, head, feed)
    transaction.run("feed_bits.keep", list=head.id, feed=feed, bit=mask.bit_length() - 1)
    return mask


def write_plan(transaction: Transaction, head: ListHead, plan: Plan, sets: TagSets, change: Change) -> ListHead:
    """Writes the rows and events of a plan made against exactly this version; returns the list's new head.

    A plan that only sets feed bits is not a change: the version stays, and no tag set is stored. Others who plan at
    this version number their new sets from the same id on.
    """
    transaction.upsert_addresses(head.id, plan.after)
    if change.upload is not None:
        firstlistings.keep(transaction, head.id, change.upload, plan)
    if not plan.is_event.any():
        return head
    transaction.many(
        "tag_sets.add", ({"list": head.id, "id": id_, "tags": tagsets.written(tags)} for id_, tags in sets.take_new())
    )
    version = head.version + 1
    digest = chained_digest(head.digest, version, change, plan.events)
    advanced = transaction.run("lists.advance", list=head.id, version=version, digest=digest)
    assert advanced == 1, "the list moved inside a write transaction"
    transaction.run(
        "changes.add",
        list=head.id,
        version=version,
        events=int(plan.is_event.sum()),
        digest=digest,
        **asdict(change),
    )
    transaction.insert_events(head.id, version, plan.events)
    return ListHead(head.id, head.customer, version, digest, head.imported_at)


def chained_digest(previous: bytes, version: int, change: Change, events: Sequence[NDArray[np.generic]]) -> bytes:
    """SHA-256 over the previous digest, the change and its events: nobody edits the past unseen."""
    digest = hashlib.sha256(previous)
    digest.update(json.dumps([version, asdict(change)], sort_keys=True).encode())
    for column in events:
        for start in range(0, len(column), _HASHED_AT_ONCE):
            digest.update(np.ascontiguousarray(column[start : start + _HASHED_AT_ONCE], dtype="<i8").data)
    return digest.digest()


@dataclass(frozen=True, slots=True)
class Recorded:
    """A change as it is kept, and its events (the columns of ``insert_events``)."""

    version: int
    change: Change
    events: list[NDArray[np.int64]]
    said: int
    """How many events its record says that it has."""
    digest: bytes
    """Chained over it and all before it, as they are now."""
    holds: bool
    """Whether it, its events and all before them are what they were when they were written."""


def history(transaction: Transaction, head: ListHead) -> Iterator[Recorded]:
    """All changes of a list from the first on: a second or so for a million events."""
    digest, holds = b"", True
    for row in transaction.all("changes.of_list", list=head.id):
        change = Change(**{field.name: row[field.name] for field in fields(Change)})
        events = transaction.read_events(head.id, row["version"])
        digest = chained_digest(digest, row["version"], change, events)
        holds = holds and digest == row["digest"]
        yield Recorded(row["version"], change, events, row["events"], digest, holds)


def first_broken_change(transaction: Transaction, head: ListHead) -> int | None:
    """The first version whose record or events are not what they were when it was written; None if all are."""
    digest = b""
    for each in history(transaction, head):
        if not each.holds:
            return each.version
        digest = each.digest
    return None if digest == head.digest else head.version
