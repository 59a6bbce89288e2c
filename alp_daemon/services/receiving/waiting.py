"""How waiting ends: a temporary name, a name that no feed takes, a sidecar that is late (its own end: ``sidecar``).

An upload that waits never blocks those behind it, and a wait that runs out always ends in something a person sees.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from alp_daemon.customers import Customer, is_temporary
from alp_daemon.domain.guard import HoldCode, HoldReason
from alp_daemon.registry import Registry
from alp_daemon.services.receiving.place import Place, WaitsFor, no_feed, place, sidecar_suffix
from alp_daemon.store import uploads
from alp_daemon.store.store import Row, Store, Transaction, stamp

# What a client that has left can do nothing about any more; a sidecar may still come in another session.
_ENDS_WITH_SESSION = (WaitsFor.rename, WaitsFor.match)


@dataclass(frozen=True, slots=True)
class _Ending:
    """An upload's end without having been worked: the query that writes it, and why."""

    query: str
    reason: str
    hold: str | None = None


def end_expired(store: Store, registry: Registry, now: datetime) -> bool:
    """Ends every wait that has run out. Returns whether an upload became due."""
    with store.read() as transaction:
        expired = transaction.one("uploads.expired_waits", now=stamp(now)) is not None
    if not expired:
        # The usual second: nothing to write, so no write lock is taken.
        return False
    with store.write() as transaction:
        rows = transaction.all("uploads.expired_waits", now=stamp(now))
        return _end(transaction, registry, rows, now)


def end_session(store: Store, registry: Registry, session: str, now: datetime) -> bool:
    """The client left: unknown names get no other name now, and a rename under way will not be finished.

    Temporary names go on waiting: their client may come back. Returns whether an upload became due.
    """
    with store.write() as transaction:
        rows = [
            row
            for row in transaction.all("uploads.session_open", session=session)
            if row["waits_for"] in _ENDS_WITH_SESSION and not is_temporary(row["name"])
        ]
        return _end(transaction, registry, rows, now)


def put(transaction: Transaction, upload: int, where: Place) -> bool:
    """Puts a received upload in its place. Returns whether it is in the queue now."""
    return bool(transaction.run("uploads.place", id=upload, **where.as_row())) and where.waits_for is None


def _end(transaction: Transaction, registry: Registry, rows: Iterable[Row], now: datetime) -> bool:
    due = False
    for row in rows:
        if not uploads.end_wait(transaction, row):
            continue
        end = _ending(row, registry.customer(row["customer"]), now)
        if isinstance(end, Place):
            due |= put(transaction, row["id"], end)
        else:
            transaction.run(end.query, id=row["id"], reason=end.reason, hold=end.hold, now=stamp(now))
    return due


def _ending(row: Row, customer: Customer | None, now: datetime) -> Place | _Ending:
    """What becomes of an upload that waits no longer: another place, or its end."""
    name = row["name"]
    if row["waits_for"] == WaitsFor.sidecar:
        return _sidecar_missing(name, customer, row["feed"])
    if is_temporary(name):
        reason = f'it kept the temporary name "{name}" for 24 hours; rename it when the upload is complete'
        return _Ending("uploads.reject_waiting", reason)
    # Asked again: it is back under its own name, or the feeds have changed meanwhile.
    where = place(customer, name, row["folder"], now)
    if customer is not None and where.waits_for is WaitsFor.match:
        return _Ending("uploads.reject_waiting", no_feed(customer, name))
    return where


def _sidecar_missing(name: str, customer: Customer | None, feed: str | None) -> _Ending:
    suffix = (sidecar_suffix(customer, feed) if customer else None) or ".sha256 or .done"
    reason = f"its sidecar {name}{suffix} did not arrive; send it, or release the file"
    hold = uploads.hold_column([HoldReason(HoldCode.sidecar_missing, reason)])
    return _Ending("uploads.hold_without_sidecar", reason, hold)
