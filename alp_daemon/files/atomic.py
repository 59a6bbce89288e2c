"""Files and folders that come to be as a whole: made durable under another name, and only then called what they are."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alp_daemon.errors import TryAgain
from alp_daemon.files.disk import disk_errors, sync_folder


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
    rename(made, target)


def rename(made: Path, target: Path) -> None:
    """As :func:`place`, of what is durable already but for its name."""
    made.rename(target)
    sync_folder(target.parent)


def write(target: Path, content: bytes, mode: int) -> None:
    """Whoever finds the file finds all of it, also after a power cut. Two who write it must exclude each other."""
    part = target.with_name(f".{target.name}.part")
    with part.open("wb") as file:
        os.fchmod(file.fileno(), mode)
        file.write(content)
    place(part, target)
