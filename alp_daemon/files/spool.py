"""The spool: each upload is a file of its own under a random name, durable before anybody is told so.

::

    spool/incoming/TOKEN.part     being written
    spool/CUSTOMER/TOKEN          an object, named CUSTOMER/TOKEN in the database

What customers call their files never reaches these names. The order is write, fsync the file, rename, fsync the
folder, commit the record: of simulated power cuts only this one lost nothing.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from alp_daemon.errors import AlpError
from alp_daemon.files.disk import copy, disk_errors, sync_folder

_INCOMING = "incoming"
# Fewer files than this are synced one after the other: threads would cost more than they save.
_FEW = 8
_SIDE_BY_SIDE = 4


@dataclass(frozen=True, slots=True)
class Kept:
    """A durable object and its size in bytes."""

    object: str
    size: int


@dataclass(frozen=True, slots=True)
class Incoming:
    """A file that is being received. Write to ``file``, then hand it to the intake or ``abort`` it."""

    customer: str
    file: BinaryIO
    path: Path

    def abort(self) -> None:
        """Forgets it. May be called at any time and more than once."""
        self.path.unlink(missing_ok=True)
        # What is still in the buffer may not fit on the disk; nobody needs it any more.
        with suppress(OSError):
            self.file.close()


Retouch = Callable[[Incoming], None]


class Spool:
    """The folder of objects. Safe for threads and for several processes at once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def begin(self, customer: str) -> Incoming:
        """Opens a hidden file for writing. It stays locked until it has a record, so that nobody cleans it away."""
        with disk_errors("cannot start to receive a file"):
            self._make_folder(_INCOMING)
            while True:
                path = self.folder / _INCOMING / f"{secrets.token_hex(16)}.part"
                file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
                fcntl.flock(file, fcntl.LOCK_EX)
                if os.fstat(file.fileno()).st_nlink:
                    return Incoming(customer, file, path)
                file.close()  # a clean-up took it between its creation and its lock

    @contextmanager
    def kept(self, received: Sequence[Incoming], retouch: Retouch | None = None) -> Iterator[list[Kept | AlpError]]:
        """Received files as durable objects; the body records them, and if it fails they are gone again.

        ``retouch`` may change a file, all of whose bytes have come, before it is kept.
        Yields the object of each file, or why this one could not be kept: :class:`TryAgain` when the disk is full.
        """
        objects: list[Kept | AlpError] = []
        try:
            objects += self._in_place(received, retouch)
            with disk_errors("cannot keep a received file"):
                for customer in {incoming.customer for incoming in received}:
                    self.sync(customer)
            yield objects
        except Exception:
            # Not for a KeyboardInterrupt: it may come after the commit, and clean() takes what has no record.
            for each in objects:
                if isinstance(each, Kept):
                    self.remove(each.object)
            raise
        finally:
            for incoming in received:
                incoming.abort()

    def _in_place(self, received: Sequence[Incoming], retouch: Retouch | None) -> list[Kept | AlpError]:
        """Brings the bytes to the disk and gives the files their names, which are not durable yet."""
        if len(received) < _FEW:
            return [self._moved(incoming, retouch) for incoming in received]
        # Imported here: only a server receives many at once. Side by side, because file systems bring files that are
        # synced at the same moment to the disk in one go.
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(_SIDE_BY_SIDE) as threads:
            parts = [received[start::_SIDE_BY_SIDE] for start in range(_SIDE_BY_SIDE)]
            moved = list(threads.map(lambda part: [self._moved(incoming, retouch) for incoming in part], parts))
        return [moved[place % _SIDE_BY_SIDE][place // _SIDE_BY_SIDE] for place in range(len(received))]

    def _moved(self, incoming: Incoming, retouch: Retouch | None) -> Kept | AlpError:
        try:
            target = self.new_object(incoming.customer)
            with disk_errors("cannot keep a received file"):
                incoming.file.flush()
                if retouch is not None:
                    retouch(incoming)
                os.fsync(incoming.file.fileno())
                size = os.fstat(incoming.file.fileno()).st_size
                incoming.path.rename(self.path(target))
        except AlpError as error:
            return error
        return Kept(target, size)

    def adopt(self, source: Path, object_name: str) -> None:
        """Moves a file of another file system here as this object; called again after a crash it goes on.

        Raises :class:`TryAgain` when the disk is full or the file is being written; it is still there then.
        """
        customer, _ = object_name.split("/")
        if not self.path(object_name).exists():
            incoming = self.begin(customer)
            try:
                copy(source, incoming.file)
                with disk_errors(f"cannot move {source} into the spool"):
                    incoming.file.flush()
                    os.fsync(incoming.file.fileno())
                    incoming.path.rename(self.path(object_name))
                    self.sync(customer)
            finally:
                incoming.abort()
        source.unlink()

    def new_object(self, customer: str) -> str:
        """A free name for an object, in a folder that exists."""
        with disk_errors(f"cannot make a spool folder for {customer}"):
            self._make_folder(customer)
        return f"{customer}/{secrets.token_hex(16)}"

    def path(self, object_name: str) -> Path:
        return self.folder / object_name

    def remove(self, object_name: str) -> None:
        self.path(object_name).unlink(missing_ok=True)

    def sync(self, customer: str) -> None:
        """Makes the names of a customer's objects durable."""
        sync_folder(self.folder / customer)

    def clean(self, recorded: Callable[[], set[str]]) -> list[str]:
        """Removes what a crash left: temporary files, and objects without a record (nobody was told of them).

        ``recorded`` returns the names of all objects that the database knows. Files that a live process is still
        receiving are locked and stay. Returns the names of what was removed.
        """
        with ExitStack() as locks:
            parts = [p for p in self._files(_INCOMING) if _lock(p, locks)]
            unknown = self._objects() - recorded()
            strays = {name for name in unknown if _lock(self.path(name), locks)}
            # Asked again: its writer may have committed between the first answer and our lock.
            strays -= recorded() if strays else set()
            for path in [*parts, *(self.path(name) for name in strays)]:
                path.unlink(missing_ok=True)
        return sorted(strays | {f"{_INCOMING}/{p.name}" for p in parts})

    def _objects(self) -> set[str]:
        if not self.folder.is_dir():
            return set()
        folders = [f.name for f in self.folder.iterdir() if f.is_dir() and f.name != _INCOMING]
        return {f"{folder}/{path.name}" for folder in folders for path in self._files(folder)}

    def _files(self, folder: str) -> list[Path]:
        path = self.folder / folder
        return [p for p in path.iterdir() if p.is_file()] if path.is_dir() else []

    def _make_folder(self, name: str) -> None:
        path = self.folder / name
        if path.is_dir():
            return
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        for parent in (self.folder, self.folder.parent):
            sync_folder(parent)


def _lock(path: Path, locks: ExitStack) -> bool:
    """Whether no live process holds the file; it is locked until ``locks`` closes."""
    try:
        file = locks.enter_context(path.open("rb"))
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (FileNotFoundError, BlockingIOError):
        return False
    return True
