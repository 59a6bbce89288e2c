"""What is not as it should be, and what to do about it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta

from alp_daemon.customers import SUFFIX, Loaded, customer_of
from alp_daemon.services.alarms.lateness import overdue_feeds
from alp_daemon.services.operations import machine, nodes
from alp_daemon.services.operations.finding import Finding
from alp_daemon.services.processing.rules import unapproved
from alp_daemon.services.safekeeping import verify
from alp_daemon.settings import Settings
from alp_daemon.store import uploads
from alp_daemon.store.store import Store, Transaction, moment, stamp

LATE_MAIL = timedelta(hours=1)
# The order of arrivals goes by the nodes' clocks.
CLOCKS_APART = timedelta(seconds=10)
GIVEN_UP_SHOWN = timedelta(days=30)
_MOST_NAMED = 10

# Which of the two it is the daemon knows alone. A STOP by text or `opt-out` is heard in both.
_UNTIL_IT_IS_MENDED = (
    "a daemon that has read a sound version since its start goes on by that until it ends; without one, log-ins are"
    " refused and files wait"
)


def examine(store: Store, settings: Settings, loaded: Loaded, now: datetime) -> list[Finding]:
    """Everything worth a look, the worst first. ``loaded`` is what the customers' files say now."""
    approvals = [Finding("warning", sentence) for sentence in unapproved(store, loaded.customers.values())]
    with store.read() as transaction:
        findings = [
            *machine.examine(transaction, settings, loaded, now),
            *_nodes(transaction, settings, now),
            *_configuration(loaded),
            *_without_codes(transaction, loaded),
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


def _stuck(transaction: Transaction) -> Iterator[Finding]:
    for upload in uploads.find(transaction, "uploads.held"):
        what = f"upload {upload.id} of {upload.customer} is held: {upload.reason}"
        yield Finding("warning", f"{what}; see `alp-daemon show {upload.id}`, then release or discard it")
    for upload in uploads.find(transaction, "uploads.failed"):
        what = f"upload {upload.id} of {upload.customer} failed: {upload.reason}"
        yield Finding("error", f"{what}; see `alp-daemon show {upload.id}`, and the log of that time")


def _overdue(transaction: Transaction) -> Iterator[Finding]:
    for each in overdue_feeds(transaction):
        yield Finding(
            "warning",
            f"{each.customer}: the file of feed {each.feed} that was due by {each.slot:%Y-%m-%d %H:%M} (UTC) has not"
            " come; ask its sender",
        )


def _gone(transaction: Transaction, settings: Settings, loaded: Loaded) -> Iterator[Finding]:
    with_log_ins = {row["customer"] for row in transaction.all("credentials.live")}
    with_list = {customer_of(row["customer"]) for row in transaction.all("lists.all")}
    for customer in sorted((with_list | with_log_ins) - loaded.customers.keys()):
        path = settings.customers_path / f"{customer}{SUFFIX}"
        if path.exists():
            continue  # what is wrong with it is said elsewhere
        if customer in with_log_ins:
            yield Finding(
                "error",
                f"there is no {path}: its log-ins are refused, and its files wait for it. Put it back; or, if the"
                f" customer has left, revoke its log-ins (`alp-daemon credentials list {customer}`)",
            )
        else:
            yield Finding("warning", f"there is no {path}: its files wait for it, and its list stays as it is")


def _without_codes(transaction: Transaction, loaded: Loaded) -> Iterator[Finding]:
    """Who can be texted, and whom a STOP does not reach by the code that it is sent to."""
    customers = loaded.customers.values()
    without = [each.id for each in customers if not each.codes and (each.feeds or not each.brand)]
    if without and transaction.one("credentials.gateway"):
        more = f" and {len(without) - _MOST_NAMED:,} more" if len(without) > _MOST_NAMED else ""
        yield Finding(
            "warning",
            f"a gateway delivers messages, and there is no `codes:` in the files of {', '.join(without[:_MOST_NAMED])}"
            f"{more}: nobody can opt in there by text, and a STOP is only guessed at. Name the codes and numbers that"
            " their people text to",
        )


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
