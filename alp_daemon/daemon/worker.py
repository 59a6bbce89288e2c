"""A worker process: takes one upload after another through its story, away from the server's I/O loop.

It stays with a customer for a turn: handing each upload over by itself costs as much as reading a hundred rows.

A process and not a thread: computing in a thread takes an FTP upload beside it from 1,800 to 3 MB/s.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from datetime import UTC, datetime

from alp_daemon import log
from alp_daemon.customers import Customer
from alp_daemon.daemon import memory
from alp_daemon.domain import nanp
from alp_daemon.services.processing import queue
from alp_daemon.services.processing.process import work_next
from alp_daemon.services.reports.publish import Reports
from alp_daemon.settings import Settings
from alp_daemon.store.store import Store, open_store

# Long enough that handing over costs little, short enough that many customers with many files all move on.
TURN_SECONDS = 0.5

_settings: Settings
_store: Store
_owner: str
_reports: Reports


def start(settings: Settings) -> None:
    """Called once in each new worker process."""
    global _settings, _store, _owner, _reports
    log.tell_everything()
    memory.limit(settings.worker_count)
    # Stopping is the daemon's business: it lets the running transaction finish.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    _settings, _store, _owner = settings, open_store(settings.database_address), queue.owner(settings)
    _reports = Reports(_store, settings.drop_dir)
    threading.Thread(target=_end_with_daemon, daemon=True).start()
    # A file of a hundred numbers would not make it for itself, and then takes three times as long to read.
    nanp.table()
    memory.freeze()


def work(customer: Customer) -> str | None:
    """Works the customer's uploads by this configuration until none is due or the turn is over, the first in any case.

    Returns how the last one ended, or None if nothing was due.
    """
    ends_at = time.monotonic() + TURN_SECONDS
    ended = None
    with queue.leases_kept(_store, _settings, _owner, _now):
        while (report := work_next(_store, _settings, customer, _owner, _now())) is not None:
            _reports.publish(customer.id, report["upload"])
            ended = str(report["state"])
            if time.monotonic() >= ends_at:
                break
    return ended


def _now() -> datetime:
    return datetime.now(UTC)


def _end_with_daemon() -> None:
    """A worker whose daemon was killed must not go on beside the next daemon's workers."""
    daemon = multiprocessing.parent_process()
    assert daemon is not None, "workers are spawned by the daemon"
    daemon.join()
    os._exit(1)
