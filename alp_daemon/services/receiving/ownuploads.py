"""What a client may still do to its own uploads: rename them, take them back, leave, and ask for them.

Each works until a worker has the upload.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from alp_daemon import log
from alp_daemon.customers import is_temporary
from alp_daemon.errors import TryAgain
from alp_daemon.files.spool import Spool
from alp_daemon.registry import Registry
from alp_daemon.services.receiving import waiting
from alp_daemon.services.receiving.place import RENAME_WAIT, RNTO_WAIT, WaitsFor, place
from alp_daemon.store.store import Store, Transaction, moment, stamp

RECENT = timedelta(minutes=10)
"""How long a name is answered for after its upload: schedulers verify by SIZE, some in a session of their own."""


@dataclass(frozen=True, slots=True)
class Recent:
    """An upload that its sender may still ask for. ``picked_up``: too late to rename or delete it."""

    upload: int
    name: str
    folder: str
    size: int
    received_at: datetime
    picked_up: bool


class OwnUploads:
    """Safe for threads. Every method may wait for the database: never call them on an I/O loop.

    All raise :class:`~alp_daemon.errors.TryAgain` when the database is locked or full.
    """

    def __init__(self, store: Store, spool: Spool, registry: Registry, on_due: Callable[[], None]) -> None:
        self._store = store
        self._spool = spool
        self._registry = registry
        self._on_due = on_due

    def hold_back(self, upload: int, now: datetime) -> bool:
        """RNFR: takes the upload out of the queue until its rename. ``False``: a worker has it already."""
        with self._store.write() as transaction:
            row = transaction.one("uploads.get", id=upload)
            wait = RENAME_WAIT if row is not None and is_temporary(row["name"]) else RNTO_WAIT
            return bool(transaction.run("uploads.hold_back", id=upload, until=stamp(now + wait)))

    def release_hold_back(self, upload: int, now: datetime) -> None:
        """RNFR without RNTO: the upload goes back to where its old name puts it."""
        with self._store.write() as transaction:
            row = transaction.one("uploads.get", id=upload)
            if row is None or row["waits_for"] != WaitsFor.rename.value:
                return
            due = waiting.put(
                transaction, upload, place(self._registry.customer(row["customer"]), row["name"], row["folder"], now)
            )
        self._tell(due)

    def rename(self, upload: int, customer: str, name: str, folder: str, now: datetime) -> bool:
        """RNTO: the upload arrives now, under this name. ``False``: a worker has it, or it is another's."""
        where = place(self._registry.customer(customer), name, folder, now)
        with self._store.write() as transaction:
            renamed = transaction.run(
                "uploads.rename",
                id=upload,
                customer=customer,
                name=name,
                folder=folder,
                now=stamp(_behind_all(transaction, customer, upload, now)),
                **where.as_row(),
            )
        if renamed:
            log.info("upload_renamed", upload=upload, customer=customer, name=name, folder=folder)
        self._tell(bool(renamed) and where.waits_for is None)
        return bool(renamed)

    def delete(self, upload: int, by: str, now: datetime) -> bool:
        """DELE: the sender takes the upload back, and its bytes are erased. ``False``: a worker has it already."""
        with self._store.write() as transaction:
            row = transaction.one("uploads.withdraw", id=upload, reason=f"deleted by {by}", now=stamp(now))
        if row is None:
            return False
        try:
            self._spool.remove([row["object"]])
        except TryAgain as error:
            # No record knows the object any more, so that the next clean-up takes it.
            log.warning("object_left_behind", upload=upload, error=str(error))
        log.info("upload_deleted", upload=upload, by=by)
        return True

    def end_session(self, session: str, now: datetime) -> None:
        """The client left: what still hoped for a better name is decided."""
        self._tell(waiting.end_session(self._store, self._registry, session, now))

    def recent(self, customer: str, now: datetime, *, session: str = "") -> list[Recent]:
        """What the customer's folder shows besides real files: the newest upload of each name, oldest first.

        Those not picked up yet, those of the last ten minutes, and those of ``session`` however long it lasts.
        """
        since = stamp(now - RECENT)
        with self._store.read() as transaction:
            rows = transaction.all("uploads.recent", customer=customer, since=since, session=session)
        newest = {(row["folder"], row["name"]): row for row in rows}
        return [
            Recent(
                row["id"],
                row["name"],
                row["folder"],
                row["size"],
                moment(row["received_at"]),
                row["state"] != "received" or row["lease_owner"] is not None,
            )
            for row in newest.values()
        ]

    def _tell(self, due: bool) -> None:
        if due:
            self._on_due()


def _behind_all(transaction: Transaction, customer: str, upload: int, now: datetime) -> datetime:
    """When the upload arrives: after all that came before, also where the clock was set back meanwhile."""
    last = transaction.one("uploads.last_arrival", customer=customer, id=upload, now=stamp(now))
    return moment(last["at"]) + timedelta(microseconds=1) if last else now
