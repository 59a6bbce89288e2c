"""The store as services see it: ``with store.write() as transaction`` and named queries. SQLite for now."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from alp_daemon.store.sqlite import Row, Transaction
from alp_daemon.store.sqlite import SqliteStore as Store

__all__ = ["Row", "Store", "Transaction", "moment", "open_store", "stamp"]


def open_store(path: Path) -> Store:
    return Store(path).open()


def stamp(moment: datetime) -> str:
    """A time as it is stored: ``2026-11-21T06:00:00.000000Z``. Always the same width, so text order is time order."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def moment(stamp: str) -> datetime:
    return datetime.fromisoformat(stamp)
