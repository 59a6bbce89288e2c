"""From the drop folder into the queue, so that a crash at any instant loses no file and queues none twice.

The record goes first: it says that a file is on its way to an object of the spool (``waits_for = 'pick_up'``). Then
the file is moved in one step, then the record takes its place in the queue. After a crash the record tells whether
the move took place: the object is there, or the file still lies where it was and the record is forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from pathlib import Path

from alp_daemon import log
from alp_daemon.domain.model import Evidence
from alp_daemon.errors import AlpError
from alp_daemon.files import drop, dropclaim
from alp_daemon.files.disk import disk_errors, sync_folder
from alp_daemon.files.drop import Found
from alp_daemon.files.dropclaim import Claim
from alp_daemon.files.informz.secrets import blank_secrets
from alp_daemon.files.objects import StorageAway
from alp_daemon.files.spool import Spool
from alp_daemon.registry import Registry
from alp_daemon.services.receiving.arrival import Arrival, Sender, log_received
from alp_daemon.services.receiving.place import Place, WaitsFor, place
from alp_daemon.store.store import Row, Store, Transaction

CHANNEL = "drop"
# Files that share two commits and the fsync of their folders; a burst of 5,000 would wait 20,000 times without.
_BATCH = 100

_CHANGED = "the file changed while it was being picked up"


@dataclass(frozen=True, slots=True)
class Trouble:
    """A file that could not be picked up. It stays where it is, and the next attempt may succeed."""

    path: Path
    reason: str


@dataclass(slots=True)
class PickedUp:
    """Whether one of the uploads made is due at once, and the files that could not be had."""

    due: bool = False
    troubles: list[Trouble] = field(default_factory=list)
    is_storage_away: bool = False
    """Said once; the others need not wait for it as long."""

    def note(self, path: Path, error: AlpError | OSError) -> None:
        """This one could not be had. It costs the others nothing."""
        self.is_storage_away |= isinstance(error, StorageAway)
        self.troubles.append(Trouble(path, str(error)))


@dataclass(frozen=True, slots=True)
class _Landed:
    """What became of a file, and how many bytes of it the spool has."""

    claim: Claim
    size: int


_GONE = _Landed(Claim.gone, 0)


class PickUp:
    """For one thread at a time: what is under way belongs to the one that scans the folders."""

    def __init__(self, store: Store, spool: Spool, registry: Registry, node: str) -> None:
        self._store = store
        self._spool = spool
        self._registry = registry
        self._node = node

    def pick_up(self, customer: str, found: Iterable[Found], now: datetime) -> PickedUp:
        """Moves files that have come to rest into the spool and queues them in the order given."""
        result = PickedUp()
        files = iter(found)
        while batch := list(islice(files, _BATCH)):
            whole = [file for file in batch if _is_whole(file, result)]
            if whole:
                self._move(customer, whole, now, result)
        return result

    def finish(self, drop_dir: Path, now: datetime, answers: Callable[[str], bool]) -> PickedUp:
        """Ends the pick-ups of this node that a crash or a full disk left half done.

        Those of other nodes are about folders that are not seen from here, and wait for them; as do those of customers
        whose folder does not answer.
        """
        result = PickedUp()
        with self._store.read() as transaction:
            rows = transaction.all("uploads.picking_up", node=self._node)
        for row in rows:
            if not answers(row["customer"]):
                continue
            landed = self._go_on(drop_dir / row["customer"], row, result)
            if landed is not None:
                with self._store.write() as transaction:
                    self._put(transaction, row, landed, now, result)
            if result.is_storage_away:
                break
        return result

    def _go_on(self, home: Path, row: Row, result: PickedUp) -> _Landed | None:
        """``None``: not now. The next call begins anew."""
        try:
            self._bring(home, row)
            self._sync(row["customer"], [home / row["folder"]])
            return self._landed(row)
        except (AlpError, OSError) as error:
            result.note(home / row["folder"] / row["name"], error)
            return None

    def _move(self, customer: str, batch: Sequence[Found], now: datetime, result: PickedUp) -> None:
        self._spool.ownership.must_be_ours()  # now: within a transaction the database cannot be asked for its mark
        with self._store.write() as transaction:
            rows = [self._announce(transaction, customer, file, now) for file in batch]
        moved = [(row, self._claim(file, row, result)) for file, row in zip(batch, rows, strict=True)]
        self._sync(customer, {file.path.parent for file in batch})
        with self._store.write() as transaction:
            for row, landed in moved:
                if landed is not None:
                    self._put(transaction, row, landed, now, result)

    def _announce(self, transaction: Transaction, customer: str, file: Found, now: datetime) -> Row:
        arrival = Arrival(
            customer,
            file.name,
            file.folder,
            Sender(CHANNEL, file.owner),
            now,
            Place(None, WaitsFor.pick_up),
            Evidence.assumed,
        )
        return arrival.record(transaction, self._spool.new_object(customer), file.size, self._node)

    def _claim(self, file: Found, row: Row, result: PickedUp) -> _Landed | None:
        """Moves one file. ``None``: it is on its way and :meth:`finish` goes on with it."""
        try:
            claim = dropclaim.claim(file, self._spool.path(row["object"]), _aside(row))
        except OSError as error:
            result.troubles.append(Trouble(file.path, f"cannot be moved into the spool: {error.strerror}"))
            return _GONE
        if claim is Claim.gone:
            return _GONE
        if result.is_storage_away:
            return None
        try:
            self._bring(file.home, row)
            return _Landed(claim, self._spool.size(row["object"]) or 0 if claim is Claim.changed else row["size"])
        except (AlpError, OSError) as error:
            result.note(file.path, error)
            return None

    def _bring(self, home: Path, row: Row) -> None:
        """Carries over what was put aside because no file is moved to the spool in one step."""
        customer = self._registry.customer(row["customer"])
        aside, landed = (home, row["folder"], _aside(row)), self._spool.path(row["object"])
        if hidden := dropclaim.open_aside(*aside):
            with hidden:
                self._spool.adopt(
                    hidden, row["name"], row["object"], lambda incoming: blank_secrets(customer, incoming.path)
                )
            dropclaim.remove_aside(*aside)
        elif landed is not None and dropclaim.has_landed(landed, *aside):
            blank_secrets(customer, landed)

    def _landed(self, row: Row) -> _Landed:
        size = self._spool.size(row["object"])
        if size is None:
            return _GONE
        return _Landed(Claim.whole if size == row["size"] else Claim.changed, size)

    def _sync(self, customer: str, folders: Iterable[Path]) -> None:
        with disk_errors("cannot make picked-up files durable"):
            self._spool.sync(customer)
            for folder in filter(Path.is_dir, folders):
                sync_folder(folder)

    def _put(self, transaction: Transaction, row: Row, landed: _Landed, now: datetime, result: PickedUp) -> None:
        """Gives a file that has landed its place in the queue, and forgets one that has not."""
        if landed.claim is Claim.gone:
            transaction.run("uploads.forget", id=row["id"])
            return
        where = place(self._registry.customer(row["customer"]), row["name"], row["folder"], now)
        if where.waits_for is WaitsFor.match:
            # Its time for a better name was in the folder; from here it cannot be renamed.
            where = replace(where, until=now)
        row = self._placed(transaction, row, where, now)
        if landed.claim is Claim.changed:
            transaction.run("uploads.mark_changed", id=row["id"], size=landed.size, note=_CHANGED)
        result.due |= where.waits_for is None
        log_received({**row, **where.as_row()})

    def _placed(self, transaction: Transaction, row: Row, where: Place, now: datetime) -> Row:
        """Puts the record in its place. Whoever took the file for lost has forgotten the record: then it gets another,
        for without one the file would be a stray."""
        is_placed = transaction.run("uploads.place", id=row["id"], **where.as_row())
        if is_placed or transaction.one("uploads.get", id=row["id"]) is not None:
            return row
        log.error("pick_up_was_forgotten", upload=row["id"], customer=row["customer"], name=row["name"])
        sender = Sender(row["channel"], row["actor"])
        arrival = Arrival(row["customer"], row["name"], row["folder"], sender, now, where, Evidence.assumed)
        return arrival.record(transaction, row["object"], row["size"], self._node)


def _aside(row: Row) -> str:
    """The hidden name of a file that is on its way to an object on another file system."""
    return f".{Path(row['object']).name}.pickup"


def _is_whole(file: Found, result: PickedUp) -> bool:
    try:
        return drop.is_whole(file)
    except OSError as error:
        result.troubles.append(Trouble(file.path, f"cannot be read: {error.strerror}"))
        return False
