"""A file is taken out of its drop folder, in one step and without losing it, whatever somebody puts there meanwhile."""

from __future__ import annotations

import errno
import os
import stat
from enum import Enum
from io import FileIO
from pathlib import Path

from alp_daemon import log
from alp_daemon.files import beneath
from alp_daemon.files.drop import Found


class Claim(Enum):
    """What became of the attempt to take a file."""

    whole = "whole"
    changed = "changed"
    """Another file was put in its place, or it was written to, since it was seen. That one is taken."""
    gone = "gone"
    """Nothing was taken: its owner moved or removed it."""


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
