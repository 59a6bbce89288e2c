"""What a database has that a backup of it has not: how much, which files, who opted out, and who may come in.

Both are files that nobody writes to meanwhile, and that were folded (``SqliteStore.fold_wal``).
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from alp_daemon.customers import is_mail_list
from alp_daemon.domain import phone
from alp_daemon.domain.model import Status
from alp_daemon.domain.rows import find
from alp_daemon.services.addresses import history, subscribers
from alp_daemon.store import lists
from alp_daemon.store.sqlite import reading_folded
from alp_daemon.store.store import Row, Transaction

_OUT = (Status.opted_out, Status.unsubscribed)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a database has come."""

    changes: int
    upload: int
    changed_at: str
    received_at: str

    def is_ahead_of(self, other: Progress) -> bool:
        return (
            self.changes > other.changes
            or self.upload > other.upload
            or max(self.changed_at, self.received_at) > max(other.changed_at, other.received_at)
        )

    def beyond(self, other: Progress) -> str:
        newest = max(self.changed_at, self.received_at)[:19].replace("T", " ")
        uploads, changes = self.upload - other.upload, self.changes - other.changes
        return f"{uploads} uploads and {changes} changes, the newest at {newest} UTC"


def progress(database: Path) -> Progress:
    with reading_folded(database) as transaction:
        row = transaction.one("restore.newest")
    assert row is not None
    return Progress(row["changes"], row["upload"], row["changed_at"] or "", row["received_at"] or "")


@dataclass(frozen=True, slots=True)
class Decisions:
    """What people have decided since a backup, and the backup would silently take back."""

    revoked: tuple[Row, ...] = ()
    """Log-ins that the backup lets in again: ``customer``, ``user``, ``kind``."""
    issued: tuple[Row, ...] = ()
    """Live log-ins that the backup does not know."""
    approved: tuple[Row, ...] = ()
    """Feeds that the backup knows under another approval, or none: ``customer``, ``feed``, ``approved_by``."""

    def __str__(self) -> str:
        return (
            f"{len(self.revoked)} log-ins revoked, {len(self.issued)} issued and {len(self.approved)} feeds approved"
            " since"
        )

    def __bool__(self) -> bool:
        return bool(self.revoked or self.issued or self.approved)


def decisions(database: Path, backup: Path) -> Decisions:
    """What the database has of them and the backup has not."""
    with reading_folded(database) as newer, reading_folded(backup) as older:
        now, was = newer.all("restore.credentials"), older.all("restore.credentials")
        approvals = older.all("restore.approvals")
        return Decisions(
            # Of a revoked one the record itself may be gone, where its name was issued anew.
            _live_in_the_first_only(was, now),
            _live_in_the_first_only(now, was),
            tuple(row for row in newer.all("restore.approvals") if row not in approvals),
        )


def _live_in_the_first_only(first: list[Row], second: list[Row]) -> tuple[Row, ...]:
    live = {_issue(row) for row in second if row["revoked_at"] is None}
    return tuple(row for row in first if row["revoked_at"] is None and _issue(row) not in live)


def _issue(credential: Row) -> tuple[str, str, str]:
    return credential["customer"], credential["user"], credential["issued_at"]


def objects(database: Path) -> set[str]:
    """The received files that a database knows, by their names in the spool."""
    with reading_folded(database) as transaction:
        return {row["object"] for row in transaction.all("uploads.objects")}


def open_uploads(database: Path) -> list[Row]:
    """What is still to be worked, or may be."""
    with reading_folded(database) as transaction:
        return transaction.all("restore.open")


def told_apart(database: Path, backup: Path, folder: Path) -> dict[str, Path]:
    """Writes down what the database has that the backup has not.

    ``uploads.csv`` says which uploads came later, and under which name in the spool each file lies. For each list whose
    people opted out since there is a file for ``import``: brought back, nobody is texted who said STOP after the backup
    was taken. Returns these by list.
    """
    last = progress(backup).upload
    with reading_folded(database) as transaction:
        rows = transaction.all("restore.after", upload=last)
    if rows:
        _write(folder / "uploads.csv", list(rows[0]), [list(row.values()) for row in rows])
    return _opted_out_since(database, backup, folder)


def _opted_out_since(database: Path, backup: Path, folder: Path) -> dict[str, Path]:
    written = {}
    with reading_folded(database) as newer, reading_folded(backup) as older:
        for row in newer.all("lists.all"):
            name = row["customer"]
            found = _out_since(newer, older, name)
            if found:
                path = folder / f"opted-out-{name.replace('/', '-')}.csv"
                header = subscribers.EXPORT_HEADER if is_mail_list(name) else (*history.EXPORT_HEADER, "source")
                _write(path, header, found)
                written[name] = path
    return written


def _out_since(newer: Transaction, older: Transaction, name: str) -> list[tuple[str, ...]]:
    head = lists.open_list(newer, name)
    state = lists.read_state(newer, head)
    before = lists.read_state(older, lists.open_list(older, name))
    at, known = find(before.keys, state.keys)
    was = np.full(len(state), Status.absent, np.int8)
    was[known] = before.status[at[known]]
    out = np.isin(state.status, _OUT) & (was != state.status)
    keys, statuses = state.keys[out].tolist(), [Status(each).name for each in state.status[out].tolist()]
    if not is_mail_list(name):
        return [
            (phone.format_key(key), status, "", "since the backup") for key, status in zip(keys, statuses, strict=True)
        ]
    assert head is not None
    emails = newer.read_texts("emails.part", head.id)
    return [(emails[key], status, "") for key, status in zip(keys, statuses, strict=True)]


def _write(path: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    with path.open("x", encoding="utf-8", newline="") as file:
        path.chmod(0o600)
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
