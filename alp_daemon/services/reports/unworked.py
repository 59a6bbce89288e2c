"""Reports for uploads that ended, or were held, before any worker read them: nobody must find silence."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from alp_daemon import log
from alp_daemon.customers import Customer
from alp_daemon.services.reports import notify, report
from alp_daemon.services.reports.report import Findings
from alp_daemon.settings import Settings
from alp_daemon.store import uploads
from alp_daemon.store.store import Store, Transaction
from alp_daemon.store.uploads import Upload


def report_unworked(store: Store, settings: Settings, customers: Mapping[str, Customer], now: datetime) -> int:
    """Writes the report and the mail of each such upload; returns how many."""
    with store.read() as transaction:
        if not transaction.one("uploads.unreported"):
            return 0  # the usual second: no write lock is taken
    with store.write() as transaction:
        unreported = uploads.find(transaction, "uploads.unreported")
        reported = [upload for upload in unreported if _report(transaction, settings, customers, upload, now)]
    for upload in reported:
        log.info("upload_finished", upload=upload.id, customer=upload.customer, feed=upload.feed, state=upload.state)
    return len(reported)


def _report(
    transaction: Transaction, settings: Settings, customers: Mapping[str, Customer], upload: Upload, now: datetime
) -> bool:
    """Whether the report is this one's; another node may be at it at the same moment."""
    findings = Findings(upload.feed, None, upload.evidence, upload.evidence_note, upload.reasons, sha256=upload.sha256)
    finished = report.build(upload, upload.state, upload.reason, findings, 0.0)
    if not transaction.run("reports.add", **report.packed(finished, []), read_with=None):
        return False
    notify.tell_of_upload(transaction, settings, customers.get(upload.customer), finished, now)
    return True
