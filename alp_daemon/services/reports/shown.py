"""Uploads as people ask for them: one report, or the list of them."""

from __future__ import annotations

import zlib

from alp_daemon.services.reports import report
from alp_daemon.services.reports.report import Report
from alp_daemon.store import uploads
from alp_daemon.store.store import Store, Transaction
from alp_daemon.store.uploads import Upload


def one(store: Store, upload: int) -> Report:
    """The report of an upload, with where it stands now. Raises ``NotFound``."""
    with store.read() as transaction:
        return _with_report(transaction, uploads.get(transaction, upload))


def listed(store: Store, customer: str | None, state: str | None, limit: int) -> list[Report]:
    """The reports of the newest uploads, newest first; of all customers, or in every state, for ``None``."""
    with store.read() as transaction:
        found = uploads.find(transaction, "uploads.list", customer=customer, state=state, limit=limit)
        return [_with_report(transaction, upload) for upload in found]


def rejects_csv(store: Store, upload: int) -> str:
    """The text of its ``rejects.csv``; the header alone where nothing was refused or it was not worked yet."""
    with store.read() as transaction:
        row = transaction.one("reports.get", upload=upload)
    return zlib.decompress(row["rejects"]).decode() if row else report.rejects_csv([])


def _with_report(transaction: Transaction, upload: Upload) -> Report:
    row = transaction.one("reports.get", upload=upload.id)
    return report.of_upload(upload, row["json"] if row else None)
