"""Held uploads: what a person can do with them, and what happens when nobody does anything."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta

from alp_daemon import log
from alp_daemon.customers import Customer
from alp_daemon.domain.guard import HoldCode, HoldReason, cures_of, needs_though_cut
from alp_daemon.domain.model import UploadState
from alp_daemon.errors import NotFound, Refused
from alp_daemon.services.processing.rules import is_approved, rules_for
from alp_daemon.services.reports import notify, report, whatnext
from alp_daemon.settings import Settings
from alp_daemon.store import uploads
from alp_daemon.store.store import Store, Transaction, moment, stamp
from alp_daemon.store.uploads import Upload

REMIND_EVERY = timedelta(days=1)
DISCARD_AFTER = timedelta(days=30)


def release(store: Store, upload_id: int, by: str, now: datetime, *, though_cut: bool = False) -> Upload:
    """Puts a held upload back into the queue, with its recorded reasons waived up to the figures that were shown.

    It is planned again from the file. What is then worse than what was shown holds it again, and so does anything
    where its feed was configured otherwise since. A failed upload has no reasons to waive, and is tried again.
    """
    with store.write() as transaction:
        upload = _releasable(transaction, upload_id)
        for reason in upload.reasons:
            for cure in cures_of([reason.code]):
                raise Refused(
                    f"upload {upload_id} is held because {reason.message}; a release cannot cure that: {cure}"
                )
        if not though_cut and needs_though_cut([reason.code for reason in upload.reasons]):
            raise Refused(
                f"upload {upload_id} may be cut short, so its end may be missing; if you have seen that it is whole,"
                f" say `alp-daemon release {upload_id} --by NAME --though-cut`"
            )
        # What an earlier release allowed stays allowed: a file with two reasons could otherwise never be released.
        waived = json.loads(upload.waived or "{}") | {reason.code.value: reason.count for reason in upload.reasons}
        transaction.run("uploads.requeue", id=upload_id, waived=json.dumps(waived), by=by, at=stamp(now))
        log.info("released", upload=upload_id, customer=upload.customer, by=by, reasons=sorted(waived))
        return uploads.get(transaction, upload_id)


def discard(store: Store, upload_id: int, by: str, now: datetime) -> Upload:
    """Ends an upload that is held or not yet in work. The list stays as it is."""
    with store.write() as transaction:
        upload = uploads.get(transaction, upload_id)
        if not transaction.run("uploads.discard", id=upload_id, reason=f"discarded by {by}", now=stamp(now)):
            raise Refused(f"upload {upload_id} is {upload.state}; only a held or waiting one can be discarded")
        log.info("discarded", upload=upload_id, customer=upload.customer, by=by)
        return uploads.get(transaction, upload_id)


def requeue_approved(transaction: Transaction, customer: str, feed: str, by: str, now: datetime) -> list[int]:
    """The files that waited for the approval of their feed go on, in the order in which they came.

    What an earlier release allowed was shown under another configuration, and is not allowed any more.
    """
    transaction.lock("holds", customer)  # what another node lets go on is not held for this any more
    code = HoldCode.not_approved.value
    waiting = uploads.find(transaction, "uploads.held_for", customer=customer, feed=feed, code=code)
    for upload in waiting:
        transaction.run("uploads.requeue", id=upload.id, waived=None, by=by, at=stamp(now))
    return [upload.id for upload in waiting]


def requeue_valid_again(store: Store, customer: Customer, now: datetime) -> list[int]:
    """The customer's feeds are (again) as they were approved: what waited for an approval goes on."""
    requeued: list[int] = []
    if not _any_held_for(store, customer.id, HoldCode.not_approved):
        return requeued
    with store.write() as transaction:
        for feed in customer.feeds:
            if is_approved(transaction, customer.id, rules_for(customer, feed)):
                requeued += requeue_approved(transaction, customer.id, feed, "its feed, as it was approved", now)
    return requeued


def requeue_approved_meanwhile(store: Store, customers: Mapping[str, Customer], now: datetime) -> list[int]:
    """The same for all customers who have such files, called every now and then.

    A worker keeps a customer's configuration for its turn, and may hold a file by one that has just been replaced:
    when that is done, the approval of the new one has let go on what it found.
    """
    with store.read() as transaction:
        rows = transaction.all("uploads.customers_held_for", code=HoldCode.not_approved.value)
    held = [customers[row["customer"]] for row in rows if row["customer"] in customers]
    return [upload for customer in held for upload in requeue_valid_again(store, customer, now)]


def hold_without_customer(store: Store, customer: str, now: datetime, *, patience: timedelta = timedelta()) -> None:
    """The customer's YAML file is gone: its files are safe, and wait for it.

    With ``patience`` nothing is held before the first of them has waited for so long.
    """
    with store.read() as transaction:
        first = transaction.one("uploads.next", customer=customer)
    if first is None or moment(first["arrived_at"]) + patience > now:
        return
    message = f"there is no customers/{customer}.yaml; put it back and the file goes on by itself"
    reason = HoldReason(HoldCode.customer_missing, message)
    with store.write() as transaction:
        held = transaction.all(
            "uploads.hold_waiting",
            customer=customer,
            reason=message,
            hold=uploads.hold_column([reason]),
            now=stamp(now),
        )
        for row in held:
            transaction.run("reports.forget", upload=row["id"])
    for row in held:
        log.warning("held", upload=row["id"], customer=customer, reason=reason.code.value)


def requeue_returned(store: Store, customer: str, now: datetime) -> list[int]:
    """The customer's YAML file is back: what waited for it goes on, as far as it was released before too.

    Who released it then, and when, stays on record: the return is nobody's decision.
    """
    if not _any_held_for(store, customer, HoldCode.customer_missing):
        return []
    with store.write() as transaction:
        transaction.lock("holds", customer)
        code = HoldCode.customer_missing.value
        waiting = uploads.find(transaction, "uploads.held_for", customer=customer, feed=None, code=code)
        for upload in waiting:
            by, at = upload.released_by, upload.released_at
            if by is None:
                by, at = "the customer's return", stamp(now)
            transaction.run("uploads.requeue", id=upload.id, waived=upload.waived, by=by, at=at)
    return [upload.id for upload in waiting]


def _any_held_for(store: Store, customer: str, code: HoldCode) -> bool:
    """Asked of every customer when the daemon starts: most have none, and then no write lock is taken."""
    with store.read() as transaction:
        return transaction.one("uploads.held_for", customer=customer, feed=None, code=code.value) is not None


def remind(store: Store, settings: Settings, customers: dict[str, Customer], now: datetime) -> int:
    """Mails daily about each held upload, and discards those that nobody wanted for 30 days."""
    with store.read() as transaction:
        if not any(_is_overdue(upload, now) for upload in uploads.find(transaction, "uploads.held")):
            return 0  # the usual minute: no write lock is taken
    reminded = 0
    with store.write() as transaction:
        for upload in uploads.find(transaction, "uploads.held"):
            if _held_since(upload) + DISCARD_AFTER <= now:
                _discard_unwanted(transaction, upload, now)
            elif _is_overdue(upload, now):
                reminded += _remind(transaction, settings, customers.get(upload.customer), upload, now)
    return reminded


def _discard_unwanted(transaction: Transaction, upload: Upload, now: datetime) -> None:
    reason = f"held for {DISCARD_AFTER.days} days and not released"
    before = stamp(now - DISCARD_AFTER)
    if transaction.run("uploads.unwanted", id=upload.id, reason=reason, before=before, now=stamp(now)):
        log.info("discarded", upload=upload.id, customer=upload.customer, by="retention")


def _held_since(upload: Upload) -> datetime:
    assert upload.held_at is not None
    return moment(upload.held_at)


def _is_overdue(upload: Upload, now: datetime) -> bool:
    """Its 30 days are over, or nobody has been told of it for a day."""
    told = moment(upload.reminded_at) if upload.reminded_at else _held_since(upload)
    return told + REMIND_EVERY <= now or _held_since(upload) + DISCARD_AFTER <= now


def _remind(
    transaction: Transaction, settings: Settings, customer: Customer | None, upload: Upload, now: datetime
) -> bool:
    """Whether the reminder is this one's; another node may be at it at the same moment."""
    if not transaction.run("uploads.reminded", id=upload.id, now=stamp(now), before=stamp(now - REMIND_EVERY)):
        return False
    subject = f"[{upload.customer}] {upload.name} is still held"
    since = f"Upload {upload.id} ({upload.name}) has been held since {upload.held_at}."
    operators = settings.smtp.operators
    commands = (
        f"alp-daemon show {upload.id}\n"
        f"alp-daemon release {upload.id} --by NAME\n"
        f"alp-daemon discard {upload.id} --by NAME\n"
    )
    body = f"{since}\n{upload.reason}\n\n{commands}"
    notify.tell(transaction, list(operators), subject, body, now, upload.customer, upload.id)
    told = report.of_upload(upload, None)
    lines = [since, *map(whatnext.why_held, told["hold"]), "", *whatnext.what_next(told)]
    customers = notify.customers_only(customer.report_to if customer else (), operators)
    notify.tell(transaction, customers, subject, "\n".join(lines) + "\n", now, upload.customer, upload.id)
    return True


def _releasable(transaction: Transaction, upload_id: int) -> Upload:
    upload = uploads.get(transaction, upload_id)
    if upload.state not in (UploadState.held, UploadState.failed):
        raise Refused(f"upload {upload_id} is {upload.state}, not held")
    if upload.erased_at is not None:
        raise NotFound(f"the file of upload {upload_id} was erased on {upload.erased_at}; ask for it again")
    return upload
