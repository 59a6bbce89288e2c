"""Undo: reverses what one upload did, address by address, and says what it left alone.

An address is put back only while it still stands as the upload left it and nobody has spoken about it since: neither
its end user (the keyword, sent again, is a consent of its own) nor an operator. Who said STOP since is left opted out,
whoever asks for the undo.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from alp_daemon import log
from alp_daemon.domain.model import Codes, Keys, ListState, Statuses
from alp_daemon.domain.plan import Changes, Plan
from alp_daemon.errors import Refused
from alp_daemon.store import lists, uploads
from alp_daemon.store.lists import Change, ListHead
from alp_daemon.store.store import Store, Transaction, stamp
from alp_daemon.store.uploads import Upload

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Undone:
    """How many addresses were reversed, kept (changed since), and refused (their end user said STOP since)."""

    upload: int
    reversed: int
    kept: int
    refused: int

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Did:
    """What the upload did: its events as columns, over all the changes it made."""

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
        if head is not None and upload.version is not None:
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
    state = lists.read_state(transaction, head, did.keys)
    as_left = (state.status == did.status_after) & (state.tag_set == did.tags_after) & (state.attrs == did.attrs_after)
    stopped = _spoken_about(transaction, "events.end_user_stops", head, upload, did.keys)
    spoken_for = _spoken_about(transaction, "events.spoken_for", head, upload, did.keys)
    reverse = as_left & ~spoken_for  # who said STOP is among these
    plan = _plan(state, did, reverse)
    change = Change(stamp(now), by, "undo", "cli", upload=upload.id, note=f"undo of upload {upload.id}")
    lists.write_plan(transaction, head, plan, lists.read_tag_sets(transaction, head), change)
    return Undone(upload.id, int(reverse.sum()), int((~reverse & ~stopped).sum()), int(stopped.sum()))


def _events_of(transaction: Transaction, head: ListHead, upload: Upload) -> _Did:
    versions = [row["version"] for row in transaction.all("changes.of_upload", list=head.id, upload=upload.id)]
    columns = [transaction.read_events(head.id, version) for version in versions]
    # A file with removals made two changes, of different addresses; together they are sorted again.
    joined = [np.concatenate(parts) for parts in zip(*columns, strict=True)]
    order = np.argsort(joined[0])
    return _Did(*(column[order] for column in joined))


def _spoken_about(transaction: Transaction, query: str, head: ListHead, upload: Upload, keys: Keys) -> Mask:
    """Which of the addresses a query finds in what people did after the upload."""
    rows = transaction.all(query, list=head.id, version=upload.version)
    return np.isin(keys, np.array([row["key"] for row in rows], np.int64))


def _plan(state: ListState, did: _Did, reverse: Mask) -> Plan:
    before = ListState(
        state.version,
        state.keys[reverse],
        state.status[reverse],
        state.tag_set[reverse],
        state.attrs[reverse],
        state.feeds[reverse],
    )
    after = ListState(
        state.version,
        before.keys,
        did.status_before[reverse].astype(np.int8),
        did.tags_before[reverse].astype(np.int32),
        did.attrs_before[reverse].astype(np.int32),
        before.feeds,
    )
    every = np.ones(len(before), np.bool_)
    return Plan(state.version, before, after, every, np.empty(0, np.int64), Changes(), 0, 0)
