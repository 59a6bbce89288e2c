"""What became of an upload, for the customer's own people: where it stands, what it did, and what to do now.

The report's figures in sentences.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alp_daemon.customers import Customer
from alp_daemon.domain.model import UNDONE, UploadState
from alp_daemon.services.reports import report, reporttext, whatnext
from alp_daemon.services.reports.report import Report
from alp_daemon.services.web import sentences, webupload
from alp_daemon.store import uploads
from alp_daemon.store.store import Store, moment
from alp_daemon.store.uploads import Upload

# Of each cure; rejects.csv has them all.
CELLS_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Cure:
    """Cells that were refused for one reason: how many, what to do about them, and the first of them.

    ``cells`` are dicts of ``row``, ``column`` and ``value``, as in the report.
    """

    sentence: str
    count: int
    cells: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Uploaded:
    """One upload as a list of them shows it."""

    id: int
    name: str
    feed: str | None
    channel: str
    sent_by: str
    received_at: datetime
    stage: str
    """What its state is called, or ``working`` while a worker has it."""

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens to it by itself."""
        return self.stage not in (UploadState.received, WORKING)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One upload, and what can be said of it now."""

    upload: Uploaded
    headline: str
    why: tuple[str, ...] = ()
    """Why it did not go through, if it did not."""
    what_next: tuple[str, ...] = ()
    rows: str = ""
    changes: tuple[str, ...] = ()
    cures: tuple[Cure, ...] = ()
    refused: int = 0
    notes: tuple[str, ...] = ()
    done: bool = False
    """What ``changes`` says has happened; else it would, if the file were released."""


WORKING = "working"

_HEADLINES = {
    UploadState.received: "Your file has arrived and waits for its turn.",
    WORKING: "Your file is being read and compared with your list.",
    UploadState.applied: "Your list is up to date.",
    UploadState.held: "Nothing was changed, and nothing is lost.",
    UploadState.rejected: "Nothing was changed: the file cannot be used as it is.",
    UploadState.failed: "An error on our side stopped it. Nothing was changed, and your file is kept.",
    UploadState.discarded: "Nothing was changed.",
    UNDONE: "It was undone later: what it had changed was reversed.",
}


def of_upload(store: Store, customer: Customer, upload: int) -> Outcome:
    """An upload of this customer. Raises ``NotFound`` for another's as for none: who asks is not told which."""
    webupload.report_of(store, customer.id, upload)
    with store.read() as transaction:  # both at one instant: a worker may end it between two
        found = uploads.get(transaction, upload)
        stored = transaction.one("reports.get", upload=upload)
    return _outcome(found, report.of_upload(found, stored["json"] if stored else None), customer)


def newest(store: Store, customer: str, limit: int) -> list[Uploaded]:
    """The customer's latest uploads, newest first, whichever way they came."""
    with store.read() as transaction:
        found = uploads.find(transaction, "uploads.newest_of", customer=customer, limit=limit)
    return [_uploaded(upload) for upload in found]


def _outcome(upload: Upload, told: Report, customer: Customer) -> Outcome:
    shown = _uploaded(upload)
    if not shown.is_over:
        return Outcome(shown, _HEADLINES[shown.stage])
    done = upload.state is UploadState.applied
    return Outcome(
        shown,
        _HEADLINES[shown.stage],
        tuple(_why(told)),
        tuple(whatnext.what_next(told)),
        _rows(told["rows"]),
        tuple(sentences.of_changes(told["changes"], told["feed"], customer, done=done)) if told["rows"]["read"] else (),
        tuple(_cures(told)),
        told["rejects_total"],
        tuple(told.get("notes", ())),
        done=done,
    )


def _uploaded(upload: Upload) -> Uploaded:
    at_work = upload.state is UploadState.received and upload.lease_owner is not None
    return Uploaded(
        upload.id,
        upload.name,
        upload.feed,
        upload.channel,
        upload.actor,
        moment(upload.received_at),
        WORKING if at_work else upload.stage,
    )


def _why(told: Report) -> list[str]:
    match told["state"]:
        case UploadState.held:
            return [_sentence(whatnext.why_held(each)) for each in told["hold"]]
        case UploadState.rejected | UploadState.discarded:
            return [_sentence(told["reason"])]
    return []


def _sentence(text: str) -> str:
    """A report's clause with a capital, unless it begins with a name (``members.csv: …``), and a full stop."""
    first, _, rest = text.partition(" ")
    start = first[:1].upper() + first[1:] if first.isalpha() else first
    whole = f"{start} {rest}".strip()
    return whole if whole.endswith((".", "!", "?")) else f"{whole}."


_BUCKETS = (
    ("listed", "{n} listed"),
    ("duplicate", "{n} repeating a row above"),
    ("rejected", "{n} refused"),
    ("filtered", "{n} left out by the filter"),
    ("blank", "{n} blank"),
)


def _rows(rows: Mapping[str, int]) -> str:
    if not rows["read"]:
        return ""
    parts = [text.format(n=f"{rows[key]:,}") for key, text in _BUCKETS if rows[key]]
    return f"We read {sentences.counted(rows['read'], 'row', 'rows')}: {', '.join(parts)}."


def _cures(told: Report) -> list[Cure]:
    """The refused cells by what to do about them, the largest group first."""
    ordered = sorted(told["rejects_by_reason"].items(), key=lambda item: -item[1])
    return [Cure(reporttext.REASONS.get(code, code), n, _cells(told, code)) for code, n in ordered]


def _cells(told: Report, code: str) -> tuple[Mapping[str, Any], ...]:
    return tuple(each for each in told["rejects"] if each["reason"] == code)[:CELLS_SHOWN]
