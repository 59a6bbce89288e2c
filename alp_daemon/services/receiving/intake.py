"""The intake: every way in ends here. It keeps the bytes, writes the record, and only then answers.

::

    begin → write → receive        a channel that gets the bytes itself (web; FTP, with receive_all)
    take                           a file that stays where it is (command line)
    pick_up                        a file put into the drop folder, which is moved

What a client may still do to its upload (rename, delete, leave) is ``Intake.own``; what comes round by itself is
``Intake.upkeep``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from alp_daemon import log
from alp_daemon.domain.model import Evidence
from alp_daemon.errors import AlpError, ConfigurationError, OutcomeUnknown, TryAgain
from alp_daemon.files import drop
from alp_daemon.files.beside import Beside
from alp_daemon.files.disk import copy, sha256
from alp_daemon.files.incoming import Incoming
from alp_daemon.files.informz.secrets import blank_secrets
from alp_daemon.files.objects import ForeignStorage, Kept
from alp_daemon.files.spool import open_spool
from alp_daemon.registry import Registry
from alp_daemon.services.receiving import spoolmark
from alp_daemon.services.receiving.arrival import (
    Arrival,
    Received,
    Sender,
    Verdict,
    log_received,
    log_settled,
    settle_in,
)
from alp_daemon.services.receiving.ownuploads import OwnUploads
from alp_daemon.services.receiving.pickup import PickUp, Trouble
from alp_daemon.services.receiving.place import Place, WaitsFor, place
from alp_daemon.services.receiving.unanswered import Unanswered
from alp_daemon.services.receiving.upkeep import Upkeep
from alp_daemon.services.reports.publish import Reports
from alp_daemon.settings import Settings
from alp_daemon.store.store import Store

__all__ = ["Intake", "Received", "Sender", "Verdict"]

_NO_VERDICTS: Mapping[int, Verdict] = MappingProxyType({})


class Intake:
    """Safe for threads. Every method but ``begin`` may wait for the database: never call those on an I/O loop.

    All raise :class:`~alp_daemon.errors.TryAgain` when the database is locked or full. ``on_due`` is called, after
    the commit, whenever an upload became due; it must not block.
    """

    def __init__(
        self, store: Store, settings: Settings, registry: Registry, *, on_due: Callable[[], None] = lambda: None
    ) -> None:
        self._store = store
        self._settings = settings
        self._registry = registry
        self._spool = open_spool(settings, partial(spoolmark.mark, store))
        self._pick_up = PickUp(store, self._spool, registry, settings.node_name)
        self._unanswered = Unanswered(store)
        self._on_due = on_due
        self.own = OwnUploads(store, self._spool, registry, on_due)
        self.upkeep = Upkeep(store, settings, registry, self._spool, self._pick_up, self._unanswered, on_due)
        self.reports = Reports(store, settings.drop_dir)

    def claim_spool(self) -> None:
        """Makes sure, before anything is kept, that no other database has its files where this one is to keep its own.

        Raises ``ConfigurationError`` where one has. While shared storage is away or full nobody can tell: then it is
        asked before the first file is kept there.
        """
        try:
            self._spool.ownership.claim()
        except ForeignStorage as error:
            raise ConfigurationError(error.told) from error
        except TryAgain as error:
            log.warning("spool_not_claimed", error=str(error))

    def prepare(self, customer: str) -> Path:
        """The customer's own folder, with ``reports`` and ``preformatted`` in it; made where missing."""
        return drop.prepare(self._settings.drop_dir / customer)

    def begin(self, customer: str) -> Incoming:
        """Opens a hidden temporary file: ``.write`` to it, then ``receive`` or ``.abort()`` it.

        Raises :class:`~alp_daemon.errors.NoRoom` while the disk is as full as it may become.
        """
        configured = self._registry.customer(customer)
        own = configured.limits.free_space_floor if configured else None
        return self._spool.begin(customer, self._settings.free_space_floor if own is None else own)

    def receive(
        self,
        incoming: Incoming,
        customer: str,
        name: str,
        folder: str,
        sender: Sender,
        now: datetime,
        *,
        evidence: Evidence | None = None,
        note: str = "",
        feed: str | None = None,
    ) -> int:
        """Makes the file and its record durable and returns the upload's id: now the sender may be told so.

        Without ``evidence`` the upload is not settled, and not processed before :meth:`settle`. With ``feed`` no
        pattern is asked, and it waits for nothing.
        Raises :class:`TryAgain` when the disk is full; nothing is kept then.
        """
        where = Place(feed) if feed else self._place(customer, name, folder, now)
        arrival = Arrival(customer, name, folder, sender, now, where, evidence, note)
        return self._receive(Received(incoming, arrival))

    def arrival(
        self,
        customer: str,
        name: str,
        folder: str,
        sender: Sender,
        now: datetime,
        evidence: Evidence | None,
        note: str,
    ) -> Arrival:
        """What the record of a received file is to hold."""
        return Arrival(customer, name, folder, sender, now, self._place(customer, name, folder, now), evidence, note)

    def write_out(self, incoming: Incoming) -> None:
        """Keeps the bytes of a large file beforehand, so that no common commit has to wait for them.

        Raises :class:`TryAgain` when the disk is full or the storage is away.
        """
        self._spool.keep_ahead(incoming, self._blank_secrets)

    def receive_all(
        self, received: Sequence[Received], verdicts: Mapping[int, Verdict] = _NO_VERDICTS
    ) -> list[int | AlpError]:
        """As :meth:`receive` for several files, and :meth:`settle` for other uploads, in one commit.

        Returns the upload's id for each file, or why this one could not be kept. When the database cannot be written
        nothing is kept, and :class:`TryAgain` is raised.
        """
        with self._spool.kept([each.incoming for each in received], self._blank_secrets) as kept:
            files = [(each.arrival, of) for each, of in zip(received, kept, strict=True) if isinstance(of, Kept)]
            try:
                rows, settled = self._record(files, verdicts)
            except OutcomeUnknown:
                self._unanswered.note(of.object for _, of in files)
                raise
        for row in rows:
            log_received(row)
        log_settled(settled)
        self._tell(bool(settled) or any(arrival.is_due for arrival, _ in files))
        numbers = iter(rows)
        return [int(next(numbers)["id"]) if isinstance(each, Kept) else each for each in kept]

    def take(
        self,
        path: Path,
        customer: str,
        name: str,
        folder: str,
        sender: Sender,
        now: datetime,
        *,
        evidence: Evidence,
        note: str = "",
        feed: str | None = None,
    ) -> int:
        """Copies an existing file into the spool and queues it; the file itself stays.

        A person who names one file means that file under that name: it waits for nothing, and with ``feed`` no
        pattern is asked. Raises :class:`NotFound`, :class:`Unavailable`, or :class:`TryAgain` when the file changes
        while it is copied.
        """
        where = Place(feed or self._place(customer, name, folder, now).feed)
        incoming = self._spool.begin(customer)
        try:
            copy(path, incoming.file)
            self._blank_secrets(incoming)
            with incoming.path.open("rb", buffering=0) as content:
                digest = Beside(partial(sha256, content))  # hashed while the disk writes
                with self._spool.kept([incoming]) as (kept,):
                    if isinstance(kept, AlpError):
                        raise kept
                    arrival = Arrival(customer, name, folder, sender, now, where, evidence, note, digest())
                    (row,), _ = self._record([(arrival, kept)], _NO_VERDICTS)
        finally:
            incoming.abort()
        log_received(row)
        self._tell(True)
        return int(row["id"])

    def pick_up(self, customer: str, found: Iterable[drop.Found], now: datetime) -> list[Trouble]:
        """Moves files at rest out of the drop folder into the queue, in the order given. Returns those it could not."""
        done = self._pick_up.pick_up(customer, found, now)
        self._tell(done.due)
        return done.troubles

    def has_feed(self, customer: str, name: str, folder: str, now: datetime) -> bool:
        """Whether a file of this name could be worked as it is called now."""
        return self._place(customer, name, folder, now).waits_for not in (WaitsFor.match, WaitsFor.rename)

    def settle(self, verdicts: Mapping[int, Verdict]) -> None:
        """Says of uploads whether they are whole. The first word on an upload stands."""
        with self._store.write() as transaction:
            settled = settle_in(transaction, verdicts)
        log_settled(settled)
        self._tell(bool(settled))

    def spool_trouble(self) -> str | None:
        """Why no file can be received just now, in few words without names; None where one can."""
        return self._spool.trouble()

    def _blank_secrets(self, incoming: Incoming) -> None:
        blank_secrets(self._registry.customer(incoming.customer), incoming.path)

    def _place(self, customer: str, name: str, folder: str, now: datetime) -> Place:
        return place(self._registry.customer(customer), name, folder, now)

    def _receive(self, received: Received) -> int:
        (number,) = self.receive_all([received])
        if isinstance(number, AlpError):
            raise number
        return number

    def _record(
        self, files: Sequence[tuple[Arrival, Kept]], verdicts: Mapping[int, Verdict]
    ) -> tuple[list[dict[str, Any]], Mapping[int, Verdict]]:
        """The new rows, and those of the verdicts that were the first on their upload."""
        with self._store.write() as transaction:
            rows = [
                _with_digest(arrival, kept).record(transaction, kept.object, kept.size, self._settings.node_name)
                for arrival, kept in files
            ]
            return rows, settle_in(transaction, verdicts)

    def _tell(self, due: bool) -> None:
        if due:
            self._on_due()


def _with_digest(arrival: Arrival, kept: Kept) -> Arrival:
    """Where keeping a file has made its digest, nobody has to fetch the file for it."""
    return arrival if kept.sha256 is None else replace(arrival, sha256=kept.sha256)
