"""The report of one upload as people read it: operators with their commands, customers with whom to call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from alp_daemon.customers import BULK_UPLOAD
from alp_daemon.domain import phone, tag
from alp_daemon.domain.guard import cures_of, needs_though_cut
from alp_daemon.domain.model import UploadState
from alp_daemon.files.informz import address, values
from alp_daemon.services.reports import whatnext
from alp_daemon.services.reports.report import Report, stage

REASONS: dict[str, str] = {
    **{str(code): sentence for code, sentence in phone.REASONS.items()},
    **tag.REASONS,
    "no_number": "This row has no phone number.",
    "ragged_row": "This row has too few or too many cells: look for a delimiter or a quote too many, or too few.",
    "unknown_tag": "The field map does not translate this word: correct it, or have it added to the map.",
    **values.REASONS,
    **address.REASONS,
    "minus_means_remove": "A minus asks to remove the number, which this account does not do by file: omit the row.",
}
"""What a person reads in place of a reject's code."""

CELLS_SHOWN = 20


def text(report: Report, options: str = "") -> str:
    """The report for an operator, in plain sentences. ``options`` are what the commands in it need besides."""
    why = [each["message"] for each in report["hold"]]
    return _text(report, report["reason"], why, _commands(report, options))


def for_customer(report: Report) -> str:
    """The same for the customer: what to do stands there in place of the operators' commands."""
    reason = "" if report["state"] == UploadState.failed else report["reason"]
    return _text(report, reason, [whatnext.why_held(each) for each in report["hold"]], whatnext.what_next(report))


def _text(report: Report, reason: str, why_held: Sequence[str], what_next: Sequence[str]) -> str:
    lines = [_headline(report), *([reason] if reason and not _waits(report) else []), ""]
    lines += _facts(report)
    if why_held:
        title = "It waits for a person because:" if _waits(report) else "It had been held because:"
        lines += ["", title, *(f"  - {each}" for each in why_held)]
    if what_next:
        lines += ["", *what_next]
    if report["rows"]["read"]:
        rows = _ROWS | ({"numbers": "different addresses"} if report["feed"] == BULK_UPLOAD else {})
        lines += ["", "Rows", *_table(report["rows"], rows)]
    if any(report["changes"].values()):
        done = report["state"] == "applied" and report["upload"] is not None
        title = "What it changed" if done else "What it would change"
        lines += ["", title, *_table(report["changes"], _CHANGES)]
    if report["rejects_total"]:
        lines += ["", *_rejects(report)]
    if report.get("notes"):
        lines += ["", "Notes", *(f"  - {note}" for note in report["notes"])]
    return "\n".join(lines) + "\n"


_HEADLINES = {
    "applied": "was applied",
    "undone": "was applied, and has been undone: what it had changed was reversed, but for what has changed since",
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
    "unsubscribed": "unsubscribed",
    "resubscribed": "subscribed again",
    "attributes_changed": "with other attributes than before",
}


def _headline(report: Report) -> str:
    which = report["name"] if report["upload"] is None else f"Upload {report['upload']} ({report['name']})"
    return f"{which} {_HEADLINES[stage(report)]}."


def _waits(report: Report) -> bool:
    """Whether it is (or would be) held now; a report goes on telling of a hold that is over."""
    return bool(report["hold"]) and report["state"] in ("held", "planned")


def _commands(report: Report, options: str) -> list[str]:
    codes = [each["code"] for each in report["hold"]]
    if report["upload"] is None or not _waits(report) or cures_of(codes):
        return []
    though_cut = " --though-cut" if needs_though_cut(codes) else ""
    return [
        f"  alp-daemon release {report['upload']} --by NAME{though_cut}{options}   applies it as shown below",
        f"  alp-daemon discard {report['upload']} --by NAME{options}   ends it; the list stays as it is",
    ]


def _facts(report: Report) -> list[str]:
    sent = f"{report['sent_by']} over {report['channel']} at {report['received_at']}" if report["upload"] else ""
    facts = {
        "customer": report["customer"],
        "feed": f"{report['feed'] or 'none'}" + (f" ({report['mode']})" if report["mode"] else ""),
        "sent by": sent,
        "released": _released(report),
        "discarded": f"at {report['discarded_at']}" if report.get("discarded_at") else "",
        "undone by": f"{report['undone_by']} at {report['undone_at']}" if report.get("undone_at") else "",
        "size": f"{report['size']:,} bytes",
        "whole": f"{report['evidence'] or 'not known yet'}"
        + (f": {report['evidence_note']}" if report["evidence_note"] else ""),
        "sha256": report["sha256"],
        "seconds": report["seconds"],
    }
    return [f"  {name:<10} {value}" for name, value in facts.items() if value]


def _released(report: Report) -> str:
    if not report.get("released_by"):
        return ""
    when = f" at {report['released_at']}" if report.get("released_at") else ""
    return f"by {report['released_by']}{when}" + (", and held again" if _waits(report) else "")


def _table(figures: Mapping[str, int], names: Mapping[str, str]) -> list[str]:
    return [f"  {figures[key]:>12,}  {name}" for key, name in names.items() if figures.get(key)]


def _rejects(report: Report) -> list[str]:
    planned = report["upload"] is None
    lines = [f"Refused ({report['rejects_total']:,}{'' if planned else '; rejects.csv names each row'})"]
    ordered = sorted(report["rejects_by_reason"].items(), key=lambda item: -item[1])
    lines += [f"  {n:>12,}  {REASONS.get(code, code)}" for code, n in ordered]
    return [*lines, "", *refused_cells(report["rejects"], report["rejects_total"])] if planned else lines


def refused_cells(rejects: Sequence[Mapping[str, Any]], total: int) -> list[str]:
    """Row, column, value and code of the first refused cells, for what leaves no ``rejects.csv`` behind."""
    shown = rejects[:CELLS_SHOWN]
    lines = [
        f"  row {each['row']}, {each['column'] or 'whole row'}: {each['value']!r} ({each['reason']})" for each in shown
    ]
    return lines + ([f"  and {total - len(shown):,} more"] if total > len(shown) else [])
