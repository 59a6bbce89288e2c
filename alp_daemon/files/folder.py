"""Objects as files of a folder: CUSTOMER/TOKEN below it. The folder is this node's own."""

from __future__ import annotations

import errno
import os
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from alp_daemon import log
from alp_daemon.files.disk import copy, disk_errors, is_left, make_folder, sync_folder, trouble_of
from alp_daemon.files.objects import ASIDE, Kept, Recorded, StorageAway, aside, damaged, lost

INCOMING = "incoming"
"""Below a node's own folder: files that are being received, each called TOKEN.part."""

# Each keeps a file open. Under an older database there may be very many that it does not know.
_LOCKED_AT_ONCE = 200

_HALF = ".part"
"""How the name of a copy ends that is not whole yet."""


class Folder:
    """A folder that no other node uses. Files that become objects stay locked until they have a record."""

    shared = False
    # Side by side, because file systems bring files that are synced at the same moment to the disk in one go.
    side_by_side = 4
    few = 8

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def owner(self, claimant: str | None) -> str | None:
        return claimant  # nobody else comes here

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
        with disk_errors("cannot clean the spool"):
            unknown = iter(sorted(self.names() - recorded()))
            done: list[str] = []
            while batch := list(islice(unknown, _LOCKED_AT_ONCE)):
                done += self._clean(batch, recorded)
        return done

    def _clean(self, unknown: Collection[str], recorded: Recorded) -> list[str]:
        with ExitStack() as locks:
            found = {name for name in unknown if is_left(self.path(name), locks)}
            # Asked again: its writer may have committed between the first answer and our lock.
            found -= recorded() if found else set()
            halves = {name for name in found if name.endswith(_HALF)}
            self.remove(halves)
            return self._put_aside(sorted(found - halves))

    def aside(self, kept_for: timedelta = timedelta(0)) -> list[str]:
        with disk_errors("cannot look through the spool"):
            found = sorted((self.folder / ASIDE).glob("*"))
            if kept_for:
                now = self._clock()
                found = [path for path in found if now - changed(path) >= kept_for]
        return [f"{ASIDE}/{path.name}" for path in found]

    def _put_aside(self, names: Collection[str]) -> list[str]:
        """Returns those that nobody else has put aside meanwhile."""
        done: list[str] = []
        if names:
            make_folder(self.folder / ASIDE)
        for name in names:
            with suppress(FileNotFoundError):
                self.path(name).rename(self.path(aside(name)))
                done.append(name)
        return done

    def _clock(self) -> datetime:
        """The time by the clock that dates the files."""
        return datetime.now(UTC)

    def names(self) -> set[str]:
        """Everything in customers' folders, finished or not."""
        if not self.folder.is_dir():
            return set()
        folders = [each for each in self.folder.iterdir() if each.is_dir() and each.name not in (INCOMING, ASIDE)]
        return {f"{folder.name}/{path.name}" for folder in folders for path in folder.iterdir() if path.is_file()}

    def trouble(self) -> str | None:
        return trouble_of(self.folder)


def changed(path: Path) -> datetime:
    # The change of the entry and not of its content: a file is renamed into its place, and some were written long ago.
    return datetime.fromtimestamp(path.stat().st_ctime, UTC)


def _move(file: Path, target: Path) -> None:
    """In one step, also from another file system."""
    try:
        file.rename(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        hidden = target.with_name(f".{target.name}{_HALF}")
        try:
            with hidden.open("wb") as opened:
                copy(file, opened)
                os.fsync(opened.fileno())
            hidden.rename(target)
        finally:
            hidden.unlink(missing_ok=True)
