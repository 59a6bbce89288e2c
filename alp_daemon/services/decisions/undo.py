"""Undo: reverses what one upload did, address by address, and says what it left alone.

An address is put back only while it still stands as the upload left it and nobody has spoken about it since: neither
its end user (the keyword, sent again, is a consent of its own), nor an operator, a command or an import, nor a file
that asks for its opt-out by name. Nor is it taken off the list while another feed lists it. Who said STOP since is
left opted out, whoever asks for the undo.

Whatever becomes of an address, its feed has not listed it by this upload: a later file must not miss it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from alp_daemon import log
from alp_daemon.domain.changes import Changes
from alp_daemon.domain.model import Codes, Keys, ListState, Status, Statuses
from alp_daemon.domain.plan import Plan
from alp_daemon.domain.rows import differs, find, rows_of, take
from alp_daemon.errors import Refused
from alp_daemon.store import firstlistings, lists, uploads
from alp_daemon.store.lists import Change, ListHead
from alp_daemon.store.store import Store, Transaction, stamp
from alp_daemon.store.uploads import Upload

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Undone:
    """How many addresses were reversed, kept (changed or confirmed since), and refused (they said STOP since)."""

    upload: int
    reversed: int
    kept: int
    refused: int

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Did:
    """What the upload did: its events as columns, over all the changes it made. What changed nothing is left out."""

    keys: Keys
    status_before: Statuses
    status_after: Statuses
    tags_before: Codes
    tags_after: Codes
    attrs_before: Codes
    attrs_after: Codes


def undo(store: Store, upload_id: int, by: str, now: datetime, *, anyway: bool = False) -> Undone:
    """Reverses an applied upload in one transaction. Raises ``Refused`` where a later file of the feed was applied."""
    with store.write() as transaction:
        upload = uploads.get(transaction, upload_id)
        head = lists.open_list(transaction, upload.list_name)
        _check(transaction, upload, anyway=anyway)
        undone = Undone(upload_id, 0, 0, 0)
        if head is not None:
            undone = _reverse(transaction, head, upload, by, now)
        transaction.run("uploads.mark_undone", id=upload_id, by=by, now=stamp(now))
    log.info("undone", customer=upload.customer, by=by, **undone.as_dict())
    return undone


def _check(transaction: Transaction, upload: Upload, *, anyway: bool) -> None:
    if upload.state != "applied":
        raise Refused(f"upload {upload.id} is {upload.state}; only an applied upload can be undone")
    if upload.undone_at is not None:
        raise Refused(f"upload {upload.id} was undone by {upload.undone_by} on {upload.undone_at}")
    later = transaction.one("uploads.later_applied", customer=upload.customer, feed=upload.feed, id=upload.id)
    if later and not anyway:
        raise Refused(
            f"upload {later['id']} of the same feed was applied after {upload.id}; undo that one first, or say --anyway"
        )


def _reverse(transaction: Transaction, head: ListHead, upload: Upload, by: str, now: datetime) -> Undone:
    did = _events_of(transaction, head, upload)
    came = did.keys[did.status_before == Status.absent]
    listed = np.union1d(came, firstlistings.of_upload(transaction, head.id, upload.id))
    rows = _rows(transaction, head, np.union1d(did.keys, listed))
    assert upload.feed is not None, "applied without a feed"
    unlisted = _without_feed(rows, listed, lists.feed_bit(transaction, head, upload.feed))
    stopped = _spoken_about(transaction, "events.end_user_stops", head, upload, did.keys)
    spoken_for = _spoken_about(transaction, "events.spoken_for", head, upload, did.keys)  # who said STOP is among these
    reverse = _stand_as_left(unlisted, did) & ~spoken_for
    plan = _plan(rows, _put_back(unlisted, did, reverse))
    change = Change(stamp(now), by, "undo", "cli", upload=upload.id, note=f"undo of upload {upload.id}")
    lists.write_plan(transaction, head, plan, lists.read_tag_sets(transaction, head), change)
    firstlistings.forget(transaction, head.id, upload.id)
    return Undone(upload.id, int(reverse.sum()), int((~reverse & ~stopped).sum()), int(stopped.sum()))


def _events_of(transaction: Transaction, head: ListHead, upload: Upload) -> _Did:
    versions = [row["version"] for row in transaction.all("changes.of_upload", list=head.id, upload=upload.id)]
    nothing = [np.empty(0, np.int64) for _ in fields(_Did)]
    columns = [transaction.read_events(head.id, version) for version in versions]
    # A file with removals made two changes, of different addresses; together they are sorted again.
    did = _Did(*(np.concatenate(parts) for parts in zip(nothing, *columns, strict=True)))
    changed = (
        (did.status_before != did.status_after)
        | (did.tags_before != did.tags_after)
        | (did.attrs_before != did.attrs_after)
    )
    order = np.argsort(did.keys[changed])
    return _Did(*(getattr(did, column.name)[changed][order] for column in fields(_Did)))


def _rows(transaction: Transaction, head: ListHead, keys: Keys) -> ListState:
    """These addresses as they stand, one row each."""
    state = lists.read_state(transaction, head, keys)
    return rows_of(state, keys, *find(state.keys, keys))


def _without_feed(rows: ListState, listed: Keys, bit: int) -> ListState:
    feeds = rows.feeds.copy()
    feeds[np.searchsorted(rows.keys, listed)] &= ~np.int64(bit)
    return replace(rows, feeds=feeds)


def _spoken_about(transaction: Transaction, query: str, head: ListHead, upload: Upload, keys: Keys) -> Mask:
    """Which of the addresses a query finds in what was said after the upload."""
    rows = transaction.all(query, list=head.id, version=upload.version)
    return np.isin(keys, np.array([row["key"] for row in rows], np.int64))


def _stand_as_left(unlisted: ListState, did: _Did) -> Mask:
    """Which of the addresses are as the upload left them. One that came by it, and another feed lists, is that feed's.

    ``unlisted`` is without the bits that the upload set.
    """
    now = take(unlisted, np.searchsorted(unlisted.keys, did.keys))
    same = (now.status == did.status_after) & (now.tag_set == did.tags_after) & (now.attrs == did.attrs_after)
    of_others = (did.status_before == Status.absent) & (now.feeds != 0)
    as_left: Mask = same & ~of_others
    return as_left


def _put_back(rows: ListState, did: _Did, reverse: Mask) -> ListState:
    at = np.searchsorted(rows.keys, did.keys[reverse])
    status, tag_set, attrs = rows.status.copy(), rows.tag_set.copy(), rows.attrs.copy()
    status[at], tag_set[at], attrs[at] = did.status_before[reverse], did.tags_before[reverse], did.attrs_before[reverse]
    return replace(rows, status=status, tag_set=tag_set, attrs=attrs)


def _plan(before: ListState, after: ListState) -> Plan:
    # A feed's bit alone is an event here: who plans a file meanwhile must learn of it.
    written = differs(before, after) | (before.feeds != after.feeds)
    every = np.ones(int(written.sum()), np.bool_)
    nothing = np.empty(0, np.int64)
    return Plan(before.version, take(before, written), take(after, written), every, nothing, Changes(), 0, 0)
