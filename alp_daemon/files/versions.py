"""A folder that changes as a whole: each version is a folder of its own, and a link says which is in force.

::

    .customers/
      17-3f2a…/acme.yaml …
      18-9be1…/acme.yaml …
      current → 18-9be1…

What did not change from one version to the next is the same file under two names: who looks for changes by time, size
and inode finds only those that there are.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from alp_daemon.files import atomic
from alp_daemon.files.disk import disk_errors, sync_folder
from alp_daemon.flock import alone_in

# More than these are brought to the disk all at once, together with whatever else waits to be written: one by one,
# ten thousand take a minute.
_FEW = 100
# What may be removed: versions, and what came of them half-way. Nothing that somebody else has put there.
_OURS = re.compile(r"0|[0-9]+-[0-9a-f]{16}|\..+\.part")


def switch(folder: Path, link: str, newest: Callable[[], tuple[str, Mapping[str, bytes]]]) -> None:
    """Puts the newest version (0, or NUMBER-FINGERPRINT) into force, with its files by name.

    Whenever the power goes, it is the old one or the new one. Any process may call it at any time: ``newest`` is asked
    when nobody else is at it, so that none goes back behind another. The version before stays for those who are just
    reading it, and is gone at the next switch. Raises ``TryAgain`` when the disk is full.
    """
    with disk_errors(f"cannot write {folder}"):
        folder.mkdir(parents=True, exist_ok=True)
        with alone_in(folder):
            version, contents = newest()
            before = in_force(folder, link)
            if before != version:
                _write(folder, version, folder / before if before else None, contents)
                _point(folder, link, version)
                _forget(folder, {link, version, before})


def in_force(folder: Path, link: str) -> str:
    """The version that the link names; "" where there is none yet."""
    try:
        return str((folder / link).readlink())
    except OSError:
        return ""


def _write(folder: Path, version: str, before: Path | None, contents: Mapping[str, bytes]) -> None:
    part = folder / f".{version}.part"
    shutil.rmtree(part, ignore_errors=True)  # of a process that died over it
    shutil.rmtree(folder / version, ignore_errors=True)  # of one that died before it was in force
    part.mkdir(mode=0o750)
    new = [part / name for name, content in contents.items() if not _linked(before, part / name, content)]
    for path in new:
        path.write_bytes(contents[path.name])
    _bring_to_disk(new)
    sync_folder(part)
    atomic.rename(part, folder / version)


def _linked(before: Path | None, path: Path, content: bytes) -> bool:
    """Whether the version before has the same file, which is then this one too."""
    if before is None:
        return False
    old = before / path.name
    try:
        if old.read_bytes() != content:
            return False
        path.hardlink_to(old)
    except FileNotFoundError:
        return False
    return True


def _bring_to_disk(paths: list[Path]) -> None:
    if len(paths) > _FEW:
        os.sync()
        return
    for path in paths:
        atomic.make_durable(path)


def _point(folder: Path, link: str, version: str) -> None:
    part = folder / f".{link}.part"
    part.unlink(missing_ok=True)
    part.symlink_to(version)
    atomic.rename(part, folder / link)


def _forget(folder: Path, kept: set[str]) -> None:
    for path in folder.iterdir():
        if path.name not in kept and _OURS.fullmatch(path.name):
            shutil.rmtree(path, ignore_errors=True)
