"""Puts a backup in the place of the database, with the daemon stopped, and loses nothing that is newer.

What is replaced goes into a folder of its own beside it: the database, the received files and the reports that the
backup does not know, a list of these, who opted out since, ready for ``alp-daemon import``, and what else came since
(``sincebackup``). A crash at any instant leaves the old database or the new one, whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from alp_daemon import log
from alp_daemon.errors import AlpError, NotFound, Refused, TryAgain, Unavailable, UnusableFile
from alp_daemon.files.atomic import in_the_making, make_durable, place
from alp_daemon.files.disk import copy_file, link_or_copy, sync_folder
from alp_daemon.files.folder import Folder
from alp_daemon.services.reports.publish import Published
from alp_daemon.services.safekeeping import passedon, replaced, sincebackup
from alp_daemon.services.safekeeping.backup import DATABASE, SPOOL, database_of, looked_at
from alp_daemon.services.safekeeping.decided import Decisions, decisions
from alp_daemon.services.safekeeping.replaced import Progress
from alp_daemon.services.safekeeping.sincebackup import Changed, Written
from alp_daemon.settings import Settings
from alp_daemon.store.sqlite import SqliteStore, reading_folded
from alp_daemon.store.sqlitefile import sole_use
from alp_daemon.store.store import Row

# How each SQLite file begins: https://www.sqlite.org/fileformat.html, 1.3.1.
_MAGIC = b"SQLite format 3\0"
# What SQLite keeps beside a database that is in use, or was when its program died.
_BESIDE = ("-wal", "-shm")
_REPORTS = "reports"

# What somebody is told who has not said ``anyway``.
_EXPECTED = "so it is with every database that was used since, and to be expected where you go back on purpose; "
_ANYWAY = (
    "--anyway restores it, and keeps what it replaces beside it: files that came since are not in force until they are"
    " processed again, nor are STOPs until they are imported again"
)


@dataclass(frozen=True, slots=True)
class Restored:
    """What was done, and what is left for a person."""

    database: str
    replaced: str | None
    """The folder of what was replaced; None where there was nothing."""
    put_aside: int
    """Received files that the backup does not know; they lie in that folder."""
    given_up: tuple[int, ...]
    """Uploads that the backup does not know. They stay known by their numbers, as discarded."""
    opted_out: dict[str, str]
    """By list: who opted out since the backup, as a file for ``alp-daemon import``."""
    changed: dict[str, Changed]
    """By list: who was changed since in another way that no file has, a keyword message say."""
    decided: Decisions
    """What people decided since the backup: it is not in force any more. The customers' files, line types and interests
    lie in that folder."""
    unreadable: str | None
    """Why nobody can tell what the replaced database had that the backup has not."""
    without_file: tuple[int, ...]
    """Uploads that are still to be worked, and whose file is gone."""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def restore(settings: Settings, source: Path, now: datetime, *, anyway: bool) -> Restored:
    """Replaces the database by a backup, a file or a folder of ``backup``. Nobody else may use the database.

    Raises ``Refused``, unless ``anyway``, where the database has come further than the backup or the backup does not
    hold (see ``verify``); ``UnusableFile`` where it is none, ``Unavailable`` where it is damaged; ``TryAgain`` while
    the database is in use.
    """
    target = database_of(settings, "pg_restore --single-transaction --dbname=NEW FILE")
    given = _given(source)
    target.parent.mkdir(parents=True, exist_ok=True)
    # From here on nobody writes to what is about to be replaced, and is told that it was kept.
    with sole_use(target), in_the_making(target, f"cannot write {target}") as part:
        new = part / DATABASE
        copy_file(given, new)
        with _told_as(given, new):
            _bring_up_to_date(new, given)
            faults = looked_at(new)
        unreadable = _folded(target) if target.exists() else None
        old = target if target.exists() and unreadable is None else None
        was, will_be = replaced.progress(old) if old else None, replaced.progress(new)
        decided = decisions(old, new) if old else Decisions()
        _refuse_to_lose(target, was, will_be, decided, faults, anyway=anyway)
        aside = target.parent / f"replaced-{now:%Y-%m-%dT%H%M%S.%fZ}"
        given_up = passedon.pass_on(old, new, will_be.last_upload, settings.drop_dir, now)
        strays = _put_aside(settings, target, new, given_up.reports, aside)
        since = sincebackup.write_down(old, new, will_be.last_upload, decided, aside) if old else Written({}, {})
        _bring_files(source / SPOOL, settings.spool_dir)
        _replace(new, target, aside)
        passedon.remove_reports(settings.drop_dir, given_up.reports)
        without_file = _without_file(target, settings)
    log.info("database_restored", replaced=str(aside), put_aside=len(strays))
    return Restored(
        str(target),
        str(aside) if aside.exists() else None,
        len(strays),
        given_up.uploads,
        since.opted_out,
        since.changed,
        decided,
        unreadable,
        without_file,
    )


def _given(source: Path) -> Path:
    given = source / DATABASE if source.is_dir() else source
    if not given.is_file():
        raise NotFound(f"{given}: there is no such backup")
    with given.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise _no_backup(given)
    if any(_beside(given)):
        raise Refused(
            f"{given}: what lies beside it ({_beside(given)[0].name}) says that it is a database in use, or a part of"
            " one; take backups with `alp-daemon backup`"
        )
    return given


def _no_backup(given: Path) -> UnusableFile:
    return UnusableFile("no_backup", f"{given}: this is no backup of alp-daemon; take backups with `alp-daemon backup`")


def _beside(database: Path) -> list[Path]:
    found = [database.with_name(f"{database.name}{suffix}") for suffix in _BESIDE]
    return [path for path in found if path.exists()]


@contextmanager
def _told_as(given: Path, new: Path) -> Iterator[None]:
    """What is wrong with a copy is wrong with what somebody has named."""
    try:
        yield
    except Unavailable as error:
        raise Unavailable(str(error).replace(str(new), str(given))) from error


def _bring_up_to_date(new: Path, given: Path) -> None:
    """A backup may be older than this release. Raises ``Unavailable`` where it is a newer one's."""
    with reading_folded(new) as transaction:
        if next(transaction.rows("PRAGMA user_version")) == (0,):
            raise _no_backup(given)  # another program's database: every schema of ours has its number
    store = SqliteStore(new, sole=True)
    store.migrate()
    store.fold_wal()


def _folded(target: Path) -> str | None:
    """Puts what a killed daemon left beside the present database into it. Returns why that cannot be read, if so."""
    store = SqliteStore(target, sole=True)
    try:
        store.fold_wal()
        fault = store.fault()
        store.fold_wal()
    except TryAgain:
        raise
    except AlpError as error:
        fault = str(error)
    finally:
        store.close()
    return fault


def _refuse_to_lose(
    target: Path,
    was: Progress | None,
    will_be: Progress,
    decided: Decisions,
    faults: tuple[str, ...],
    *,
    anyway: bool,
) -> None:
    newer = []
    if was is not None and was.is_ahead_of(will_be):
        newer.append(f"{target} has come further than the backup ({was.beyond(will_be)}), which would be lost from it")
    if decided:
        newer.append(f"{target} knows what was decided since the backup ({decided}), which would be undone")
    reasons = [*(["the backup does not hold: " + faults[0]] if faults else []), *newer]
    if reasons and not anyway:
        raise Refused(f"{'; '.join(reasons)}; {_EXPECTED if newer else ''}{_ANYWAY}")


def _put_aside(
    settings: Settings, target: Path, new: Path, reports: Sequence[Published], aside: Path
) -> tuple[str, ...]:
    """Keeps the received files that the new database does not know, and their reports, under second names.

    The next start takes them out of the spool, and erases them after ``retention``, as some that nobody was told of.
    """
    strays = tuple(sorted(_files(settings.spool_dir) - replaced.objects(new)))
    if strays or reports or target.exists():
        aside.mkdir(mode=0o700)
    for name in strays:
        link_or_copy(settings.spool_dir / name, aside / SPOOL / name)
    passedon.keep_reports(settings.drop_dir, reports, aside / _REPORTS)
    return strays


def _files(spool: Path) -> set[str]:
    return {name for name in Folder(spool).names() if not name.partition("/")[2].startswith(".")}


def _bring_files(source: Path, spool: Path) -> None:
    """The backup's files, where the spool has them no more."""
    for name in sorted(_files(source) - _files(spool)):
        target = spool / name
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with in_the_making(target, f"cannot write {target}") as made:
            copy_file(source / name, made / "file")
            place(made / "file", target)


def _replace(new: Path, target: Path, aside: Path) -> None:
    """One step makes the new database the database; until then the old one is it, and has everything."""
    beside = _beside(target)
    # At last, since nobody should find a database in use under two names.
    for path in (target, *beside) if target.exists() else ():
        link_or_copy(path, aside / f"{DATABASE}{path.name.removeprefix(target.name)}")
    if aside.exists():
        make_durable(aside)
        sync_folder(aside.parent)
    # What a damaged database left beside itself must never meet the new one.
    for path in beside:
        path.unlink()
    place(new, target)


def _without_file(target: Path, settings: Settings) -> tuple[int, ...]:
    if settings.spool_bucket is not None:
        return ()
    rows: list[Row] = replaced.open_uploads(target)
    return tuple(row["id"] for row in rows if not (settings.spool_dir / row["object"]).exists())
