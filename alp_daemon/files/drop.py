"""A customer's drop folder: which files lie in it, when one is whole, and how it is taken out without losing it."""

from __future__ import annotations

import errno
import fcntl
import os
import pwd
import signal
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cache
from io import FileIO
from pathlib import Path

from alp_daemon import log
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


class Claim(Enum):
    """What became of the attempt to take a file."""

    whole = "whole"
    changed = "changed"
    """Another file was put in its place, or it was written to, since it was seen. That one is taken."""
    gone = "gone"
    """Nothing was taken: its owner moved or removed it."""


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


def claim(found: Found, target: Path | None, aside: str) -> Claim:
    """Takes the file out of the folder in one step: to ``target``.

    Where there is none, or it is on another file system, the file stays in its folder under the hidden name ``aside``.
    What is moved is looked at afterwards, so that a file put there at the last moment is never mistaken for the one
    that was seen, nor lost. What is no file any more gets its name back; where that is taken by then, ``aside``.
    """
    name = found.path.name
    try:
        with beneath.opened(found.home, found.folder) as folder:
            landed = _move(folder, name, target, aside)
            now = os.stat(landed, dir_fd=folder, follow_symlinks=False)
            if not stat.S_ISREG(now.st_mode):
                _put_back(folder, found.path, landed, aside, is_folder=stat.S_ISDIR(now.st_mode))
                return Claim.gone
    except FileNotFoundError:
        return Claim.gone
    as_seen = (found.device, found.inode, found.size, found.mtime_ns)
    return Claim.whole if (now.st_dev, now.st_ino, now.st_size, now.st_mtime_ns) == as_seen else Claim.changed


def _move(folder: int, name: str, target: Path | None, aside: str) -> str:
    """Returns what the file is called now, as seen from its folder."""
    if target is not None:
        landed = str(target.absolute())
        try:
            os.rename(name, landed, src_dir_fd=folder)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
        else:
            return landed
    os.rename(name, aside, src_dir_fd=folder, dst_dir_fd=folder)
    return aside


def _put_back(folder: int, path: Path, landed: str, aside: str, *, is_folder: bool) -> None:
    """Never in the place of a file that has come meanwhile, as a rename would put all but a folder."""
    try:
        if is_folder:
            os.rename(landed, path.name, src_dir_fd=folder, dst_dir_fd=folder)
        else:
            os.link(landed, path.name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
            os.unlink(landed, dir_fd=folder)
    except OSError as error:
        # The name is taken; or somebody else's link may not be linked (proc(5), protected_hardlinks).
        os.rename(landed, aside, src_dir_fd=folder, dst_dir_fd=folder)
        log.warning("drop_name_not_given_back", path=str(path), now=aside, reason=error.strerror)


def has_landed(target: Path, home: Path, folder: str, aside: str) -> bool:
    """Whether a file lies where :func:`claim` was to move it.

    What is no file, and what a crash has kept from being put back, goes back to its folder under the name ``aside``.
    """
    try:
        if stat.S_ISREG(target.lstat().st_mode):
            return True
        with beneath.opened(home, folder) as descriptor:
            os.rename(target, aside, dst_dir_fd=descriptor)
    except FileNotFoundError:
        return False
    log.warning("drop_name_not_given_back", path=str(home / folder), now=aside, reason="it is no file")
    return False


def open_aside(home: Path, folder: str, aside: str) -> FileIO | None:
    """What :func:`claim` has left under its hidden name, to be read; None where nothing is."""
    try:
        with beneath.opened(home, folder) as descriptor:
            return beneath.open_file(descriptor, aside)
    except FileNotFoundError:
        return None


def remove_aside(home: Path, folder: str, aside: str) -> None:
    with beneath.opened(home, folder) as descriptor:
        os.unlink(aside, dir_fd=descriptor)


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
