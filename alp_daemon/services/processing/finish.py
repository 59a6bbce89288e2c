"""How one upload ends for now: its record, its report and the mail about it, in one transaction.

The lease is the fence: a worker that has lost it changes nothing, whatever it has computed meanwhile.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import datetime

from alp_daemon import log
from alp_daemon.customers import Customer
from alp_daemon.domain.guard import HoldReason
from alp_daemon.domain.model import UploadState
from alp_daemon.errors import TryAgain
from alp_daemon.files.phonecells import TakesTexts
from alp_daemon.services.processing.assess import Assessment, findings_of
from alp_daemon.services.processing.repeat import read_with
from alp_daemon.services.processing.rules import Rules
from alp_daemon.services.processing.source import Source
from alp_daemon.services.reports import notify, report
from alp_daemon.services.reports.report import Findings, Report
from alp_daemon.settings import Settings
from alp_daemon.store import counters
from alp_daemon.store.store import Store, Transaction, stamp
from alp_daemon.store.uploads import Upload, hold_column

# Sums in a report's rows, which count what the buckets count.
_NO_BUCKETS = ("read", "numbers")


class LeaseLost(TryAgain):
    """Another worker has the upload now; this one's work is thrown away."""


@dataclass(frozen=True, slots=True)
class Work:
    """One upload in work: what it is, by which configuration, who works it, and since when."""

    store: Store
    settings: Settings
    customer: Customer
    upload: Upload
    owner: str
    now: datetime
    began: float

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self.began


@dataclass(frozen=True, slots=True)
class Read:
    """What a file is read with. ``takes_texts`` is what the operator's line types say; None where there are none."""

    source: Source
    rules: Rules
    takes_texts: TakesTexts | None


@dataclass(frozen=True, slots=True)
class Ending:
    """How an upload ended for now, and what its report says.

    Without ``rules`` or ``sha256`` (it was not read this time) its record keeps those of before.
    """

    state: UploadState
    reason: str = ""
    hold: tuple[HoldReason, ...] = ()
    rules: Rules | None = None
    sha256: str | None = None
    assessment: Assessment | None = None
    read: Read | None = None
    version: int | None = None


def finish(work: Work, ending: Ending) -> Report:
    with work.store.write() as transaction:
        return finish_in(transaction, work, ending)


def finish_in(transaction: Transaction, work: Work, ending: Ending) -> Report:
    """Ends the upload for now: its record, its report and the mail about it, in the caller's transaction."""
    finished = report.build(work.upload, ending.state, ending.reason, _findings(work, ending), work.seconds)
    assessment, rules = ending.assessment, ending.rules
    kept = transaction.run(
        "uploads.finish",
        id=work.upload.id,
        owner=work.owner,
        now=stamp(work.now),
        state=ending.state,
        reason=ending.reason,
        hold=hold_column(ending.hold),
        feed=rules.name if rules else work.upload.feed,
        mode=rules.mode if rules else None,
        config=rules.fingerprint if rules else None,
        sha256=ending.sha256,
        evidence=finished["evidence"],
        evidence_note=finished["evidence_note"],
        version=ending.version,
        never_seen=assessment.changes.never_seen_before if assessment and ending.state == "applied" else 0,
    )
    if kept == 0:
        raise LeaseLost(f"upload {work.upload.id}: another worker has it")
    if ending.state is UploadState.applied and rules and rules.policy.supersedes:
        _supersede(transaction, work, rules)
    rejects = assessment.reading.rejects.kept if assessment else []
    transaction.run("reports.put", **report.packed(finished, rejects), read_with=_read_with(ending))
    _count(transaction, finished)
    askers = rules.bulk.request.recipients if rules and rules.bulk else ()
    notify.tell_of_upload(transaction, work.settings, work.customer, finished, work.now, askers)
    return finished


def _count(transaction: Transaction, finished: Report) -> None:
    """Once an upload has ended for good."""
    if finished["state"] in (UploadState.applied, UploadState.rejected):
        buckets = {bucket: n for bucket, n in finished["rows"].items() if bucket not in _NO_BUCKETS}
        counters.add(transaction, "rows", buckets)
        seconds = finished["seconds"]
        within = next((str(bound) for bound in counters.SECONDS if seconds <= bound), "+Inf")
        counters.add(transaction, "seconds", {within: 1, "sum": seconds})


def _supersede(transaction: Transaction, work: Work, rules: Rules) -> None:
    """Ends the older held files of the feed."""
    superseded = transaction.all(
        "uploads.supersede",
        customer=work.customer.id,
        feed=rules.name,
        id=work.upload.id,
        arrived_at=work.upload.arrived_at,
        now=stamp(work.now),
    )
    for row in superseded:
        log.info("discarded", upload=row["id"], customer=work.customer.id, by=f"upload {work.upload.id}")


def _read_with(ending: Ending) -> str | None:
    if ending.assessment is None or ending.read is None:
        return None
    return json.dumps(read_with(ending.assessment.reading, by_line_types=ending.read.takes_texts is not None))


def _findings(work: Work, ending: Ending) -> Findings:
    upload, rules, sha256 = work.upload, ending.rules, ending.sha256 or work.upload.sha256
    if ending.assessment is not None and rules is not None:
        return findings_of(ending.assessment, rules, ending.hold, sha256)
    feed, mode = (rules.name, rules.mode) if rules else (upload.feed, None)
    return Findings(feed, mode, upload.evidence, upload.evidence_note, ending.hold, sha256=sha256)
