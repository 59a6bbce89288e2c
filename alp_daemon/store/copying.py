"""All data of one database into another, table by table, and a digest of each table on either side.

What a snapshot holds is not copied: it is a copy itself, and SQLite makes it anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from alp_daemon.store.transaction import Transaction

# Each table with what tells its rows apart, in an order that both databases agree on.
TABLES = {
    "lists": "id",
    "addresses": "list, key",
    "tag_sets": "list, id",
    "feed_bits": "list, feed",
    "first_listings": "list, upload",
    "changes": "list, version",
    "events": "list, version, key",
    "uploads": "id",
    "reports": "upload",
    "approvals": "customer, feed",
    "credentials": "customer, id",
    "login_failures": "ip, at",
    "lockouts": "ip",
    "unlocks": "ip, unlocked_at",
    "messages": "customer, id",
    "outbox": "id",
    "line_types": "digits, whole",
    "emails": "list, key",
    "attribute_sets": "list, id",
    "interests": "list, name",
    "fields": "list, name",
    "target_groups": "list, field, name",
    "sessions": "secret",
    "answers": "customer, key",
    "counters": "name, label",
    "approval_links": "token",
    "customer_versions": "version",
    "customer_files": "customer, since",
    "expectations": "customer, feed, schedule",
    "alarms": "customer, feed, slot",
    "addressees": "customer",
    "codes": "customer, code",
    "spool_mark": "mark",
}


# PostgreSQL keeps the customer beside a report, where SQLite looks it up.
_SOURCES = {
    "reports": "(SELECT u.customer, r.upload, r.json, r.rejects, r.read_with FROM reports r JOIN uploads u"
    " ON u.id = r.upload) AS reports"
}


@dataclass(frozen=True, slots=True)
class Content:
    """What a table holds: how many rows, and the SHA-256 of all of them in order."""

    rows: int
    digest: str


def copy(source: Transaction, target: Transaction, table: str) -> None:
    """Appends the rows of the table; the target's has none."""
    columns = target.columns(table)
    target.append(table, columns, _rows(source, table, columns))


def content(transaction: Transaction, table: str) -> Content:
    """The same for the same rows, whichever database holds them and in whatever order it has the columns."""
    columns = sorted(transaction.columns(_SOURCES.get(table, table)))
    digest, count = hashlib.sha256(), 0
    for row in _rows(transaction, table, columns):
        digest.update(repr(row).encode())
        count += 1
    return Content(count, digest.hexdigest())


def _rows(transaction: Transaction, table: str, columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    names = ", ".join(f'"{name}"' for name in columns)
    source = f"FROM {_SOURCES.get(table, table)} ORDER BY {TABLES[table]}"
    return transaction.rows(f"SELECT {names} {source}")
