"""What a database has that a backup of it has not, written down for whoever brings it back.

::

    uploads.csv              the uploads that came later, and under which name in the spool the file of each lies
    opted-out-LIST.csv       who opted out since, for ``alp-daemon import``: else somebody is texted who said STOP
    changed-LIST.csv         who else was changed since other than by a file, and how they stood
    customers/               the customers' files, for ``alp-daemon customers push``
    line-types.csv           the line types, for ``alp-daemon line-types load``
    interests.csv            the interests that were made since

Both databases are files that nobody writes to meanwhile, and that were folded (``SqliteStore.fold_wal``).
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from alp_daemon.customers import is_mail_list
from alp_daemon.domain.line_type import LineType
from alp_daemon.services.addresses import history, subscribers
from alp_daemon.services.configuration import customerfiles, customerfolder
from alp_daemon.services.safekeeping.decided import Decisions
from alp_daemon.services.safekeeping.peoplesince import PeopleSince
from alp_daemon.services.safekeeping.replaced import GIVEN_UP
from alp_daemon.store.sqlite import reading_folded
from alp_daemon.store.store import Row, Transaction

UPLOADS, CUSTOMERS, LINE_TYPES, INTERESTS = "uploads.csv", "customers", "line-types.csv", "interests.csv"


@dataclass(frozen=True, slots=True)
class Changed:
    """How many addresses of a list were changed other than by a file or an opt-out, and which file names them."""

    addresses: int
    file: str


@dataclass(frozen=True, slots=True)
class Written:
    """The files that are about lists, by list."""

    opted_out: dict[str, str]
    changed: dict[str, Changed]


def write_down(database: Path, backup: Path, last_upload: int, decided: Decisions, folder: Path) -> Written:
    """Writes into ``folder`` what the database has that the backup has not; no file where there is nothing to tell.

    ``last_upload`` is the last that the backup knows.
    """
    written = Written({}, {})
    with reading_folded(database) as newer, reading_folded(backup) as older:
        _write_rows(folder / UPLOADS, newer.all("restore.after", upload=last_upload, given_up=GIVEN_UP))
        for row in newer.all("lists.all"):
            _write_list(newer, older, row["customer"], folder, written)
        if decided.pushed:
            _write_customers(newer, older, folder / CUSTOMERS)
        if decided.line_types:
            _write_line_types(newer, folder / LINE_TYPES)
    _write_rows(folder / INTERESTS, decided.interests)
    return written


def _write_list(newer: Transaction, older: Transaction, name: str, folder: Path, written: Written) -> None:
    is_mail = is_mail_list(name)
    columns = subscribers.EXPORT_HEADER if is_mail else history.EXPORT_HEADER
    file = f"{name.replace('/', '-')}.csv"
    since = PeopleSince(newer, older, name)
    if out := since.opted_out():
        path = folder / f"opted-out-{file}"
        # Of numbers an import keeps in the history where they come from; of subscribers it would be an attribute.
        origin = () if is_mail else ("since the backup",)
        _write(path, columns if is_mail else (*columns, "source"), ((*row, *origin) for row in out))
        written.opted_out[name] = str(path)
    if changed := since.changed():
        path = folder / f"changed-{file}"
        _write(path, (*columns, "at", "by", "source", "channel"), changed)
        written.changed[name] = Changed(len(changed), str(path))


def _write_customers(newer: Transaction, older: Transaction, folder: Path) -> None:
    """A folder as if pulled from what the backup brings into force: a push of it loses nobody's later one."""
    newest, in_force = customerfiles.newest_in(newer), customerfiles.newest_in(older)
    assert newest is not None
    folder.mkdir(mode=0o700)
    customerfolder.write(folder, customerfiles.texts_in(newer, newest.version))
    if in_force is not None:
        customerfolder.note_stand(folder, in_force.stand)


def _write_line_types(newer: Transaction, path: Path) -> None:
    rows = newer.all("line_types.all")
    _write(path, ("number", "type"), ((f"+{row['digits']}", LineType(row["type"]).name) for row in rows))


def _write_rows(path: Path, rows: Sequence[Row]) -> None:
    if rows:
        _write(path, list(rows[0]), (list(row.values()) for row in rows))


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("x", encoding="utf-8", newline="") as file:
        path.chmod(0o600)
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
