"""How far a database has come, and which files it knows: what a backup that replaces it is compared with.

It is a file that nobody writes to meanwhile, and that was folded (``SqliteStore.fold_wal``).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from alp_daemon.store.sqlite import reading_folded
from alp_daemon.store.store import Row

GIVEN_UP = "the lists were brought back from a backup of before it came, so nothing of it is in force; send it again"
"""The ``reason`` of an upload that only the replaced database had. By it these are known."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a database has come."""

    changes: int
    uploads: int
    last_upload: int
    changed_at: str
    received_at: str

    def is_ahead_of(self, other: Progress) -> bool:
        return (
            self.changes > other.changes
            or self.uploads > other.uploads
            or max(self.changed_at, self.received_at) > max(other.changed_at, other.received_at)
        )

    def beyond(self, other: Progress) -> str:
        newest = max(self.changed_at, self.received_at)[:19].replace("T", " ")
        uploads, changes = self.uploads - other.uploads, self.changes - other.changes
        return f"{uploads} uploads and {changes} changes, the newest at {newest} UTC"


def progress(database: Path) -> Progress:
    with reading_folded(database) as transaction:
        row = transaction.one("restore.newest", given_up=GIVEN_UP)
    assert row is not None
    return Progress(
        row["changes"], row["uploads"], row["last_upload"], row["changed_at"] or "", row["received_at"] or ""
    )


def objects(database: Path) -> set[str]:
    """The received files that a database knows, by their names in the spool."""
    with reading_folded(database) as transaction:
        return {row["object"] for row in transaction.all("uploads.objects")}


def open_uploads(database: Path) -> list[Row]:
    """What is still to be worked, or may be."""
    with reading_folded(database) as transaction:
        return transaction.all("restore.open")
