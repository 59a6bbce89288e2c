"""Undo: takes an upload out of what the list is made of, address by address, and says what it left alone.

An address is put back only while it still stands as the upload left it, and nothing that was said of it since stands:
by its end user (the keyword, sent again, is a consent of its own), by an operator, a command, an import, or a file that
was not undone itself. Nor is it taken off the list while another feed lists it. Who said STOP since is left opted out,
whoever asks for the undo.

Uploads may be undone in any order. What one undo has kept for the sake of another upload goes back with that one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime

import numpy as np

from alp_daemon import log
from alp_daemon.domain.changes import Changes
from alp_daemon.domain.model import Keys, ListState, Status
from alp_daemon.domain.plan import Plan
from alp_daemon.domain.policy import MODES
from alp_daemon.domain.rows import differs, find, rows_of, take
from alp_daemon.errors import Refused
from alp_daemon.services.decisions import putback
from alp_daemon.store import firstlistings, lists, uploads
from alp_daemon.store.lists import Change, ListHead
from alp_daemon.store.store import Row, Store, Transaction, stamp
from alp_daemon.store.uploads import Upload


@dataclass(frozen=True, slots=True)
class Undone:
    """How many addresses were reversed, kept (changed or confirmed since), and refused (they said STOP since).

    Among the reversed are those that another upload had changed, which was undone before.
    """

    upload: int
    reversed: int
    kept: int
    refused: int

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


def undo(store: Store, upload_id: int, by: str, now: datetime, *, anyway: bool = False) -> Undone:
    """Reverses an applied upload in one transaction. Raises ``Refused`` where a later file of the feed was applied."""
    with store.write() as transaction:
        upload = uploads.get(transaction, upload_id)
        head = lists.open_list(transaction, upload.list_name)
        later = transaction.all("uploads.later_applied", customer=upload.customer, feed=upload.feed, id=upload.id)
        _check(upload, later, anyway=anyway)
        transaction.run("uploads.mark_undone", id=upload_id, by=by, now=stamp(now))
        undone = Undone(upload_id, 0, 0, 0)
        if head is not None:
            undone = _reverse(transaction, head, upload, _heir(later), by, now)
    log.info("undone", customer=upload.customer, by=by, **undone.as_dict())
    return undone


def _check(upload: Upload, later: Sequence[Row], *, anyway: bool) -> None:
    if upload.state != "applied":
        raise Refused(f"upload {upload.id} is {upload.state}; only an applied upload can be undone")
    if upload.undone_at is not None:
        raise Refused(f"upload {upload.id} was undone by {upload.undone_by} on {upload.undone_at}")
    if later and not anyway:
        raise Refused(_told_of(upload, later))


def _told_of(upload: Upload, later: Sequence[Row]) -> str:
    newest = later[-1]["id"]
    if len(later) == 1:
        return f"upload {newest} of the same feed was applied after {upload.id}; undo that one first, or say --anyway"
    return (
        f"{len(later):,} uploads of the same feed were applied after {upload.id}; undo them first, from the newest"
        f" (upload {newest}) on, or say --anyway"
    )


def _heir(later: Sequence[Row]) -> int | None:
    """Which later upload of the feed lists whom it has left opted in: the first of a mode that removes all others.

    Of other modes nobody knows whom they have listed again.
    """
    return next((row["id"] for row in later if row["mode"] in MODES and MODES[row["mode"]].removes), None)


def _reverse(
    transaction: Transaction, head: ListHead, upload: Upload, heir: int | None, by: str, now: datetime
) -> Undone:
    """``upload`` is marked as undone already. ``heir`` takes over whom it was the first of its feed to list."""
    own = [row["version"] for row in transaction.all("changes.of_upload", list=head.id, upload=upload.id)]
    did = putback.did(transaction, head, own)
    came = did.keys[did.status_before == Status.absent]
    listed = np.union1d(came, firstlistings.of_upload(transaction, head.id, upload.id))
    rows = _rows(transaction, head, np.union1d(did.keys, listed))
    assert upload.feed is not None, "applied without a feed"
    bit = lists.feed_bit(transaction, head, upload.feed)
    after, is_back = putback.put_back(transaction, head, _without_feed(rows, listed, bit))
    firstlistings.forget(transaction, head.id, upload.id)
    if heir is not None:
        of_heir = np.isin(after.keys, listed, assume_unique=True) & (after.status != Status.absent)
        after.feeds[of_heir] |= bit
        firstlistings.add(transaction, head.id, heir, after.keys[of_heir])
    change = Change(stamp(now), by, "undo", "cli", upload=upload.id, note=f"undo of upload {upload.id}")
    lists.write_plan(transaction, head, _plan(rows, after), lists.read_tag_sets(transaction, head), change)
    stops = transaction.all("events.end_user_stops", list=head.id, version=upload.version)
    stopped = putback.found_by(stops, did.keys)
    kept = ~is_back[np.searchsorted(rows.keys, did.keys)] & ~stopped
    return Undone(upload.id, int(is_back.sum()), int(kept.sum()), int(stopped.sum()))


def _rows(transaction: Transaction, head: ListHead, keys: Keys) -> ListState:
    """These addresses as they stand, one row each."""
    state = lists.read_state(transaction, head, keys)
    return rows_of(state, keys, *find(state.keys, keys))


def _without_feed(rows: ListState, listed: Keys, bit: int) -> ListState:
    """Whatever becomes of an address, its feed has not listed it by this upload: a later file must not miss it."""
    feeds = rows.feeds.copy()
    feeds[np.searchsorted(rows.keys, listed)] &= ~np.int64(bit)
    return replace(rows, feeds=feeds)


def _plan(before: ListState, after: ListState) -> Plan:
    # A feed's bit alone is an event here: who plans a file meanwhile must learn of it.
    written = differs(before, after) | (before.feeds != after.feeds)
    every = np.ones(int(written.sum()), np.bool_)
    nothing = np.empty(0, np.int64)
    return Plan(before.version, take(before, written), take(after, written), every, nothing, Changes(), 0, 0)
