"""What is not as it should be, and what to do about it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Literal

from alp_daemon import certificates, ports
from alp_daemon.customers import SUFFIX, Loaded, customer_of
from alp_daemon.errors import AlpError, ConfigurationError
from alp_daemon.files import drop
from alp_daemon.files.objects import ASIDE
from alp_daemon.files.spool import open_spool
from alp_daemon.services.alarms.lateness import overdue_feeds
from alp_daemon.services.operations import nodes
from alp_daemon.services.processing.rules import unapproved
from alp_daemon.services.safekeeping import verify
from alp_daemon.settings import Settings
from alp_daemon.store import uploads
from alp_daemon.store.store import Store, Transaction, moment, stamp

LOW_SPACE_BYTES = 1 << 30
LATE_MAIL = timedelta(hours=1)
# Leases and orders of arrival go by the nodes' clocks.
CLOCKS_APART = timedelta(seconds=10)
GIVEN_UP_SHOWN = timedelta(days=30)

# Which of the two it is the daemon knows alone. A STOP by text or `opt-out` is heard in both.
_UNTIL_IT_IS_MENDED = (
    "a daemon that has read a sound version since its start goes on by that until it ends; without one, log-ins are"
    " refused and files wait"
)


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
            *_nodes(transaction, settings, now),
            *_configuration(loaded),
            *_certificates(settings, now),
            *_disk(settings),
            *_spool(settings),
            *_drop_folders(settings, loaded),
            *approvals,
            *_stuck(transaction),
            *_overdue(transaction),
            *_gone(transaction, settings, loaded),
            *_lists(transaction),
            *_unfaithful(transaction),
            *_waiting_mail(transaction, settings, now),
            *_given_up_mail(transaction, now),
        ]
    return sorted(findings, key=lambda finding: ("error", "warning", "info").index(finding.severity))


def _daemon(settings: Settings) -> Iterator[Finding]:
    running = ports.running(settings.data_dir)
    if running is None:
        yield Finding("warning", f"no daemon runs on {settings.data_dir}; start it with `alp-daemon serve`")
    else:
        yield Finding("info", f"the daemon runs as process {running.pid}, FTP on port {running.ports.get('ftp', '-')}")


def _nodes(transaction: Transaction, settings: Settings, now: datetime) -> Iterator[Finding]:
    known = nodes.known(transaction)
    living = [node for node in known if node.is_alive(now, settings.lease)]
    for node in known:
        who = f"node {node.name} ({node.role}, version {node.version})"
        if node not in living:
            yield Finding("warning", f"{who} has not been seen since {node.seen_at:%Y-%m-%d %H:%M:%S} (UTC); start it")
        elif node.seen_at - now > CLOCKS_APART:
            ahead = round((node.seen_at - now).total_seconds())
            yield Finding("warning", f"{who}: its clock is {ahead} s ahead of this one; keep all clocks in time")
        else:
            yield Finding("info", f"{who} was seen {max(0, round((now - node.seen_at).total_seconds()))} s ago")
    yield from _different_rules(living)
    if settings.database_path is None:
        yield from _stranded(transaction, {node.name for node in living})


def _different_rules(living: list[nodes.Node]) -> Iterator[Finding]:
    loaded = {f"{node.name} ({node.role})": node.customers[:12] for node in living if node.customers}
    if len(set(loaded.values())) > 1:
        told = ", ".join(f"{name} has {fingerprint}" for name, fingerprint in loaded.items())
        yield Finding("warning", f"the nodes work by different customers' files: {told}; bring all to the same")


def _stranded(transaction: Transaction, living: set[str]) -> Iterator[Finding]:
    for row in transaction.all("uploads.picked_up_by"):
        if row["node"] not in living:
            yield Finding(
                "warning",
                f"{row['n']} file(s) that node {row['node']} was taking out of its drop folder wait until it is back",
            )


def _configuration(loaded: Loaded) -> Iterator[Finding]:
    for problem in loaded.errors:
        yield Finding("error", f"{problem} ({_UNTIL_IT_IS_MENDED})")
    for problem in loaded.warnings:
        yield Finding("warning", problem.unrated)


def _certificates(settings: Settings, now: datetime) -> Iterator[Finding]:
    for pair in certificates.pairs(settings):
        try:
            expiry = pair.judge(now)
        except ConfigurationError as error:
            yield Finding(
                "error",
                f"{error}. With these `serve` does not start, and one that runs goes on with those it has read. Correct"
                " the files or their permissions, then `alp-daemon reload`",
            )
        else:
            if expiry:
                yield Finding(expiry.severity, str(expiry))


def _disk(settings: Settings) -> Iterator[Finding]:
    free = shutil.disk_usage(settings.data_dir if settings.data_dir.exists() else ".").free
    floor = settings.free_space_floor
    if free < max(floor, LOW_SPACE_BYTES):
        refused = "are" if free < floor else f"below {floor >> 20:,} MiB (free_space_floor) will be"
        yield Finding(
            "error", f"{settings.data_dir}: only {free >> 20:,} MiB are free; uploads {refused} refused (452)"
        )


def _spool(settings: Settings) -> Iterator[Finding]:
    trouble = open_spool(settings).trouble()
    if trouble:
        yield Finding("error", f"the spool {settings.spool or settings.spool_dir} {trouble}; no file can be received")
    else:
        yield from _strays(settings)
    if settings.spool_bucket and settings.database_path:
        yield Finding(
            "warning",
            f"the spool is {settings.spool}, and the database a file of this node: no other node can work the files",
        )


def _drop_folders(settings: Settings, loaded: Loaded) -> Iterator[Finding]:
    for customer in loaded.customers:
        if trouble := drop.trouble(settings.drop_dir / customer):
            yield Finding(
                "error",
                f"{customer}: {trouble}; its FTP log-ins are refused (451), and no file is picked up there. Make it a"
                " folder of the daemon's own user, or remove it: the daemon then makes it anew",
            )


def _strays(settings: Settings) -> Iterator[Finding]:
    try:
        number = len(open_spool(settings).aside())
    except AlpError:
        return  # what is wrong with the storage is said elsewhere
    if number:
        yield Finding(
            "warning",
            f"{number} file(s) without a record lie in {settings.spool or settings.spool_dir}/{ASIDE}, and are erased"
            f" {settings.retention.days} days after they were put there. One or two are remains of a crash, which"
            " nobody was told of. More are what customers sent before somebody brought back an older database: send"
            " them again with `alp-daemon send`, or move each back to CUSTOMER/TOKEN under the newer database",
        )


def _stuck(transaction: Transaction) -> Iterator[Finding]:
    for upload in uploads.find(transaction, "uploads.held"):
        yield Finding("warning", f"upload {upload.id} of {upload.customer} is held: {upload.reason}")
    for upload in uploads.find(transaction, "uploads.failed"):
        yield Finding("error", f"upload {upload.id} of {upload.customer} failed: {upload.reason}")


def _overdue(transaction: Transaction) -> Iterator[Finding]:
    for each in overdue_feeds(transaction):
        yield Finding(
            "warning",
            f"{each.customer}: the file of feed {each.feed} that was due by {each.slot:%Y-%m-%d %H:%M} (UTC) has not"
            " come; ask its sender",
        )


def _gone(transaction: Transaction, settings: Settings, loaded: Loaded) -> Iterator[Finding]:
    for row in transaction.all("lists.all"):
        customer = customer_of(row["customer"])
        path = settings.customers_path / f"{customer}{SUFFIX}"
        if customer not in loaded.customers and not path.exists():
            yield Finding("warning", f"there is no {path}: its log-ins are refused, and its files wait for it")


def _lists(transaction: Transaction) -> Iterator[Finding]:
    for row in transaction.all("lists.without_import"):
        yield Finding(
            "warning",
            f"{row['customer']} has applied uploads, but nobody brought its earlier opt-outs: `alp-daemon import"
            f" {row['customer']} FILE --by NAME`, or --starts-empty if there were none",
        )


def _unfaithful(transaction: Transaction) -> Iterator[Finding]:
    for verified in verify.of_lists(transaction):
        for fault in verified.faults:
            yield Finding("error", fault)


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
