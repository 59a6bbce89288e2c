"""Objects as files of a folder: CUSTOMER/TOKEN below it. The folder is this node's own."""

from __future__ import annotations

import errno
import os
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from alp_daemon import log
from alp_daemon.files.disk import copy, disk_errors, is_left, make_folder, sync_folder, trouble_of
from alp_daemon.files.objects import Kept, Recorded, StorageAway, damaged, lost

INCOMING = "incoming"
"""Below a node's own folder: files that are being received; no customer is called so."""


class Folder:
    """A folder that no other node uses. Files that become objects stay locked until they have a record."""

    shared = False
    # Side by side, because file systems bring files that are synced at the same moment to the disk in one go.
    side_by_side = 4
    few = 8

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def prepare(self, customer: str) -> None:
        with disk_errors(f"cannot make a spool folder for {customer}"):
            make_folder(self.folder / customer)

    def path(self, name: str) -> Path:
        return self.folder / name

    def put(self, file: Path, name: str) -> Kept:
        with disk_errors("cannot keep a received file"):
            with file.open("rb") as opened:
                os.fsync(opened.fileno())
                size = os.fstat(opened.fileno()).st_size
            _move(file, self.path(name))
        return Kept(name, size)

    def sync(self, customer: str) -> None:
        with disk_errors("cannot keep a received file"):
            sync_folder(self.folder / customer)

    def local(self, kept: Kept) -> AbstractContextManager[Path]:
        return self._opened(kept)

    @contextmanager
    def _opened(self, kept: Kept) -> Iterator[Path]:
        size = self.size(kept.object)
        if size is None:
            raise lost()
        if size != kept.size:
            raise damaged(kept, size)
        yield self.path(kept.object)

    def size(self, name: str) -> int | None:
        path = self.path(name)
        try:
            return path.stat().st_size
        except FileNotFoundError:
            # A customer's folder stays for ever: where it is missing the file system is not mounted.
            if not path.parent.is_dir():
                log.warning("storage_away", spool=str(self.folder), what=f"has no {path.parent.name}/; is it mounted?")
                raise StorageAway from None
            return None

    def remove(self, names: Collection[str]) -> None:
        for name in names:
            self.path(name).unlink(missing_ok=True)

    def clean(self, recorded: Recorded) -> list[str]:
        with ExitStack() as locks:
            unknown = self.names() - recorded()
            found = {name for name in unknown if is_left(self.path(name), locks)}
            # Asked again: its writer may have committed between the first answer and our lock.
            found -= recorded() if found else set()
            self.remove(found)
        return sorted(found)

    def names(self) -> set[str]:
        """Everything in customers' folders, finished or not."""
        if not self.folder.is_dir():
            return set()
        folders = [each for each in self.folder.iterdir() if each.is_dir() and each.name != INCOMING]
        return {f"{folder.name}/{path.name}" for folder in folders for path in folder.iterdir() if path.is_file()}

    def trouble(self) -> str | None:
        return trouble_of(self.folder)


def _move(file: Path, target: Path) -> None:
    """In one step, also from another file system."""
    try:
        file.rename(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        hidden = target.with_name(f".{target.name}.part")
        try:
            with hidden.open("wb") as opened:
                copy(file, opened)
                os.fsync(opened.fileno())
            hidden.rename(target)
        finally:
            hidden.unlink(missing_ok=True)
