"""The story of one upload: claimed, read, planned, guarded, and applied in one transaction, or held, or rejected.

A kill at any line leaves the upload in the queue and the list as it was; the next worker begins again. Only the
commit in ``_apply`` changes a list, and it finishes the upload in the same breath, so a file is applied once.
"""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from alp_daemon import log
from alp_daemon.customers import Customer, feed_for
from alp_daemon.domain.guard import HoldReason, not_waived
from alp_daemon.domain.model import UploadState
from alp_daemon.errors import NotFound, TryAgain, UnusableFile
from alp_daemon.services import line_types, notify, queue, report
from alp_daemon.services.assess import Assessment, Source, assess, assess_again, findings_of, read_source
from alp_daemon.services.place import no_feed
from alp_daemon.services.report import Findings, Report
from alp_daemon.services.rules import Rules, approval_of, rules_for
from alp_daemon.settings import Settings
from alp_daemon.store import lists
from alp_daemon.store.lists import Change
from alp_daemon.store.store import Store, Transaction, stamp
from alp_daemon.store.uploads import Upload

# A file that kills its worker this often is not tried again by itself.
MAX_ATTEMPTS = 3


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
    def path(self) -> Path:
        return self.settings.spool_dir / self.upload.object

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self.began


@dataclass(frozen=True, slots=True)
class Ending:
    """How an upload ended for now, and what its report says."""

    state: UploadState
    reason: str = ""
    hold: tuple[HoldReason, ...] = ()
    rules: Rules | None = None
    sha256: str | None = None
    assessment: Assessment | None = None
    version: int | None = None


def work_next(store: Store, settings: Settings, customer: Customer, owner: str, now: datetime) -> Report | None:
    """Works the customer's oldest due upload to its end; None if nothing is due."""
    upload = queue.claim(store, customer.id, owner, now)
    if upload is None:
        return None
    work = Work(store, settings, customer, upload, owner, now, time.perf_counter())
    finished = _ended(work)
    log.info(
        "upload_finished",
        upload=upload.id,
        customer=customer.id,
        feed=finished["feed"],
        state=finished["state"],
        seconds=finished["seconds"],
        **finished["changes"],
    )
    return finished


def _ended(work: Work) -> Report:
    try:
        return _worked(work)
    except TryAgain:
        queue.give_back(work.store, work.upload.id, work.owner)
        raise
    except Exception as error:  # noqa: BLE001  a bug must end one upload, not its customer's queue
        log.error("upload_failed", upload=work.upload.id, customer=work.customer.id, exc_info=error)
        reason = f"an error of this program ({type(error).__name__}); see its log"
        return _finish(work, Ending(UploadState.failed, reason))


def _worked(work: Work) -> Report:
    if work.upload.attempts > MAX_ATTEMPTS:
        reason = f"it stopped its worker {MAX_ATTEMPTS} times; see the log, then discard it"
        return _finish(work, Ending(UploadState.failed, reason))
    try:
        rules = _rules(work)
    except UnusableFile as error:
        return _finish(work, Ending(UploadState.rejected, str(error)))
    with work.store.read() as transaction:
        approval = approval_of(transaction, work.customer.id, rules)
    if isinstance(approval, str):
        return _finish(work, Ending(UploadState.held, approval, (HoldReason("not_approved", approval),), rules))
    assert work.upload.evidence is not None, "claimed before it was settled"
    source = Source(
        work.path, work.upload.name, work.upload.evidence, work.upload.evidence_note, approval.sample_newline
    )
    sha256 = _sha256(work.path)
    try:
        takes_texts = line_types.in_force(work.store, work.settings, work.customer)
        reading = read_source(source, work.customer, rules, takes_texts)
    except UnusableFile as error:
        return _finish(work, Ending(UploadState.rejected, str(error), rules=rules, sha256=sha256))
    with work.store.read() as transaction:
        assessment = assess(transaction, work.customer.id, reading, source, rules)
    return _apply_or_hold(work, source, rules, sha256, assessment)


def _rules(work: Work) -> Rules:
    upload, customer = work.upload, work.customer
    # A file that came while its customer's YAML was missing has no feed yet.
    feed = upload.feed or feed_for(customer, upload.name, upload.folder)
    if feed is None:
        raise UnusableFile("no_feed", no_feed(customer, upload.name))
    try:
        return rules_for(customer, feed)
    except NotFound as error:
        raise UnusableFile("no_feed", f"{upload.name}: {error}") from error


def _apply_or_hold(work: Work, source: Source, rules: Rules, sha256: str, assessment: Assessment) -> Report:
    """The only place where a file changes a list. The write lock is held for the writing only."""
    with work.store.write() as transaction:
        head = lists.create_list(transaction, work.customer.id, work.now)
        if head.version != assessment.state.version:
            # Somebody said STOP, or an operator was at work, while the file was being planned.
            assessment = assess_again(transaction, head, assessment, source, rules)
        reasons = not_waived(assessment.reasons, _waived(work.upload))
        if reasons:
            ending = Ending(UploadState.held, reasons[0].message, tuple(reasons), rules, sha256, assessment)
            return _finish_in(transaction, work, ending)
        lists.keep_feed_bit(transaction, head, rules.name)
        change = Change(stamp(work.now), work.upload.actor, "file", work.upload.channel, work.upload.id)
        before = head.version
        for plan in assessment.plans:
            head = lists.write_plan(transaction, head, plan, assessment.sets, change)
        version = head.version if head.version != before else None
        ending = Ending(UploadState.applied, "", (), rules, sha256, assessment, version)
        return _finish_in(transaction, work, ending)


def _finish(work: Work, ending: Ending) -> Report:
    with work.store.write() as transaction:
        return _finish_in(transaction, work, ending)


def _finish_in(transaction: Transaction, work: Work, ending: Ending) -> Report:
    """Ends the upload for now: its record, its report and the mail about it, in the caller's transaction."""
    finished = _report(work, ending)
    assessment, rules = ending.assessment, ending.rules
    kept = transaction.run(
        "uploads.finish",
        id=work.upload.id,
        owner=work.owner,
        now=stamp(work.now),
        state=ending.state,
        reason=ending.reason,
        hold=json.dumps([each.as_dict() for each in ending.hold]) if ending.hold else None,
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
        transaction.all(
            "uploads.supersede", customer=work.customer.id, feed=rules.name, id=work.upload.id, now=stamp(work.now)
        )
    rejects = assessment.reading.rejects.kept if assessment else []
    transaction.run("reports.put", **report.packed(finished, rejects))
    notify.tell_of_upload(transaction, work.settings, work.customer, finished, work.now)
    return finished


def _report(work: Work, ending: Ending) -> Report:
    return report.build(work.upload, ending.state, ending.reason, _findings(work, ending), work.seconds)


def _findings(work: Work, ending: Ending) -> Findings:
    feed = ending.rules.name if ending.rules else work.upload.feed
    mode = ending.rules.mode if ending.rules else None
    if ending.assessment is None:
        upload = work.upload
        return Findings(feed, mode, upload.evidence, upload.evidence_note, ending.hold, sha256=ending.sha256)
    return findings_of(ending.assessment, feed, mode, ending.hold, ending.sha256)


def _waived(upload: Upload) -> dict[str, int]:
    return dict(json.loads(upload.waived)) if upload.waived else {}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
