"""A copy of all that an installation knows, taken while it runs, and proved to be whole.

::

    FILE                   the database in one file
    FOLDER/alp.db          the same, with --spool
    FOLDER/spool/…         and beside it the received files that are still kept
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from alp_daemon.errors import ConfigurationError, NotFound, Refused, Unavailable
from alp_daemon.files.atomic import in_the_making, place
from alp_daemon.files.disk import copy_file
from alp_daemon.services.safekeeping.verify import verify
from alp_daemon.settings import Settings
from alp_daemon.store.sqlite import SqliteStore

DATABASE, SPOOL = "alp.db", "spool"


@dataclass(frozen=True, slots=True)
class BackedUp:
    """What a backup holds. ``faults`` are those of the database that it is a copy of (see ``verify``)."""

    path: str
    bytes: int
    """Of the database."""
    files: int
    """Received files that were copied too."""
    seconds: float
    faults: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def database_of(settings: Settings, instead: str) -> Path:
    """The database's file. Raises ``ConfigurationError`` for PostgreSQL's, with the command to use ``instead``."""
    if settings.database_path is None:
        raise ConfigurationError(f"the database is PostgreSQL's; its own tool does this: {instead}")
    return settings.database_path


def backup(settings: Settings, target: Path, *, with_spool: bool) -> BackedUp:
    """Writes a new file, or with the spool a new folder, that only its owner can read.

    Either all of it is there afterwards under its name, or nothing. Raises ``Refused`` where something is there
    already, ``TryAgain`` when the disk is full, ``Unavailable`` where the copy turns out to be damaged.
    """
    begun = time.perf_counter()
    source = database_of(settings, f"pg_dump --format=custom --file={target} ADDRESS")
    if not source.is_file():
        raise NotFound(f"{source}: there is no database yet")
    if target.exists():
        raise Refused(f"{target}: it exists already; name another, or remove it")
    if not target.parent.is_dir():
        raise Unavailable(f"{target}: there is no folder {target.parent}")
    if with_spool and settings.spool_bucket is not None:
        raise ConfigurationError("the spool is a bucket, which its provider backs up; leave out --spool")
    with in_the_making(target, f"cannot write {target}") as part:
        copy = part / DATABASE
        faults = _copy_database(source, copy)
        size = copy.stat().st_size
        files = _copy_spool(copy, settings.spool_dir, part / SPOOL) if with_spool else 0
        place(part if with_spool else copy, target)
    return BackedUp(str(target), size, files, round(time.perf_counter() - begun, 3), faults)


def _copy_database(source: Path, copy: Path) -> tuple[str, ...]:
    """Copies it and looks at the copy. Returns what is wrong with what it says; its file is sound."""
    copy.touch(mode=0o600)
    store = SqliteStore(source)
    store.copy_to(copy)
    store.close()
    return looked_at(copy)


def looked_at(copy: Path) -> tuple[str, ...]:
    """The faults of a copy that nobody else has open (see ``verify``). Its schema stays that of its release.

    Raises ``Unavailable`` where the file itself is damaged.
    """
    store = SqliteStore(copy, sole=True)
    if fault := store.fault():
        raise Unavailable(f"the copy of the database is damaged ({fault}); nothing was kept")
    faults = tuple(fault for each in verify(store) for fault in each.faults)
    store.fold_wal()
    return faults


def _copy_spool(copy: Path, spool: Path, target: Path) -> int:
    """Copies the files that the copied database knows. Returns how many there still were."""
    target.mkdir(mode=0o700)
    store = SqliteStore(copy, sole=True)
    with store.read() as transaction:
        objects = [row["object"] for row in transaction.all("uploads.objects")]
    store.fold_wal()
    copied = 0
    for name in objects:
        (target / name).parent.mkdir(mode=0o700, exist_ok=True)
        try:
            copy_file(spool / name, target / name)
        except FileNotFoundError:
            continue  # its time was over meanwhile, or its sender deleted it
        copied += 1
    return copied
