"""What a file at hand would do, by the rules of which feed. Changes nothing."""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from alp_daemon.customers import BULK_UPLOAD, PREFORMATTED, Customer, feed_for, feed_names, readable
from alp_daemon.domain import phone
from alp_daemon.domain.guard import HoldCode, HoldReason
from alp_daemon.domain.model import Evidence, Listed, UploadState
from alp_daemon.errors import NotFound, UsageProblem
from alp_daemon.services.processing import line_types
from alp_daemon.services.processing.assess import Assessment, assess, findings_of
from alp_daemon.services.processing.rules import Rules, approval_of, rules_for, rules_of_file
from alp_daemon.services.processing.source import Source, read_source
from alp_daemon.services.reports import report
from alp_daemon.services.reports.report import Report
from alp_daemon.settings import Settings
from alp_daemon.store.store import Store


@dataclass(frozen=True, slots=True)
class Preview:
    """What a file would do by its feed's rules, and the addresses it lists, before anything is done."""

    report: Report
    listed: Listed


def choose_feed(customer: Customer, file: Path, feed: str | None, *, guess: bool = True) -> str:
    """The feed that is named, or the one that takes the file's name, or as a guess the only one there is.

    A guess will do to look at a file. One that changes the list may as well be meant for ``preformatted``, which
    there always is. Raises ``NotFound`` for a feed that there is not, ``UsageProblem`` where somebody has to name it.
    """
    if feed is not None:
        return feed if feed == BULK_UPLOAD and customer.brand else rules_for(customer, feed).name
    if (found := feed_for(customer, file.name, "")) is not None:
        return found
    if guess and len(customer.feeds) == 1:
        return next(iter(customer.feeds))
    known = ", ".join(feed_names(customer))
    raise UsageProblem(f"{file.name}: no feed of {customer.id} takes this name; say --feed (one of: {known})")


def otherwise_by_ftp(customer: Customer, file: Path, feed: str) -> str | None:
    """What would become by FTP of a file of this name, where that is something else than its being taken as ``feed``.

    In the folder ``preformatted/`` any name will do.
    """
    found = feed_for(customer, file.name)
    if feed in (found, PREFORMATTED):
        return None
    taken = f"{readable(file.name)}: taken as feed {feed}"
    if found is not None:
        return f"{taken}; by FTP this name would be taken as feed {found}"
    pattern = customer.feeds[feed].match if feed in customer.feeds else "*.xml"
    return f"{taken}, although its pattern {pattern} does not match: by FTP this name would be rejected"


def preview(store: Store, settings: Settings, customer: Customer, feed: str, file: Path) -> Preview:
    """The file through the feed's field map, and its effect on the live list. Changes nothing.

    It comes before the approval, so it does not ask for one.
    """
    source = source_of(file)
    rules = rules_of_file(store, customer, feed, file, file.name)
    assessment = _assessed(store, settings, customer, rules, source)
    planned = _planned(customer, source, rules, assessment, assessment.reasons)
    return Preview(planned, assessment.reading.listed)


def dry_run(store: Store, settings: Settings, customer: Customer, feed: str, file: Path) -> Report:
    """What ``process`` would make of the file now, its approval and approved sample included. Changes nothing.

    Where the feed is not approved, the report shows beside that reason what else would hold the file afterwards.
    """
    source = source_of(file)
    rules = rules_of_file(store, customer, feed, file, file.name)
    with store.read() as transaction:
        approval = approval_of(transaction, customer.id, rules)
    reasons: tuple[HoldReason, ...] = ()
    if isinstance(approval, str):
        reasons = (HoldReason(HoldCode.not_approved, approval),)
    else:
        source = replace(source, sample_newline=approval.sample_newline)
    assessment = _assessed(store, settings, customer, rules, source)
    planned = _planned(customer, source, rules, assessment, reasons + assessment.reasons)
    state = UploadState.held if planned["hold"] else UploadState.applied
    return {**planned, "state": state.value, "dry_run": True}


def source_of(file: Path) -> Source:
    """The file to be read. Raises ``NotFound``."""
    if not file.is_file():
        raise NotFound(f"{file}: there is no such file")
    return Source(file, readable(file.name), Evidence.assumed)


def _assessed(store: Store, settings: Settings, customer: Customer, rules: Rules, source: Source) -> Assessment:
    reading = read_source(source, customer, rules, line_types.in_force(store, settings, customer))
    with store.read() as transaction:
        return assess(transaction, reading, source, rules)


def _planned(
    customer: Customer, source: Source, rules: Rules, assessment: Assessment, hold: tuple[HoldReason, ...]
) -> Report:
    findings = findings_of(assessment, rules, hold)
    return report.of_plan(customer.id, source.name, source.path.stat().st_size, findings)


def write_standard_format(listed: Listed, out: IO[str]) -> int:
    """The addresses in the standard format: the number in column A, a tag each in B, C, D… Returns how many."""
    writer = csv.writer(out, lineterminator="\n")
    for key, tag_set in zip(listed.keys.tolist(), listed.tag_set.tolist(), strict=True):
        writer.writerow([phone.format_key(key), *listed.sets[tag_set]])
    return len(listed.keys)
