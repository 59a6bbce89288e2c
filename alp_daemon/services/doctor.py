"""What is not as it should be, and what to do about it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from alp_daemon.customers import Loaded
from alp_daemon.services.rules import unapproved
from alp_daemon.settings import Settings
from alp_daemon.store import lists, uploads
from alp_daemon.store.store import Store, Transaction, moment, stamp

LOW_SPACE_BYTES = 1 << 30
LATE_MAIL = timedelta(hours=1)
GIVEN_UP_SHOWN = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Finding:
    severity: Literal["error", "warning", "info"]
    message: str

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


def examine(store: Store, settings: Settings, loaded: Loaded, now: datetime) -> list[Finding]:
    """Everything worth a look, the worst first. ``loaded`` is what the customers' files say now."""
    approvals = [Finding("warning", sentence) for sentence in unapproved(store, loaded.customers.values())]
    with store.read() as transaction:
        findings = [
            *_daemon(settings),
            *_configuration(loaded),
            *_disk(settings),
            *approvals,
            *_stuck(transaction),
            *_gone(transaction, settings, loaded),
            *_lists(transaction),
            *_histories(transaction),
            *_snapshots(transaction),
            *_waiting_mail(transaction, settings, now),
            *_given_up_mail(transaction, now),
        ]
    return sorted(findings, key=lambda finding: ("error", "warning", "info").index(finding.severity))


def _daemon(settings: Settings) -> Iterator[Finding]:
    try:
        ports = json.loads((settings.data_dir / "ports.json").read_text(encoding="utf-8"))
        # A daemon that was killed leaves the file behind.
        Path(f"/proc/{ports['pid']}").stat()
    except (OSError, ValueError):
        yield Finding("warning", f"no daemon runs on {settings.data_dir}; start it with `alp-daemon serve`")
        return
    yield Finding("info", f"the daemon runs as process {ports['pid']}, FTP on port {ports.get('ftp', '-')}")


def _configuration(loaded: Loaded) -> Iterator[Finding]:
    for problem in loaded.errors:
        yield Finding("error", f"{problem} (a running daemon goes on with the last good version)")
    for problem in loaded.warnings:
        yield Finding("warning", str(problem))


def _disk(settings: Settings) -> Iterator[Finding]:
    free = shutil.disk_usage(settings.data_dir if settings.data_dir.exists() else ".").free
    if free < LOW_SPACE_BYTES:
        yield Finding("error", f"{settings.data_dir}: only {free >> 20:,} MiB are free; uploads will be refused (452)")


def _stuck(transaction: Transaction) -> Iterator[Finding]:
    for upload in uploads.find(transaction, "uploads.held"):
        yield Finding("warning", f"upload {upload.id} of {upload.customer} is held: {upload.reason}")
    for upload in uploads.find(transaction, "uploads.failed"):
        yield Finding("error", f"upload {upload.id} of {upload.customer} failed: {upload.reason}")


def _gone(transaction: Transaction, settings: Settings, loaded: Loaded) -> Iterator[Finding]:
    for row in transaction.all("lists.all"):
        customer = row["customer"].partition("/")[0]  # of the list of numbers or of subscribers
        path = settings.customers_dir / f"{customer}.yaml"
        if customer not in loaded.customers and not path.exists():
            yield Finding("warning", f"there is no {path}: its log-ins are refused, and its files wait for it")


def _lists(transaction: Transaction) -> Iterator[Finding]:
    for row in transaction.all("lists.without_import"):
        yield Finding(
            "warning",
            f"{row['customer']} has applied uploads, but nobody brought its earlier opt-outs: `alp-daemon import"
            f" {row['customer']} FILE --by NAME`, or --starts-empty if there were none",
        )


def _histories(transaction: Transaction) -> Iterator[Finding]:
    for row in transaction.all("lists.all"):
        head = lists.open_list(transaction, row["customer"])
        assert head is not None
        version = lists.first_broken_change(transaction, head)
        if version is not None:
            yield Finding(
                "error",
                f"{row['customer']}: the history was changed by something other than this program, at version"
                f" {version} or later; compare with a backup",
            )


def _snapshots(transaction: Transaction) -> Iterator[Finding]:
    for row in transaction.all("lists.all"):
        if not transaction.is_read_right(row["id"]):
            mended = f"DELETE FROM snapshot_segments WHERE list = {row['id']}"  # noqa: S608  said, not run
            yield Finding(
                "error",
                f"{row['customer']}: its rows were changed past their triggers, and files are compared with what they"
                f" were; with any SQLite tool: {mended}",
            )


def _waiting_mail(transaction: Transaction, settings: Settings, now: datetime) -> Iterator[Finding]:
    row = transaction.one("outbox.waiting")
    if not row or not row["n"]:
        return
    if settings.smtp.host is None:
        yield Finding("warning", f"{row['n']} mail(s) wait, and smtp.host is not set")
    elif now - moment(row["oldest"]) > LATE_MAIL:
        yield Finding("warning", f"{row['n']} mail(s) wait, the oldest since {row['oldest']}: {row['last_error']}")


def _given_up_mail(transaction: Transaction, now: datetime) -> Iterator[Finding]:
    for row in transaction.all("outbox.given_up", since=stamp(now - GIVEN_UP_SHOWN)):
        to = ", ".join(json.loads(row["recipients"]))
        yield Finding("warning", f"a mail to {to} was given up: {row['last_error']}")
