"""From a sample to a working feed: draft, approval, credentials."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from alp_daemon import log
from alp_daemon.customers import CUSTOMER_ID, CUSTOMER_ID_IS, PREFORMATTED, SUFFIX, Customer, draft_yaml, load_file
from alp_daemon.domain.model import Reading
from alp_daemon.errors import NotFound, Refused, UsageProblem
from alp_daemon.files.sniff import guess
from alp_daemon.problem import ConfigurationFileError
from alp_daemon.services.decisions import holds
from alp_daemon.services.decisions.preview import source_of
from alp_daemon.services.logins.credentials import Credentials, Issued, Kind
from alp_daemon.services.processing import line_types
from alp_daemon.services.processing.rules import Rules, rules_for
from alp_daemon.services.processing.source import read_source
from alp_daemon.settings import Settings
from alp_daemon.store.store import Store, Transaction, stamp


@dataclass(frozen=True, slots=True)
class Sample:
    """What an approval keeps of the file that was looked at."""

    sha256: str
    ends_with_newline: bool


@dataclass(frozen=True, slots=True)
class Approved:
    """The new log-in (None where the customer has one already), and the held uploads that now go on."""

    feed: str
    issued: Issued | None
    requeued: tuple[int, ...]


def file_of_new(folder: Path, id_: str) -> Path:
    """Where a new customer's file belongs. Raises ``UsageProblem`` for what can be no id."""
    if not re.fullmatch(CUSTOMER_ID, id_):
        raise UsageProblem(
            f"customer {id_[:80]!r}: expected {CUSTOMER_ID_IS}, of at most 63 characters, the first of them a letter or"
            " a digit; it is the name of the file, and of the log-in. `--name` is what people read"
        )
    return folder / f"{id_}{SUFFIX}"


def write_draft(path: Path, sample: Path, *, name: str | None, keyword: str | None, region: str) -> None:
    """Writes the draft of a customer's YAML file, made from what the sample looks like.

    Raises ``Refused`` where the file exists, ``UsageProblem`` where name, keyword or region cannot be.
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
    except ConfigurationFileError as error:
        path.unlink()
        # Not with line and column: the file has gone.
        raise UsageProblem("; ".join(problem.message for problem in error.problems)) from error


def approve(
    store: Store, settings: Settings, customer: Customer, feed: str, sample: Path, by: str, now: datetime
) -> Approved:
    """Saves the feed's configuration as approved, issues the customer's first log-in, and frees its waiting files.

    Raises ``Refused`` where the sample lists nobody: such a configuration cannot be meant.
    """
    rules = rules_to_approve(customer, feed)
    reading = read_source(source_of(sample), customer, rules, line_types.in_force(store, settings, customer))
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
    return tuple(holds.requeue_approved(transaction, rules.customer, rules.name, by, now))


def first_login(store: Store, customer: Customer, by: str, now: datetime) -> Issued | None:
    """A log-in for FTP; None where the customer has one that is live."""
    return Credentials(store).issue_first(customer.id, Kind.ftp, by, now)


def check_sample(reading: Reading, name: str, rules: Rules) -> None:
    """Raises ``Refused`` where the sample lists nobody."""
    if reading.buckets.numbers == 0:
        raise Refused(
            f"{name}: feed {rules.name} finds no valid number in it ({reading.buckets.rejected:,} of"
            f" {reading.buckets.read:,} rows rejected); see `alp-daemon preview`"
        )
