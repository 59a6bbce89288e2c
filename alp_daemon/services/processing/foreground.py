"""One file now, while somebody waits: by the same queue and the same steps as in the daemon."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from alp_daemon.customers import Customer, readable
from alp_daemon.domain.model import Evidence, UploadState
from alp_daemon.registry import Registry
from alp_daemon.services.processing import process, queue
from alp_daemon.services.receiving.intake import Intake, Sender
from alp_daemon.services.reports import shown
from alp_daemon.services.reports.report import Report
from alp_daemon.settings import Settings
from alp_daemon.store.store import Store

_POLL_SECONDS = 0.2


def process_now(
    store: Store,
    settings: Settings,
    customer: Customer,
    file: Path,
    feed: str,
    by: str,
    *,
    clock: Callable[[], datetime],
    tell: Callable[[str], None],
) -> Report:
    """Queues a file that ``by`` sends, works the customer's queue up to it, and returns its report.

    Files that came first are worked first, and ``tell`` hears of them. Where another process is at the queue, this
    waits for it. Raises as ``Intake.take`` and ``process.work_next`` do.
    """
    intake = Intake(store, settings, Registry.of(customer))
    sender = Sender("cli", by)
    upload = intake.take(
        file, customer.id, readable(file.name), "", sender, clock(), evidence=Evidence.assumed, feed=feed
    )
    with queue.leases_kept(store, settings, queue.owner(settings), clock):
        finished = _worked_up_to(store, settings, customer, upload, clock, tell)
    intake.reports.bring_up_to_date(customer.id, clock())
    return finished


def _worked_up_to(
    store: Store,
    settings: Settings,
    customer: Customer,
    upload: int,
    clock: Callable[[], datetime],
    tell: Callable[[str], None],
) -> Report:
    owner, told = queue.owner(settings), False
    while True:
        done = process.work_next(store, settings, customer, owner, clock())
        if done is not None:
            if done["upload"] == upload:
                return done
            tell(f"upload {done['upload']} came first: {done['state']}")
            continue
        found = shown.one(store, upload)
        if found["state"] != UploadState.received:
            return found
        if not told:
            tell(f"upload {upload} waits: an earlier one of {customer.id} is in work, or not known to be whole yet")
            told = True
        time.sleep(_POLL_SECONDS)
