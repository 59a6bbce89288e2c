"""What a backup takes over from the database whose place it takes: the mark, and the numbers of uploads.

People know an upload by its number, from an answer, a report or a mail, and it must never come to mean another file. So
those that the backup does not know stay there, as discarded ones of which only the record is left, and the next number
is above theirs. Their old reports say what is no longer so: they are taken away, and others written at the next start.

The new database is a file that nobody has open, and the old one too; it was folded (``SqliteStore.fold_wal``).
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from alp_daemon.files import beneath
from alp_daemon.files.disk import link_or_copy
from alp_daemon.files.drop import REPORTS
from alp_daemon.services.receiving import spoolmark
from alp_daemon.services.reports import report
from alp_daemon.services.reports.publish import Published, published
from alp_daemon.services.safekeeping.replaced import GIVEN_UP
from alp_daemon.store import uploads
from alp_daemon.store.sqlite import SqliteStore, has_table, reading_folded
from alp_daemon.store.store import Row, Transaction, stamp

# Reports lie where others may write too: a name made up must not use up the numbers.
_HIGHEST = 10**9


@dataclass(frozen=True, slots=True)
class GivenUp:
    """What only the old database had, as far as no earlier restore has given it up already."""

    uploads: tuple[int, ...]
    reports: tuple[Published, ...]
    """Files of reports that are not true any more."""


def pass_on(old: Path | None, new: Path, last_upload: int, drop_dir: Path, now: datetime) -> GivenUp:
    """``last_upload`` is the last that the backup knows.

    ``old`` is None where the old database is gone or damaged: then only the reports tell what came.
    """
    reports = [each for each in published(drop_dir) if last_upload < each.upload < _HIGHEST]
    known: dict[int, Row] = {each.upload: _as_row(each) for each in reports}
    mark = None
    if old is not None:
        with reading_folded(old) as transaction:
            rows = transaction.all("restore.given_up", upload=last_upload, reason=GIVEN_UP)
            known |= {row["id"]: row for row in rows}
            if has_table(transaction, "spool_mark"):
                mark = spoolmark.known(transaction)
    store = SqliteStore(new, sole=True)
    with store.write() as transaction:
        if mark:
            transaction.run("spool_mark.add", mark=mark)
        for row in known.values():
            _give_up(transaction, row, now)
    store.fold_wal()
    given_up = {id_ for id_, row in known.items() if row["given_up_at"] is None}
    return GivenUp(tuple(sorted(given_up)), tuple(each for each in reports if each.upload in given_up))


def keep_reports(drop_dir: Path, reports: Iterable[Published], folder: Path) -> None:
    """Gives each a second name in ``folder``."""
    for each in reports:
        link_or_copy(drop_dir / each.customer / REPORTS / each.file, folder / each.customer / each.file)


def remove_reports(drop_dir: Path, reports: Iterable[Published]) -> None:
    for each in reports:
        with suppress(OSError), beneath.opened(drop_dir / each.customer, REPORTS) as opened:
            os.unlink(each.file, dir_fd=opened)


def _as_row(known: Published) -> Row:
    return {
        "id": known.upload,
        "customer": known.customer,
        "feed": None,
        "mode": None,
        "name": known.name,
        "folder": "",
        "channel": "unknown",
        "actor": "somebody",
        "received_at": stamp(known.written_at),
        "size": 0,
        "sha256": None,
        "object": "",
        "evidence": None,
        "evidence_note": "",
        "is_reported": True,
        "given_up_at": None,
    }


def _give_up(transaction: Transaction, row: Row, now: datetime) -> None:
    transaction.run("restore.give_up", **{**row, "given_up_at": row["given_up_at"] or stamp(now)}, reason=GIVEN_UP)
    if row["is_reported"]:
        told = report.of_upload(uploads.get(transaction, row["id"]), None)
        transaction.run("reports.add", **report.packed(told, []), read_with=None)
