"""Folders that come to be as a whole: written under another name, made durable, and only then called what they are."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alp_daemon.errors import TryAgain
from alp_daemon.files.disk import disk_errors, sync_folder

_COPIED_AT_ONCE = 2**20


@contextmanager
def in_the_making(target: Path, what: str) -> Iterator[Path]:
    """An empty folder beside ``target``, which nobody else but its owner can read. It is gone afterwards.

    One that a crash left is emptied. Raises ``TryAgain`` while somebody else is making the same.
    """
    part = target.with_name(f"{target.name}.part")
    with disk_errors(what):
        part.mkdir(mode=0o700, exist_ok=True)
        held = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise TryAgain(f"{part}: somebody else is writing it at this moment") from error
            try:
                _empty(part)
                made = part / target.name
                made.mkdir(mode=0o700)
                yield made
            finally:
                shutil.rmtree(part, ignore_errors=True)
        finally:
            os.close(held)


def _empty(folder: Path) -> None:
    for each in folder.iterdir():
        if each.is_dir() and not each.is_symlink():
            shutil.rmtree(each)
        else:
            each.unlink()


def make_durable(path: Path) -> None:
    """A file, or a folder with all that is in it."""
    if path.is_dir():
        for each in path.iterdir():
            make_durable(each)
        sync_folder(path)
        return
    with path.open("rb") as file:
        os.fsync(file.fileno())


def place(made: Path, target: Path) -> None:
    """Calls a finished file or folder what it is, in one step that survives a power cut."""
    make_durable(made)
    made.rename(target)
    sync_folder(target.parent)


def copy_file(source: Path, target: Path) -> None:
    """Its bytes; readable by the owner only."""
    with source.open("rb") as read:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as written:
            shutil.copyfileobj(read, written, _COPIED_AT_ONCE)


def link_or_copy(source: Path, target: Path) -> None:
    """The same file under a second name; on another file system a copy of it."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        target.hardlink_to(source)
    except OSError:
        copy_file(source, target)
