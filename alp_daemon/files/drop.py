"""A customer's drop folder: which files lie in it, and when one is whole. How one is taken out: ``dropclaim.py``."""

from __future__ import annotations

import errno
import fcntl
import os
import pwd
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from alp_daemon.customers import PREFORMATTED, is_temporary
from alp_daemon.files import beneath
from alp_daemon.files.disk import disk_errors

REPORTS = "reports"
FOLDERS = ("", PREFORMATTED)
"""Where files are picked up: the customer's own folder and the one for the standard format."""


# A link, a socket, a pipe: somebody has put it there in place of the file.
_NO_FILE_ANY_MORE = (errno.ELOOP, errno.ENXIO, errno.EINVAL)


@dataclass(frozen=True, slots=True)
class Found:
    """A regular file as it was seen. ``name`` is printable; ``path`` is what it is really called.

    Two looks that are equal say that nobody wrote in between: a write changes ``ctime_ns``, which, other than the
    modification time, no program can set back (``cp -p`` and ``rsync -t`` set that one).
    """

    path: Path
    name: str
    folder: str
    owner: str
    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int

    @property
    def home(self) -> Path:
        return self.path.parent.parent if self.folder else self.path.parent


def prepare(home: Path) -> Path:
    """Makes a customer's folders where they are missing. Raises as ``disk_errors`` does where that cannot be.

    A link in the place of one of them is refused: it may lead to another customer's files, or to the database.
    """
    with disk_errors(f"cannot make the folders in {home}"):
        for folder in (REPORTS, PREFORMATTED):
            (home / folder).mkdir(parents=True, exist_ok=True)
            with beneath.opened(home, folder):
                continue
    return home


def trouble(home: Path) -> str | None:
    """What keeps a customer's folders, which need not be there yet, from being used by this user; None if nothing."""
    try:
        for folder in (home, home / REPORTS, home / PREFORMATTED):
            if folder.is_dir() and (folder == home or not folder.is_symlink()):
                if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
                    return f"{folder} cannot be read and written"
            elif folder.exists() or folder.is_symlink():
                return f"{folder} is not a folder"
    except PermissionError as error:
        return f"{error.filename} cannot be looked at"
    return None


def look(home: Path) -> list[Found]:
    """The files that lie in a customer's folder, in order of arrival: by modification time, then name.

    Not those with a temporary name, links (they could show any file of the system), folders and devices.
    Raises :class:`OSError` where one of the folders cannot be read, or is a link.
    """
    return sorted(
        (file for folder in FOLDERS for file in _files(home, folder)), key=lambda file: (file.mtime_ns, file.name)
    )


def is_whole(found: Found) -> bool:
    """Whether the file is still as it was seen and nobody has it open for writing; its bytes are durable then.

    A program that has stalled for longer than the two looks (a copy over a slow network) is only seen by this.
    Raises :class:`OSError` when the file cannot be read.
    """
    try:
        with beneath.opened(found.home, found.folder) as folder, beneath.open_file(folder, found.path.name) as file:
            if not _same(os.fstat(file.fileno()), found) or _has_writer(file.fileno()):
                return False
            os.fsync(file.fileno())
            return True
    except OSError as error:
        if error.errno in (errno.ENOENT, *_NO_FILE_ANY_MORE):
            return False
        raise


def _files(home: Path, folder: str) -> Iterator[Found]:
    for entry in beneath.files(home, folder):
        if is_temporary(entry.name):
            continue
        try:
            status = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            continue
        yield Found(
            home / folder / entry.name,
            _printable(entry.name),
            folder,
            _owner(status.st_uid),
            status.st_dev,
            status.st_ino,
            status.st_size,
            status.st_mtime_ns,
            status.st_ctime_ns,
        )


def _same(status: os.stat_result, found: Found) -> bool:
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns) == (
        found.device,
        found.inode,
        found.size,
        found.mtime_ns,
        found.ctime_ns,
    )


def _has_writer(file: int) -> bool:
    """Asks the kernel: a read lease is refused while anybody has the file open for writing (fcntl(2), Leases).

    Only the file's owner and a process with CAP_LEASE may ask, and not every file system answers; where there is no
    answer, the two looks decide alone.
    """
    # Whoever opens the file within these microseconds makes the kernel signal us. The default SIGIO would end the
    # process; SIGURG is ignored unless somebody asks for it.
    fcntl.fcntl(file, fcntl.F_SETSIG, signal.SIGURG)
    try:
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        return error.errno == errno.EAGAIN
    fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False


def _printable(name: str) -> str:
    """A name as logs, reports and the database can hold it: any byte but NUL and ``/`` may be in a real one."""
    return "".join(sign if sign.isprintable() else f"\\x{ord(sign):02x}" for sign in name)


@cache
def _owner(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return "drop"
