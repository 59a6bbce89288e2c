"""Forgetting on time: uploaded files go after ``retention``; their hashes, counts and events stay.

So do files that no record knows, counted from when they were put aside.
"""

from __future__ import annotations

from datetime import datetime
from itertools import islice

from alp_daemon import log
from alp_daemon.files.spool import open_spool
from alp_daemon.settings import Settings
from alp_daemon.store.store import Store, stamp

# Files that share a request to the storage and a commit.
_AT_ONCE = 500


def erase_old_files(store: Store, settings: Settings, now: datetime) -> int:
    """Erases the spooled files of finished uploads that are older than ``retention``; returns how many."""
    with store.read() as transaction:
        old = transaction.all("uploads.erasable", before=stamp(now - settings.retention))
    spool, rows = open_spool(settings), iter(old)
    while batch := list(islice(rows, _AT_ONCE)):
        # The files first: a record that says "erased" must be true.
        spool.remove([row["object"] for row in batch])
        with store.write() as transaction:
            for row in batch:
                transaction.run("uploads.erased", id=row["id"], now=stamp(now))
        for row in batch:
            log.info("file_erased", upload=row["id"], customer=row["customer"])
    return len(old)


def erase_strays(settings: Settings) -> int:
    """Erases what was put aside longer ago than ``retention``, by the clock of the storage; returns how many."""
    spool = open_spool(settings)
    old = spool.aside(settings.retention)
    spool.remove(old)
    for each in old:
        log.info("stray_erased", object=each)
    return len(old)
