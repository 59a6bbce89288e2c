"""The mark by which shared storage knows its database.

Two databases on one storage would take each other's objects for strays. So the storage bears the mark of the first
that came, and no other keeps anything there. The mark is a part of the database: it goes with it to another server and
into backups.
"""

from __future__ import annotations

import secrets

from alp_daemon.store.store import Store, Transaction


def known(transaction: Transaction) -> str | None:
    """The database's mark; None where nobody has asked for one yet."""
    row = transaction.one("spool_mark.get")
    return None if row is None else str(row["mark"])


def mark(store: Store) -> str:
    """The database's mark, drawn when it is first asked for."""
    with store.read() as transaction:
        found = known(transaction)
    if found is not None:
        return found
    with store.write() as transaction:
        transaction.lock("spool_mark")
        transaction.run("spool_mark.add", mark=secrets.token_hex(16))
        drawn = known(transaction)
    assert drawn is not None
    return drawn
