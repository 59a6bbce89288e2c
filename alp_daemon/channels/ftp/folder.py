"""What a customer sees: its uploads of late and the real files of its folder, as one small tree.

::

    /               uploads, and files that other programs put there
    /preformatted   the same, for files in the standard format
    /reports        our reports, to be read

Nothing that a client sends reaches a real path but the name of a report.
"""

# ruff: noqa: ARG002  methods are called by pyftpdlib

from __future__ import annotations

import errno
import os
import stat
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from posixpath import split
from typing import Any

from pyftpdlib.exceptions import FilesystemError
from pyftpdlib.filesystems import AbstractedFS

from alp_daemon.customers import PREFORMATTED
from alp_daemon.files import beneath
from alp_daemon.files.drop import REPORTS
from alp_daemon.services.receiving.ownuploads import Recent

_FOLDERS = ("", PREFORMATTED, REPORTS)
# What file systems allow; a longer name could not be put into a report's own name.
_MAX_NAME_BYTES = 255
# Control characters and line ends: no list, log or report may be broken by a name.
_UNPRINTABLE = {"Cc", "Cs", "Zl", "Zp"}


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a listing; ``upload`` where it is an upload and not a real file or folder."""

    stat: os.stat_result
    upload: Recent | None = None


Tree = dict[str, Entry]
"""By virtual path."""


def tree(home: Path, uploads: Sequence[Recent], path: str) -> Tree:
    """The folder as it is now. An upload hides a real file of its name: it is the newer of the two.

    Of the reports only what the virtual ``path`` is about: there may be tens of thousands.
    """
    found = _folders()
    wanted = report_name(path)
    for folder in _FOLDERS:
        if folder == REPORTS and wanted is None:
            continue
        for file in beneath.files(home, folder):
            if (folder == REPORTS and wanted not in ("", file.name)) or not _is_shown(file.name):
                continue
            with suppress(FileNotFoundError):  # it was moved, replaced or removed since the folder was read
                found[_path(folder, file.name)] = Entry(_as_shown(file.stat(follow_symlinks=False)))
    for upload in uploads:
        modified = int(upload.received_at.timestamp())
        found[_path(upload.folder, upload.name)] = Entry(
            _stat(stat.S_IFREG | 0o644, upload.upload, upload.size, modified), upload
        )
    return found


def report_name(path: str) -> str | None:
    """The name of the report at this virtual path; empty for the folder of them, None elsewhere."""
    if path == f"/{REPORTS}":
        return ""
    folder, name = split(path)
    return name if folder == f"/{REPORTS}" else None


def _is_shown(name: str) -> bool:
    """Hidden files are on their way: a report that is being written, a file that is being picked up or copied here."""
    return not name.startswith(".") and is_printable(name)


def is_printable(text: str) -> bool:
    return not any(unicodedata.category(character) in _UNPRINTABLE for character in text)


class CustomerFolder(AbstractedFS):  # type: ignore[misc]
    """The tree as pyftpdlib asks for it. ``tree`` is a snapshot, renewed before each command that looks at it."""

    def __init__(self, home: Path, session: Any) -> None:
        super().__init__("/", session)
        self.home = home
        self.tree: Tree = _folders()

    def upload_target(self, path: str) -> tuple[str, str]:
        """``(folder, name)`` that an upload to this path has. Raises ``FilesystemError`` where none may be."""
        directory, name = split(path)
        folder = directory.strip("/")
        if folder not in ("", PREFORMATTED):
            raise FilesystemError(f"Files can be put into / and /{PREFORMATTED} only")
        if not name or path.strip("/") in _FOLDERS:
            raise FilesystemError("This is the name of a folder")
        if len(name.encode()) > _MAX_NAME_BYTES:
            raise FilesystemError(f"The name is longer than {_MAX_NAME_BYTES} bytes")
        return folder, name

    def upload(self, path: str) -> Recent:
        """The upload at this path. Raises ``FilesystemError``, saying why it cannot be renamed or deleted."""
        found = self._entry(path).upload
        if found is None:
            raise FilesystemError("This is not an upload of yours")
        if found.picked_up:
            raise FilesystemError("It was picked up for processing already")
        return found

    # What pyftpdlib calls. Its paths are our virtual ones: there is no real tree behind them.

    def validpath(self, path: str) -> bool:
        return True

    def realpath(self, path: str) -> str:
        return path

    def chdir(self, path: str) -> None:
        if not self.isdir(path):
            raise FilesystemError("There is no such folder")
        self.cwd = path

    def listdir(self, path: str) -> list[str]:
        return [name for directory, name in map(split, self.tree) if name and directory == path]

    def open(self, path: str, mode: str) -> FileIO:
        directory, name = split(path)
        if directory != f"/{REPORTS}":
            raise FilesystemError(f"Only files in /{REPORTS} can be read")
        if not self.isfile(path):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
        with beneath.opened(self.home, REPORTS) as folder:
            return beneath.open_file(folder, name)

    def stat(self, path: str) -> os.stat_result:
        return self._entry(path).stat

    lstat = stat

    def isfile(self, path: str) -> bool:
        return path in self.tree and not self.isdir(path)

    def isdir(self, path: str) -> bool:
        return path in self.tree and stat.S_ISDIR(self.tree[path].stat.st_mode)

    def getsize(self, path: str) -> int:
        return self.stat(path).st_size

    def getmtime(self, path: str) -> float:
        return self.stat(path).st_mtime

    def get_user_by_uid(self, uid: int) -> str:
        return "ftp"

    def get_group_by_gid(self, gid: int) -> str:
        return "ftp"

    def _entry(self, path: str) -> Entry:
        if path not in self.tree:
            raise FilesystemError("There is no such file")
        return self.tree[path]


def _folders() -> Tree:
    return {_path(folder, ""): Entry(_stat(stat.S_IFDIR | 0o755, 0, 0, 0)) for folder in _FOLDERS}


def _path(folder: str, name: str) -> str:
    return "/" + "/".join(part for part in (folder, name) if part)


def _as_shown(real: os.stat_result) -> os.stat_result:
    return _stat(stat.S_IFREG | 0o644, real.st_ino, real.st_size, int(real.st_mtime))


def _stat(mode: int, number: int, size: int, modified: int) -> os.stat_result:
    return os.stat_result((mode, number, 0, 1, 0, 0, size, modified, modified, modified))
