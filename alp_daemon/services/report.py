"""The report of one upload: what came, what became of each row, what changed, and why it waits if it does.

One dict is the truth (the contract of ``show --json``); the text and the mail are made from it.
"""

from __future__ import annotations

import csv
import io
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from alp_daemon.domain import phone, tag
from alp_daemon.domain.guard import NOT_WAIVABLE, HoldReason
from alp_daemon.domain.model import Buckets, Reject, Rejects
from alp_daemon.domain.phone import mask
from alp_daemon.domain.plan import Changes
from alp_daemon.store.uploads import Upload

REJECTS_HEADER = ("row", "column", "value", "reason")
# Rejects inside the JSON; rejects.csv has them all.
REJECTS_SHOWN = 100

# Ten digits or more, however they are grouped. Dates and counts with commas have fewer.
_NUMBER = re.compile(r"\+?\(?\d(?:[ ().-]{0,3}\d){9,}")

_REASONS: dict[str, str] = {
    **{str(code): sentence for code, sentence in phone.REASONS.items()},
    **tag.REASONS,
    "no_number": "This row has no phone number.",
    "ragged_row": "This row has too few or too many cells: look for a delimiter or a quote too many, or too few.",
    "unknown_tag": "The field map does not translate this word: correct it, or have it added to the map.",
    "minus_means_remove": "A minus asks to remove the number, which this account does not do by file: omit the row.",
}
"""What a person reads in place of a reject's code."""

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


def build(upload: Upload, state: str, reason: str, findings: Findings, seconds: float) -> Report:
    """The report of an upload as a dict."""
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
        **_found(findings),
    }


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
        "changes": asdict(findings.changes),
        "rejects": [each._asdict() for each in rejects.kept[:REJECTS_SHOWN]],
        "rejects_total": rejects.total,
        "rejects_by_reason": dict(rejects.by_reason),
    }


def of_upload(upload: Upload, stored: str | None) -> Report:
    """What ``show`` prints: the stored report, with where the upload stands now."""
    if stored is None:
        findings = Findings(upload.feed, upload.mode, upload.evidence, upload.evidence_note, sha256=upload.sha256)
        return build(upload, upload.state, upload.reason or _waiting(upload), findings, 0.0)
    return {**json.loads(stored), "state": upload.state, "reason": upload.reason}


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


def rejects_csv(rejects: list[Reject]) -> str:
    """The text of ``rejects.csv``. It is for reading: dropped into a feed it would omit everybody else."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(REJECTS_HEADER)
    writer.writerows(rejects)
    return text.getvalue()


def packed(report: Report, rejects: list[Reject]) -> dict[str, object]:
    """The report as the store keeps it."""
    return {
        "upload": report["upload"],
        "json": json.dumps(report, ensure_ascii=False),
        "rejects": zlib.compress(rejects_csv(rejects).encode(), 1),
    }


def masked(report: Report) -> Report:
    """The same with numbers masked: what may leave by mail.

    Sentences are masked too: of a file without its header, "the file has:" quotes a row.
    """
    return {
        **report,
        "reason": _masked_text(report["reason"]),
        "hold": [{**each, "message": _masked_text(each["message"])} for each in report["hold"]],
        "rejects": [{**each, "value": mask(each["value"])} for each in report["rejects"]],
    }


def _masked_text(text: str) -> str:
    return _NUMBER.sub(lambda found: mask(found[0]), text)


def text(report: Report) -> str:
    """The report for a person, in plain sentences."""
    lines = [_headline(report), ""]
    lines += _facts(report)
    if report["hold"]:
        lines += ["", *_hold(report)]
    if report["rows"]["read"]:
        lines += ["", "Rows", *_table(report["rows"], _ROWS)]
    if any(report["changes"].values()):
        done = report["state"] == "applied" and report["upload"] is not None
        title = "What it changed" if done else "What it would change"
        lines += ["", title, *_table(report["changes"], _CHANGES)]
    if report["rejects_total"]:
        lines += ["", *_rejects(report)]
    return "\n".join(lines) + "\n"


_HEADLINES = {
    "applied": "was applied",
    "held": "is held: nothing was changed, and nothing is lost",
    "rejected": "was rejected: nothing was changed",
    "failed": "failed: nothing was changed",
    "discarded": "was discarded: nothing was changed",
    "received": "is on its way",
    "planned": "was read and planned only: nothing was changed",
}

_ROWS = {
    "read": "read",
    "listed": "listed",
    "duplicate": "duplicates of rows above them",
    "rejected": "rejected",
    "filtered": "left out by the feed's filter",
    "blank": "blank",
    "numbers": "different numbers",
}

_CHANGES = {
    "opted_in": "opted in",
    "reactivated": "reactivated",
    "suspended": "suspended",
    "opted_out": "opted out",
    "tags_added": "tags added",
    "tags_removed": "tags removed",
    "unchanged": "unchanged",
    "blocked_opted_out": "left alone, having opted out",
    "never_seen_before": "never on this list before (chargeable)",
}


def _headline(report: Report) -> str:
    which = report["name"] if report["upload"] is None else f"Upload {report['upload']} ({report['name']})"
    sentence = f"{which} {_HEADLINES['planned' if report['upload'] is None else report['state']]}."
    return f"{sentence}\n{report['reason']}" if report["reason"] and not _waits(report) else sentence


def _waits(report: Report) -> bool:
    """Whether it is (or would be) held now; a report goes on telling of a hold that is over."""
    return bool(report["hold"]) and report["state"] in ("held", "planned")


def _hold(report: Report) -> list[str]:
    waits = _waits(report)
    lines = ["It waits for a person because:" if waits else "It had been held because:"]
    lines += [f"  - {each['message']}" for each in report["hold"]]
    return lines + (_ways_out(report) if waits else [])


def _ways_out(report: Report) -> list[str]:
    if report["upload"] is None or any(each["code"] in NOT_WAIVABLE for each in report["hold"]):
        return []
    though_cut = " --though-cut" if any(each["code"] == "cut" for each in report["hold"]) else ""
    return [
        "",
        f"  alp-daemon release {report['upload']} --by NAME{though_cut}   applies it as shown below",
        f"  alp-daemon discard {report['upload']} --by NAME   ends it; the list stays as it is",
    ]


def _facts(report: Report) -> list[str]:
    sent = f"{report['sent_by']} over {report['channel']} at {report['received_at']}" if report["upload"] else ""
    facts = {
        "customer": report["customer"],
        "feed": f"{report['feed'] or 'none'}" + (f" ({report['mode']})" if report["mode"] else ""),
        "sent by": sent,
        "size": f"{report['size']:,} bytes",
        "whole": f"{report['evidence'] or 'not known yet'}"
        + (f": {report['evidence_note']}" if report["evidence_note"] else ""),
        "sha256": report["sha256"],
        "seconds": report["seconds"],
    }
    return [f"  {name:<10} {value}" for name, value in facts.items() if value]


def _table(figures: Mapping[str, int], names: Mapping[str, str]) -> list[str]:
    return [f"  {figures[key]:>12,}  {name}" for key, name in names.items() if figures[key]]


def _rejects(report: Report) -> list[str]:
    lines = [f"Refused ({report['rejects_total']:,}; rejects.csv names each row)"]
    ordered = sorted(report["rejects_by_reason"].items(), key=lambda item: -item[1])
    return lines + [f"  {n:>12,}  {_REASONS.get(code, code)}" for code, n in ordered]
