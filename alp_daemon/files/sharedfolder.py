"""Objects as files of a folder that several nodes have mounted."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import datetime
from pathlib import Path

from alp_daemon import log
from alp_daemon.files.disk import disk_errors, sync_folder
from alp_daemon.files.folder import Folder, changed
from alp_daemon.files.objects import FRESH, MARK, Kept, Recorded, StorageAway, owner_of, strays

# What network file systems say of a server that is away. A soft NFS mount has only EIO for it; see nfs(5).
_AWAY = frozenset(
    (
        errno.EHOSTDOWN,
        errno.EHOSTUNREACH,
        errno.EIO,
        errno.ENETDOWN,
        errno.ENETUNREACH,
        errno.ENOTCONN,
        errno.EREMOTEIO,
        errno.ESTALE,
        errno.ETIMEDOUT,
    )
)


class SharedFolder(Folder):
    """A folder of many nodes. It is never made: where it is missing its file system is not mounted, and what was kept
    in a folder made in its place would be on this node only."""

    shared = True

    def owner(self, claimant: str | None) -> str | None:
        self._must_be_there()
        with disk_errors(f"cannot read or write {self.folder / MARK}"), self._errors():
            return owner_of(self._mark, self._leave, claimant)

    def _mark(self) -> str | None:
        try:
            found = (self.folder / MARK).read_text(encoding="ascii", errors="replace")
        except FileNotFoundError:
            return None
        if not found:
            log.warning("storage_away", spool=str(self.folder), what=f"has an empty {MARK}: remove it if it stays so")
            raise StorageAway
        return found

    def _leave(self, mark: str) -> None:
        # Exclusive creation, since not every file system that nodes share has hard links.
        with suppress(FileExistsError):
            descriptor = os.open(self.folder / MARK, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(mark.encode())
                    file.flush()
                    os.fsync(file.fileno())
            except BaseException:
                (self.folder / MARK).unlink()  # a full disk's half of it would be nobody's for ever
                raise
            sync_folder(self.folder)

    def prepare(self, customer: str) -> None:
        self._must_be_there()
        super().prepare(customer)

    def _must_be_there(self) -> None:
        if not self.folder.is_dir():
            log.warning("storage_away", spool=str(self.folder), what="is not there; make it, or mount its file system")
            raise StorageAway

    def local(self, kept: Kept) -> AbstractContextManager[Path]:
        return self._while_there(kept)

    @contextmanager
    def _while_there(self, kept: Kept) -> Iterator[Path]:
        with self._errors(), self._opened(kept) as path:
            yield path

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno not in _AWAY:
                raise
            log.warning("storage_away", spool=str(self.folder), what="cannot be read", error=error.strerror)
            raise StorageAway from error

    def clean(self, recorded: Recorded) -> list[str]:
        with disk_errors("cannot clean the spool"):
            now = self._clock()
            found = self._put_aside(strays(self._listed(), now, recorded))
            for path in self.folder.glob("*/.*.part"):  # half copied when its node died
                with suppress(FileNotFoundError):
                    if now - changed(path) >= FRESH:
                        path.unlink()
        return found

    def trouble(self) -> str | None:
        return super().trouble() if self.folder.is_dir() else "is not there"

    def _listed(self) -> Iterator[tuple[str, datetime]]:
        for name in self.names():
            with suppress(FileNotFoundError):
                yield name, changed(self.path(name))

    def _clock(self) -> datetime:
        probe = self.folder / ".clock"
        probe.write_bytes(b"now")
        return changed(probe)
