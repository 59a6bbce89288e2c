"""The report of one upload: what came, what became of each row, what changed, and why it waits if it does.

One dict is the truth (the contract of ``show --json``); the text (``reporttext``) and the mail are made from it.
"""

from __future__ import annotations

import csv
import io
import json
import re
import zlib
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from alp_daemon import masking
from alp_daemon.domain import model
from alp_daemon.domain.changes import Changes
from alp_daemon.domain.guard import HoldReason
from alp_daemon.domain.model import Buckets, Reject, Rejects, UploadState
from alp_daemon.store.uploads import Upload

REJECTS_HEADER = ("row", "column", "value", "reason")
# Rejects inside the JSON; rejects.csv has them all.
REJECTS_SHOWN = 100

# Cells that a spreadsheet would run: anybody may have typed them into the form that a list comes from. A quote before
# it makes a cell a text (OWASP, CSV Injection). A number with a sign before it is none.
_FORMULA = re.compile(r"'*(?:[=@\t\r\n＝＠]|[+＋－-](?![\d ().-]*\Z))")

Report = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Findings:
    """What reading and planning found. Where a file was not read, everything is empty or zero."""

    feed: str | None = None
    mode: str | None = None
    evidence: str | None = None
    evidence_note: str = ""
    hold: tuple[HoldReason, ...] = ()
    buckets: Buckets = field(default_factory=Buckets)
    changes: Changes = field(default_factory=Changes)
    rejects: Rejects = field(default_factory=Rejects)
    sha256: str | None = None
    notes: tuple[str, ...] = ()
    """What else the sender should know, in sentences."""


def build(upload: Upload, state: str, reason: str, findings: Findings, seconds: float) -> Report:
    """The report of an upload as a dict. It goes on telling of a hold that is over, unless a failure comes first."""
    hold = findings.hold or (() if state == UploadState.failed else upload.reasons)
    return {
        "upload": upload.id,
        "customer": upload.customer,
        "name": upload.name,
        "channel": upload.channel,
        "sent_by": upload.actor,
        "received_at": upload.received_at,
        "size": upload.size,
        "state": state,
        "reason": reason,
        "seconds": round(seconds, 3),
        **_found(replace(findings, hold=hold)),
        **_decided(upload),
    }


def _decided(upload: Upload) -> Report:
    """Who let it go on when it was held last, who undid it, and when; and when it was discarded: why says by whom.

    ``released_at`` is None for what was released before times of it were kept.
    """
    decided: Report = {}
    if upload.released_by:
        decided |= {"released_by": upload.released_by, "released_at": upload.released_at}
    if upload.state == UploadState.discarded:
        decided |= {"discarded_at": upload.finished_at}
    if upload.undone_at:
        decided |= {"undone_by": upload.undone_by, "undone_at": upload.undone_at}
    return decided


def of_plan(customer: str, name: str, size: int, findings: Findings) -> Report:
    """The report of a file that was read and planned only."""
    return {
        "upload": None,
        "customer": customer,
        "name": name,
        "channel": "cli",
        "sent_by": "",
        "received_at": "",
        "size": size,
        "state": "planned",
        "reason": findings.hold[0].message if findings.hold else "",
        "seconds": 0.0,
        **_found(findings),
    }


def _found(findings: Findings) -> Report:
    rejects = findings.rejects
    return {
        "feed": findings.feed,
        "mode": findings.mode,
        "evidence": findings.evidence,
        "evidence_note": findings.evidence_note,
        "sha256": findings.sha256,
        "hold": [each.as_dict() for each in findings.hold],
        "rows": asdict(findings.buckets),
        "changes": findings.changes.as_dict(),
        "rejects": [each._asdict() for each in rejects.kept[:REJECTS_SHOWN]],
        "rejects_total": rejects.total,
        "rejects_by_reason": dict(rejects.by_reason),
        **({"notes": list(findings.notes)} if findings.notes else {}),
    }


def of_upload(upload: Upload, stored: str | None) -> Report:
    """What ``show`` prints: the stored report, with where the upload stands now and what became known since."""
    if stored is None:
        findings = Findings(upload.feed, upload.mode, upload.evidence, upload.evidence_note, sha256=upload.sha256)
        return build(upload, upload.state, upload.reason or _waiting(upload), findings, 0.0)
    now = {"state": upload.state, "reason": upload.reason, **_decided(upload)}
    if upload.state != UploadState.received:
        now |= {"evidence": upload.evidence, "evidence_note": upload.evidence_note}
    return {**json.loads(stored), **now}


_WAITING = {
    "rename": "waits for its final name",
    "match": "waits for a name that a feed takes",
    "sidecar": "waits for its sidecar",
    "file": "is a sidecar, and waits for its file",
    "pick_up": "is on its way from the drop folder",
}


def _waiting(upload: Upload) -> str:
    if upload.waits_for is None:
        return "in the queue" if upload.evidence else "just received"
    return f"{_WAITING[upload.waits_for]} (until {upload.wait_until})"


def stage(told: Report) -> str:
    """What its state is called for people; that of a file which was only planned is ``planned``."""
    return model.stage(told["state"], is_undone=bool(told.get("undone_at")))


def rejects_csv(rejects: list[Reject]) -> str:
    """The text of ``rejects.csv``. It is for reading: dropped into a feed it would omit everybody else."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(REJECTS_HEADER)
    writer.writerows((row, _no_formula(column), _no_formula(value), reason) for row, column, value, reason in rejects)
    return text.getvalue()


def rejects_of_csv(text: str) -> list[Reject]:
    """The rejects that ``rejects_csv`` wrote."""
    _header, *rows = csv.reader(io.StringIO(text, newline=""))
    return [Reject(int(row), _as_it_was(column), _as_it_was(value), reason) for row, column, value, reason in rows]


def _no_formula(cell: str) -> str:
    return f"'{cell}" if _FORMULA.match(cell) else cell


def _as_it_was(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def packed(report: Report, rejects: list[Reject]) -> dict[str, object]:
    """The report as the store keeps it."""
    return {
        "upload": report["upload"],
        "json": json.dumps(report, ensure_ascii=False),
        "rejects": zlib.compress(rejects_csv(rejects).encode(), 1),
    }


def masked(report: Report) -> Report:
    """The same with numbers and addresses masked: what may leave by mail.

    Each text in it may be from elsewhere, or quote what is: of a file without its header, "the file has:" quotes a row.
    The sentences around them, which are ours, are made of this.
    """
    rejects = [{**each, "value": masking.mask(each["value"])} for each in report["rejects"]]
    return {key: _masked(value) for key, value in {**report, "rejects": rejects}.items()}


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return masking.masked(value)
    if isinstance(value, list):
        return [_masked(each) for each in value]
    if isinstance(value, dict):
        return {key: _masked(each) for key, each in value.items()}
    return value
