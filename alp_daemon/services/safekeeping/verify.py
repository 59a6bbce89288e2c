"""Whether the database is what its own history says: nothing added, lost or edited past this program.

The events are the truth, and a digest is chained over them. Lists, snapshots, sets of tags and what uploads say that
they did must follow from them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from alp_daemon.customers import customer_of, is_mail_list
from alp_daemon.domain import phone, tag
from alp_daemon.domain.model import CONFIRMED, ListState
from alp_daemon.domain.replay import Break, Replay, compare
from alp_daemon.errors import NotFound
from alp_daemon.services.safekeeping.uploadfigures import UploadFigures
from alp_daemon.store import firstlistings, lists
from alp_daemon.store.lists import ListHead
from alp_daemon.store.store import Store, Transaction


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found of one list. Without faults all of it follows from its events."""

    list: str
    addresses: int
    changes: int
    events: int
    faults: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def verify(store: Store, customer: str | None = None) -> list[Verified]:
    """Every list, or those of one customer, all at one instant; the daemon may run. A few seconds a million events.

    Raises ``NotFound`` where the customer has no list.
    """
    with store.read() as transaction:
        found = list(of_lists(transaction, customer))
    if customer is not None and not found:
        raise NotFound(f"there is no list of {customer!r} in {store.name}")
    return found


def of_lists(transaction: Transaction, customer: str | None = None) -> Iterator[Verified]:
    for row in transaction.all("lists.all"):
        if customer in (None, customer_of(row["customer"])):
            head = lists.open_list(transaction, row["customer"])
            assert head is not None
            yield _of_list(transaction, head)
    strangers = transaction.all("verify.strangers") if customer is None else []
    for row in strangers:
        yield Verified(f"list {row['list']}", 0, 0, 0, (f"list {row['list']}: it has a history, and is on no list",))


@dataclass(slots=True)
class _History:
    """What reading all changes of a list has shown."""

    figures: UploadFigures
    replay: Replay = field(default_factory=Replay)
    changes: int = 0
    events: int = 0
    broken_at: int | None = None
    """The first version whose record or events are not what they were when it was written."""
    miscounted: list[int] = field(default_factory=list)
    """Versions with more or fewer events than their record says."""
    tag_sets: set[int] = field(default_factory=set)
    """All ids that events name."""
    attribute_sets: set[int] = field(default_factory=set)


def _of_list(transaction: Transaction, head: ListHead) -> Verified:
    history = _read(transaction, head)
    expected, found = history.replay.state(), lists.read_state(transaction, head)
    faults = [
        *_history(transaction, head, history),
        *_rows(head, history, expected, found),
        *_copies(transaction, head),
        *_feeds(transaction, head, found),
        *_sets(transaction, head, history),
        *_subscribers(transaction, head, found, history),
        *history.figures.faults(transaction, head, history.replay),
    ]
    told = tuple(f"{head.customer}: {fault}" for fault in faults)
    return Verified(head.customer, len(found), history.changes, history.events, told)


def _read(transaction: Transaction, head: ListHead) -> _History:
    found = _History(UploadFigures(lists.read_tag_sets(transaction, head)))
    digest = b""
    for each in lists.history(transaction, head):
        digest = each.digest
        if not each.holds and found.broken_at is None:
            found.broken_at = each.version
        if each.said != len(each.events[0]):
            found.miscounted.append(each.version)
        found.changes += 1
        found.events += len(each.events[0])
        found.replay.add(each.version, each.events)
        found.figures.add(each)
        found.tag_sets |= _ids(each.events[3:5])
        found.attribute_sets |= _ids(each.events[5:7])
    if digest != head.digest and found.broken_at is None:
        found.broken_at = head.version
    return found


def _ids(columns: Iterable[np.ndarray]) -> set[int]:
    return {id_ for column in columns for id_ in _distinct(column)}


def _distinct(column: np.ndarray) -> list[int]:
    # Most columns have one value throughout: looking is cheaper than sorting.
    if len(column) and (column == column[0]).all():
        return [int(column[0])]
    return [int(each) for each in np.unique(column)]


def _history(transaction: Transaction, head: ListHead, found: _History) -> Iterator[str]:
    if found.broken_at is not None:
        yield (
            "the history was changed by something other than this program, at version"
            f" {found.broken_at} or later; compare with a backup"
        )
    for version in found.miscounted:
        yield f"the record of version {version} names another number of events than it has"
    stored = transaction.one("verify.events", list=head.id)
    assert stored is not None
    if stored["n"] != found.events:
        yield f"{stored['n'] - found.events} events belong to no change of its history"


def _rows(head: ListHead, history: _History, expected: ListState, found: ListState) -> Iterator[str]:
    if history.replay.broken is not None:
        broken = history.replay.broken
        yield f"the event of {_name(head, broken)} in version {broken.version} does not begin where the address stood"
    if (differs := compare(expected, found)) is not None:
        yield f"{_name(head, differs)} does not stand as its events say, nor may others after it"


def _copies(transaction: Transaction, head: ListHead) -> Iterator[str]:
    if not transaction.is_read_right(head.id):
        mended = f"DELETE FROM snapshot_segments WHERE list = {head.id}"  # noqa: S608  said, not run
        yield (
            "its rows were changed past their triggers, and files are compared with what they"
            f" were; with any SQLite tool: {mended}"
        )


def _feeds(transaction: Transaction, head: ListHead, found: ListState) -> Iterator[str]:
    known = sum(1 << int(row["bit"]) for row in transaction.all("verify.feed_bits", list=head.id))
    strange = (found.feeds & ~np.int64(known | CONFIRMED)) != 0
    if strange.any():
        first = int(found.keys[strange][0])
        yield f"{_name(head, Break(0, first))} was listed by a feed that the list does not know"
    for upload, keys in firstlistings.of_list(transaction, head.id):
        if not np.isin(keys, found.keys).all():
            yield f"upload {upload} is said to have listed addresses that the list has never held"


def _sets(transaction: Transaction, head: ListHead, history: _History) -> Iterator[str]:
    rows = transaction.all("tag_sets.all", list=head.id)
    if missing := history.tag_sets - {0, *(row["id"] for row in rows)}:
        yield f"set {min(missing)} of tags is missing, which its events name"
    for row in rows:
        tags = row["tags"].split(";")
        if tags != sorted(set(tags)) or any(tag.clean(each) != each for each in tags):
            yield f"set {row['id']} of tags is not as this program writes them"


def _subscribers(transaction: Transaction, head: ListHead, found: ListState, history: _History) -> Iterator[str]:
    """What only lists of e-mail addresses have: the addresses behind the keys, and attributes."""
    if not is_mail_list(head.customer):
        return
    emails = np.array(list(transaction.read_texts("emails.part", head.id)), np.int64)
    nameless = found.keys[~np.isin(found.keys, emails)]
    if len(nameless):
        yield f"{_name(head, Break(0, int(nameless[0])))} has no e-mail address"
    attributes = transaction.read_texts("attribute_sets.part", head.id)
    if missing := history.attribute_sets - {0, *attributes}:
        yield f"set {min(missing)} of attributes is missing, which its events name"
    for id_, text in attributes.items():
        if not _is_object(text):
            yield f"set {id_} of attributes is not as this program writes them"


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def _name(head: ListHead, at: Break) -> str:
    return f"subscriber {at.key}" if is_mail_list(head.customer) else phone.mask(at.key)
