"""From a sample to a working feed: draft, preview, approval, credentials. Only ``approve`` changes anything."""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import IO

from alp_daemon import log
from alp_daemon.customers import BULK_UPLOAD, PREFORMATTED, Customer, draft_yaml, feed_for, load_file
from alp_daemon.customers.files import SUFFIX
from alp_daemon.customers.names import readable
from alp_daemon.domain import phone
from alp_daemon.domain.guard import HoldCode, HoldReason
from alp_daemon.domain.model import Evidence, Listed, Reading, UploadState
from alp_daemon.errors import ConfigurationError, NotFound, Refused, UsageProblem
from alp_daemon.files.sniff import guess
from alp_daemon.services.decisions import holds
from alp_daemon.services.logins.credentials import Credentials, Issued, Kind
from alp_daemon.services.processing import line_types
from alp_daemon.services.processing.assess import Assessment, assess, findings_of
from alp_daemon.services.processing.rules import Rules, approval_of, rules_for, rules_of_file
from alp_daemon.services.processing.source import Source, read_source
from alp_daemon.services.reports import report
from alp_daemon.services.reports.report import Report
from alp_daemon.settings import Settings
from alp_daemon.store.store import Store, Transaction, stamp


@dataclass(frozen=True, slots=True)
class Sample:
    """What an approval keeps of the file that was looked at."""

    sha256: str
    ends_with_newline: bool


@dataclass(frozen=True, slots=True)
class Preview:
    """What a file would do by its feed's rules, and the addresses it lists, before anything is done."""

    report: Report
    listed: Listed


@dataclass(frozen=True, slots=True)
class Approved:
    """The new log-in (None where the customer has one already), and the held uploads that now go on."""

    feed: str
    issued: Issued | None
    requeued: tuple[int, ...]


def file_of_new(folder: Path, id_: str) -> Path:
    """Where a new customer's file belongs. Raises ``UsageProblem`` for an id that would lead elsewhere."""
    if "/" in id_:
        raise UsageProblem(f"customer {id_!r}: expected an id of small letters, digits, - and _")
    return folder / f"{id_}{SUFFIX}"


def write_draft(path: Path, sample: Path, *, name: str | None, keyword: str | None, region: str) -> None:
    """Writes the draft of a customer's YAML file, made from what the sample looks like.

    Raises ``Refused`` where the file exists, ``ConfigurationError`` where id, keyword or region cannot be.
    """
    if not sample.is_file():
        raise NotFound(f"{sample}: there is no such file")
    text = draft_yaml(path.stem, guess(sample, region), name=name, keyword=keyword, region=region)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise Refused(f"{path} exists already; edit it, or choose another id") from error
    try:
        load_file(path)
    except ConfigurationError:
        path.unlink()
        raise


def choose_feed(customer: Customer, file: Path, feed: str | None) -> str:
    """The feed that is named, or the one that takes the file's name, or the only one there is."""
    if feed is not None:
        return feed if feed == BULK_UPLOAD and customer.brand else rules_for(customer, feed).name
    if (found := feed_for(customer, file.name, "")) is not None:
        return found
    if len(customer.feeds) == 1:
        return next(iter(customer.feeds))
    known = ", ".join([*customer.feeds, PREFORMATTED])
    raise UsageProblem(f"{file.name}: no feed of {customer.id} takes this name; say --feed (one of: {known})")


def preview(store: Store, settings: Settings, customer: Customer, feed: str, file: Path) -> Preview:
    """The file through the feed's field map, and its effect on the live list. Changes nothing.

    It comes before the approval, so it does not ask for one.
    """
    source = _source(file)
    rules = rules_of_file(store, customer, feed, file, file.name)
    assessment = _assessed(store, settings, customer, rules, source)
    planned = _planned(customer, source, rules, assessment, assessment.reasons)
    return Preview(planned, assessment.reading.listed)


def dry_run(store: Store, settings: Settings, customer: Customer, feed: str, file: Path) -> Report:
    """What ``process`` would make of the file now, its approval and approved sample included. Changes nothing.

    Where the feed is not approved, the report shows beside that reason what else would hold the file afterwards.
    """
    source = _source(file)
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


def write_standard_format(listed: Listed, out: IO[str]) -> int:
    """The addresses in the standard format: the number in column A, a tag each in B, C, D… Returns how many."""
    writer = csv.writer(out, lineterminator="\n")
    for key, tag_set in zip(listed.keys.tolist(), listed.tag_set.tolist(), strict=True):
        writer.writerow([phone.format_key(key), *listed.sets[tag_set]])
    return len(listed.keys)


def approve(
    store: Store, settings: Settings, customer: Customer, feed: str, sample: Path, by: str, now: datetime
) -> Approved:
    """Saves the feed's configuration as approved, issues the customer's first log-in, and frees its waiting files.

    Raises ``Refused`` where the sample lists nobody: such a configuration cannot be meant.
    """
    rules = rules_to_approve(customer, feed)
    reading = read_source(_source(sample), customer, rules, line_types.in_force(store, settings, customer))
    check_sample(reading, sample.name, rules)
    return keep(store, customer, rules, sample_of(sample, reading), by, now)


def rules_to_approve(customer: Customer, feed: str) -> Rules:
    rules = rules_for(customer, feed)
    if rules.feed is None:
        raise UsageProblem(f"{PREFORMATTED} needs no approval; `alp-daemon credentials issue {customer.id} --for ftp`")
    return rules


def sample_of(file: Path, reading: Reading) -> Sample:
    with file.open("rb") as opened:
        return Sample(hashlib.file_digest(opened, "sha256").hexdigest(), reading.ends_with_newline)


def keep(store: Store, customer: Customer, rules: Rules, sample: Sample, by: str, now: datetime) -> Approved:
    """What ``approve`` does once the sample has been looked at."""
    with store.write() as transaction:
        requeued = keep_in(transaction, rules, sample, by, now)
    log.info("approved", customer=customer.id, feed=rules.name, by=by, fingerprint=rules.fingerprint[:12])
    return Approved(rules.name, first_login(store, customer, by, now), requeued)


def keep_in(transaction: Transaction, rules: Rules, sample: Sample, by: str, now: datetime) -> tuple[int, ...]:
    """The approval itself; returns the held uploads that now go on."""
    transaction.run(
        "approvals.put",
        customer=rules.customer,
        feed=rules.name,
        fingerprint=rules.fingerprint,
        now=stamp(now),
        by=by,
        sample_sha256=sample.sha256,
        sample_newline=int(sample.ends_with_newline),
    )
    return tuple(holds.requeue_approved(transaction, rules.customer, rules.name, by))


def _assessed(store: Store, settings: Settings, customer: Customer, rules: Rules, source: Source) -> Assessment:
    reading = read_source(source, customer, rules, line_types.in_force(store, settings, customer))
    with store.read() as transaction:
        return assess(transaction, reading, source, rules)


def _planned(
    customer: Customer, source: Source, rules: Rules, assessment: Assessment, hold: tuple[HoldReason, ...]
) -> Report:
    findings = findings_of(assessment, rules, hold)
    return report.of_plan(customer.id, source.name, source.path.stat().st_size, findings)


def first_login(store: Store, customer: Customer, by: str, now: datetime) -> Issued | None:
    """A log-in for FTP; None where the customer has one that is live."""
    return Credentials(store).issue_first(customer.id, Kind.ftp, by, now)


def _source(file: Path) -> Source:
    if not file.is_file():
        raise NotFound(f"{file}: there is no such file")
    return Source(file, readable(file.name), Evidence.assumed)


def check_sample(reading: Reading, name: str, rules: Rules) -> None:
    """Raises ``Refused`` where the sample lists nobody."""
    if reading.buckets.numbers == 0:
        raise Refused(
            f"{name}: feed {rules.name} finds no valid number in it ({reading.buckets.rejected:,} of"
            f" {reading.buckets.read:,} rows rejected); see `alp-daemon preview`"
        )
