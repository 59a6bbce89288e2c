"""What people have decided since a backup was taken, and it would silently take back.

Both databases are files that nobody writes to meanwhile, and that were folded (``SqliteStore.fold_wal``).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from alp_daemon.store import copying
from alp_daemon.store.sqlite import has_table, reading_folded
from alp_daemon.store.sqlitetransaction import SqliteTransaction
from alp_daemon.store.store import Row, Transaction

_ISSUE = ("customer", "user", "issued_at")


@dataclass(frozen=True, slots=True)
class Decisions:
    """Decisions by their kinds; all of them empty where nobody has decided anything."""

    revoked: tuple[Row, ...] = ()
    """Log-ins that the backup lets in again: ``customer``, ``user``, ``kind``."""
    issued: tuple[Row, ...] = ()
    """Live log-ins that the backup does not know."""
    approved: tuple[Row, ...] = ()
    """Feeds that the backup knows under another approval, or none: ``customer``, ``feed``, ``approved_by``."""
    pushed: tuple[Row, ...] = ()
    """Versions of the customers' files that the backup has not, newest first: ``version``, ``pushed_at``,
    ``pushed_by``. None where the files in force are those of the backup all the same."""
    interests: tuple[Row, ...] = ()
    """Interests of brands that the backup has not: ``customer``, ``interest``, ``created_at``, ``created_by``."""
    line_types: int = 0
    """How many line types are in force, where the backup has others."""

    def __str__(self) -> str:
        kinds = {
            "log-ins revoked": len(self.revoked),
            "log-ins issued": len(self.issued),
            "feeds approved": len(self.approved),
            "versions of the customers' files pushed": len(self.pushed),
            "interests made": len(self.interests),
            "line types loaded": self.line_types,
        }
        return ", ".join(f"{kind}: {n:,}" for kind, n in kinds.items() if n)

    def __bool__(self) -> bool:
        return bool(str(self))


def decisions(database: Path, backup: Path) -> Decisions:
    """What the database has of them and the backup has not."""
    with reading_folded(database) as newer, reading_folded(backup) as older:
        now, was = newer.all("restore.credentials"), older.all("restore.credentials")
        return Decisions(
            _revoked(now, was),
            _not_in(_live(was), _live(now), *_ISSUE),
            _not_in(
                older.all("restore.approvals"), newer.all("restore.approvals"), "customer", "feed", "fingerprint", "at"
            ),
            _pushed(newer, older),
            _not_in(older.all("restore.interests"), newer.all("restore.interests"), "customer", "interest"),
            _line_types(newer, older),
        )


def _revoked(now: list[Row], was: list[Row]) -> tuple[Row, ...]:
    # Earlier releases forgot a revoked one once its name was issued anew. A database in which nobody ever had that name
    # is a new one, into which the backup is brought.
    known = {row["user"] for row in now}
    return tuple(row for row in _not_in(_live(now), _live(was), *_ISSUE) if row["user"] in known)


def _live(credentials: list[Row]) -> list[Row]:
    return [row for row in credentials if row["revoked_at"] is None]


def _not_in(known: list[Row], rows: list[Row], *key: str) -> tuple[Row, ...]:
    """The rows that ``known`` has none like, as far as their ``key`` tells."""
    keys = {tuple(row[name] for name in key) for row in known}
    return tuple(row for row in rows if tuple(row[name] for name in key) not in keys)


def _pushed(newer: SqliteTransaction, older: Transaction) -> tuple[Row, ...]:
    if not has_table(newer, "customer_versions"):
        return ()  # an earlier release's, in which nobody could push
    now, was = newer.all("customer_versions.list"), older.all("customer_versions.list")
    if now and was and now[0]["fingerprint"] == was[0]["fingerprint"]:
        return ()
    return _not_in(was, now, "version", "fingerprint")


def _line_types(newer: Transaction, older: Transaction) -> int:
    # A database without any is taken for a new one rather than for one that they were taken out of.
    now = copying.content(newer, "line_types")
    return now.rows if now.rows and now != copying.content(older, "line_types") else 0
