"""The spool: each upload is an object of its own under a random name, durable before anybody is told so.

::

    incoming/TOKEN.part     being received; always a file of this node
    CUSTOMER/TOKEN          an object: a file of the spool folder, or an entry of a bucket
    .strays/CUSTOMER-TOKEN  an object that no record knows, until its time is over
    .mark                   in shared storage: which database's objects these are

What customers call their files never reaches these names. The order is write, make the object durable, commit the
record. In a folder that is fsync the file, rename, fsync the folder: of simulated power cuts only this lost nothing.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from datetime import timedelta
from io import FileIO
from pathlib import Path

from alp_daemon.errors import AlpError, OutcomeUnknown
from alp_daemon.files.disk import copy_open, disk_errors, ensure_room, is_left, make_folder, trouble_of
from alp_daemon.files.folder import INCOMING, Folder
from alp_daemon.files.incoming import Incoming, Retouch
from alp_daemon.files.lastword import LastWord
from alp_daemon.files.objects import Kept, Objects, Recorded, StorageAway, customer_of
from alp_daemon.files.ownership import Ownership
from alp_daemon.files.sharedfolder import SharedFolder
from alp_daemon.settings import Settings


def open_spool(settings: Settings, mark: Callable[[], str] | None = None) -> Spool:
    """The spool that ``alp.yaml`` names. Raises ``ConfigurationError`` where it cannot be one.

    For ``mark`` see :class:`Ownership`.
    """
    where, floor = settings.spool or str(settings.spool_dir), settings.free_space_floor
    bucket = settings.spool_bucket
    if bucket is None:
        folder = Folder if settings.spool is None else SharedFolder
        incoming = settings.spool_dir / INCOMING if settings.spool is None else settings.data_dir / INCOMING
        return Spool(incoming, folder(settings.spool_dir), where, floor, mark)
    from alp_daemon.files.bucket import open_bucket  # only who has a bucket needs its library

    incoming = settings.data_dir / INCOMING
    return Spool(incoming, open_bucket(*bucket, incoming), where, floor, mark)


class Spool:
    """Objects, and the folder of this node where files are received. Safe for threads and for several processes."""

    def __init__(
        self, incoming: Path, objects: Objects, where: str, floor: int, mark: Callable[[], str] | None
    ) -> None:
        self._incoming = incoming
        self._objects = objects
        self.ownership = Ownership(objects, where, mark)
        self._trouble = LastWord(lambda: trouble_of(incoming, floor) or objects.trouble() or self.ownership.trouble())

    def begin(self, customer: str, floor: int = 0) -> Incoming:
        """Opens a hidden file for writing. It stays locked until it has a record, so that nobody cleans it away.

        Raises :class:`NoRoom` while fewer than ``floor`` bytes of the disk are free.
        """
        with disk_errors("cannot start to receive a file"):
            make_folder(self._incoming)
            ensure_room(self._incoming, floor)
            while True:
                path = self._incoming / f"{secrets.token_hex(16)}.part"
                file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
                fcntl.flock(file, fcntl.LOCK_EX)
                if os.fstat(file.fileno()).st_nlink:
                    return Incoming(customer, file, path, floor)
                file.close()  # a clean-up took it between its creation and its lock

    def keep_ahead(self, incoming: Incoming, retouch: Retouch | None = None) -> None:
        """Makes an object of one file beforehand; :meth:`kept` then has nothing left to do for it.

        Raises :class:`TryAgain` when the disk is full or the storage is away.
        """
        incoming.kept = self._keep(incoming, retouch)

    @contextmanager
    def kept(self, received: Sequence[Incoming], retouch: Retouch | None = None) -> Iterator[list[Kept | AlpError]]:
        """Received files as durable objects; the body records them, and if it fails they are gone again.

        ``retouch`` may change a file, all of whose bytes have come, before it is kept.
        Yields the object of each file, or why this one could not be kept: :class:`TryAgain` when the disk is full or
        the storage is away.
        """
        objects: list[Kept | AlpError] = []
        try:
            objects += self._in_place(received, retouch)
            for customer in {customer_of(each.object) for each in objects if isinstance(each, Kept)}:
                self.sync(customer)
            yield objects
        except OutcomeUnknown:
            raise  # they may have their records
        except Exception:
            # Not for a KeyboardInterrupt: it may come after the commit, and a clean-up takes what has no record.
            with suppress(AlpError):
                self.remove([each.object for each in objects if isinstance(each, Kept)])
            raise
        finally:
            for incoming in received:
                incoming.abort()

    def _in_place(self, received: Sequence[Incoming], retouch: Retouch | None) -> list[Kept | AlpError]:
        """Brings the bytes to where they stay under their names, which are not durable yet."""
        batch = _Batch(self._keep, retouch)
        if len(received) < self._objects.few:
            return [batch.keep(incoming) for incoming in received]
        # Imported here: only a server receives many at once.
        from concurrent.futures import ThreadPoolExecutor

        lanes = self._objects.side_by_side
        with ThreadPoolExecutor(lanes) as threads:
            parts = [received[start::lanes] for start in range(lanes)]
            moved = list(threads.map(lambda part: [batch.keep(incoming) for incoming in part], parts))
        return [moved[place % lanes][place // lanes] for place in range(len(received))]

    def _keep(self, incoming: Incoming, retouch: Retouch | None) -> Kept:
        if incoming.kept is not None:
            return incoming.kept
        target = self.new_object(incoming.customer)
        with disk_errors("cannot keep a received file"):
            incoming.file.flush()
            if retouch is not None:
                retouch(incoming)
        return self._objects.put(incoming.path, target)

    def adopt(self, source: FileIO, called: str, object_name: str, retouch: Retouch | None = None) -> None:
        """Keeps a copy of a file from elsewhere as this object; called again after a crash it begins anew.

        Once it returns the file may be removed. Raises :class:`TryAgain` when the disk is full, the storage is away or
        the file is being written; messages call it ``called``.
        """
        customer = customer_of(object_name)
        incoming = self.begin(customer)
        try:
            copy_open(source, called, incoming.file)
            if retouch is not None:
                retouch(incoming)
            self._prepare(customer)
            self._objects.put(incoming.path, object_name)
            self.sync(customer)
        finally:
            incoming.abort()

    def new_object(self, customer: str) -> str:
        """A free name for an object, and room for it. In a transaction only behind ``ownership.must_be_ours``."""
        self._prepare(customer)
        return f"{customer}/{secrets.token_hex(16)}"

    def _prepare(self, customer: str) -> None:
        self.ownership.must_be_ours()
        self._objects.prepare(customer)

    def path(self, object_name: str) -> Path | None:
        """The object's own file, to move a file to in one step; None where objects are no files."""
        return self._objects.path(object_name)

    def local(self, kept: Kept) -> AbstractContextManager[Path]:
        """The object as a file of this node to be read, for as long as the context lasts.

        Raises :class:`ObjectLost` where it is not there or is not what was kept, and :class:`StorageAway`.
        """
        return self._objects.local(kept)

    def size(self, object_name: str) -> int | None:
        """In bytes; None where there is no such object."""
        return self._objects.size(object_name)

    def remove(self, object_names: Collection[str]) -> None:
        self._objects.remove(object_names)

    def sync(self, customer: str) -> None:
        """Makes the names of a customer's objects durable."""
        self._objects.sync(customer)

    def clean(self, recorded: Recorded) -> list[str]:
        """Puts aside the objects on this node that have no record; returns the names they had.

        ``recorded`` returns the names of all objects that the database knows. Objects that a live process is about to
        record are locked and stay.
        """
        return [] if self._objects.shared else self._objects.clean(recorded)

    def clean_shared(self, recorded: Recorded) -> list[str]:
        """The same for the objects in shared storage, an hour after they were kept.

        Takes as long as it takes to list them all.
        """
        if not self._objects.shared:
            return []
        self.ownership.claim()
        return self._objects.clean(recorded)

    def aside(self, kept_for: timedelta = timedelta(0)) -> list[str]:
        """The names of what was put aside so long ago or longer, for :meth:`remove`."""
        return self._objects.aside(kept_for)

    def clean_incoming(self) -> list[str]:
        """Removes the files that nobody receives any more; nobody was told of them. Returns their names.

        Those that a live process is receiving are locked and stay.
        """
        if not self._incoming.is_dir():
            return []
        with ExitStack() as locks:
            # A customer may be called "incoming" too; its objects have other names.
            parts = [path for path in self._incoming.glob("*.part") if path.is_file() and is_left(path, locks)]
            for path in parts:
                path.unlink(missing_ok=True)
        return sorted(f"{INCOMING}/{path.name}" for path in parts)

    def trouble(self) -> str | None:
        """Why nothing can be received just now, in few words without names; None where it can. Answers within 5 s."""
        return self._trouble()


class _Batch:
    """Files that are kept for one commit. Once the storage is away, nobody waits for it another time."""

    def __init__(self, keep: Callable[[Incoming, Retouch | None], Kept], retouch: Retouch | None) -> None:
        self._keep = keep
        self._retouch = retouch
        self._away: StorageAway | None = None

    def keep(self, incoming: Incoming) -> Kept | AlpError:
        if self._away is not None and incoming.kept is None:
            return self._away
        try:
            return self._keep(incoming, self._retouch)
        except StorageAway as error:
            self._away = error
            return error
        except AlpError as error:
            return error
