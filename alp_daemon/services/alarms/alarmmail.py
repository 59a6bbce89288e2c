"""What people are told of a file that did not come, and of one that came after all."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from alp_daemon.customers import Customer
from alp_daemon.services.reports import notify
from alp_daemon.settings import Settings
from alp_daemon.store.store import Row, Transaction, moment


def tell_of_missed(
    transaction: Transaction,
    settings: Settings,
    customer: Customer,
    feed: str,
    slot: datetime,
    newest: Row | None,
    now: datetime,
) -> None:
    """To operators and customer: no file came by ``slot``. ``newest`` is the feed's last file, whatever it was."""
    due = _wall(customer, slot)
    body = (
        f"{customer.name}, feed {feed}: no file has come that was due by {due}.\n\n"
        f"{_last(newest)} The list stays as it is. Ask whoever sends the file whether the job ran. When a file comes,"
        " one more mail says so.\n"
    )
    notify.tell(
        transaction, _whom(settings, customer), f"[{customer.id}] {feed}: no file by {due}", body, now, customer.id
    )


def tell_of_arrival(
    transaction: Transaction, settings: Settings, customer: Customer, feed: str, alarm: Row, upload: Row, now: datetime
) -> None:
    """To the same people: it is there. What becomes of it its report says."""
    due = _wall(customer, moment(alarm["slot"]))
    body = (
        f"{customer.name}, feed {feed}: the file that was due by {due} came on {_utc(upload['received_at'])} as upload"
        f" {upload['id']}. Its own report says what became of it.\n"
    )
    subject = f"[{customer.id}] {feed}: the file has come"
    notify.tell(transaction, _whom(settings, customer), subject, body, now, customer.id, upload["id"])


def _whom(settings: Settings, customer: Customer) -> list[str]:
    return [*settings.smtp.operators, *customer.report_to]


def _last(newest: Row | None) -> str:
    if newest is None:
        return "No file of this feed has come so far."
    rejected = " and was rejected, so that it does not count" if newest["state"] == "rejected" else ""
    return f"The last one, upload {newest['id']}, came on {_utc(newest['received_at'])}{rejected}."


def _wall(customer: Customer, slot: datetime) -> str:
    return f"{slot.astimezone(ZoneInfo(customer.timezone)):%Y-%m-%d %H:%M} ({customer.timezone})"


def _utc(stamped: str) -> str:
    return f"{moment(stamped):%Y-%m-%d %H:%M} (UTC)"
