"""The story of one upload: claimed, read, planned, guarded, and applied in one transaction, or held, or rejected.

A kill at any line leaves the upload in the queue and the list as it was; the next worker begins again. Only the
commit in ``_apply_or_hold`` changes a list, and it finishes the upload in the same breath, so a file is applied once.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path

from alp_daemon import log
from alp_daemon.customers import Customer
from alp_daemon.domain.guard import HoldCode, HoldReason, not_waived
from alp_daemon.domain.model import ListState, UploadState
from alp_daemon.errors import TryAgain, UnusableFile
from alp_daemon.files import disk
from alp_daemon.files.beside import Beside
from alp_daemon.files.objects import Kept, ObjectLost
from alp_daemon.files.spool import open_spool
from alp_daemon.services.processing import line_types, queue
from alp_daemon.services.processing.assess import (
    Assessment,
    ListMoved,
    assess,
    assess_again,
    assess_few,
    assess_repeated,
    read_list_in_thread,
)
from alp_daemon.services.processing.finish import Ending, Read, Work, finish, finish_in
from alp_daemon.services.processing.repeat import Earlier, find_earlier
from alp_daemon.services.processing.rules import Rules, approval_of, rules_of_file
from alp_daemon.services.processing.source import Source, read_source
from alp_daemon.services.receiving.place import feed_of
from alp_daemon.services.reports.report import Report
from alp_daemon.settings import Settings
from alp_daemon.store import lists
from alp_daemon.store.lists import Change, ListHead
from alp_daemon.store.store import Store, Transaction, stamp
from alp_daemon.store.uploads import Upload

# A file that kills its worker this often is not tried again before a person says so.
MAX_ATTEMPTS = 3
# Bytes of a file from which hashing it and reading the list beside it saves more than the threads cost.
THREADS_PAY_FROM = 4 * 2**20


def work_next(store: Store, settings: Settings, customer: Customer, owner: str, now: datetime) -> Report | None:
    """Works the customer's oldest due upload to its end; None if nothing is due."""
    upload = queue.claim(store, settings, customer.id, owner, now)
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
    except MemoryError as error:
        log.warning("upload_needs_memory", upload=work.upload.id, customer=work.customer.id, error=str(error))
    except TryAgain:
        queue.give_back(work.store, work.upload.id, work.owner)
        raise
    except ObjectLost as error:
        return finish(work, Ending(UploadState.failed, str(error)))
    except Exception as error:  # noqa: BLE001  a bug must end one upload, not its customer's queue
        log.error("upload_failed", upload=work.upload.id, customer=work.customer.id, exc_info=error)
        reason = (
            f"an error of this program ({type(error).__name__}); see its log. Once that is mended,"
            f" `alp-daemon release {work.upload.id} --by NAME` tries the file again"
        )
        return finish(work, Ending(UploadState.failed, reason))
    # Only here: as long as the error is handled, it holds everything that the file has taken.
    return _hold_stopper(
        work, "reading it takes more memory than a worker has; send the list in several files, or look at the file"
    )


def _hold_stopper(work: Work, reason: str) -> Report:
    return finish(work, Ending(UploadState.held, reason, (HoldReason(HoldCode.stops_worker, reason),)))


def _worked(work: Work) -> Report:
    if work.upload.attempts > MAX_ATTEMPTS:
        return _hold_stopper(work, f"it stopped its worker {MAX_ATTEMPTS} times (too little memory?); see the log")
    kept = Kept(work.upload.object, work.upload.size, work.upload.sha256)
    with open_spool(work.settings).local(kept) as path:
        return _judged(work, path)


def _judged(work: Work, path: Path) -> Report:
    try:
        rules = rules_of_file(work.store, work.customer, feed_of(work.customer, work.upload), path, work.upload.name)
    except UnusableFile as error:
        return finish(work, Ending(UploadState.rejected, str(error)))
    with work.store.read() as transaction:
        later = _overtaken_by(transaction, work.upload, rules)
        approval = approval_of(transaction, work.customer.id, rules)
        takes_texts = line_types.in_force_in(transaction, work.settings, work.customer)
        # By line types that were loaded since, the same file could be read otherwise.
        earlier = find_earlier(transaction, work.upload, rules) if takes_texts is None else None
    if later is not None:
        return finish(work, Ending(UploadState.discarded, f"superseded by {later}", rules=rules))
    if isinstance(approval, str):
        return _hold_unapproved(work, rules) or _judged(work, path)
    assert work.upload.evidence is not None, "claimed before it was settled"
    source = Source(path, work.upload.name, work.upload.evidence, work.upload.evidence_note, approval.sample_newline)
    read = Read(source, rules, takes_texts)
    if earlier is not None and _sha256(work, path) == earlier.sha256:
        with suppress(ListMoved):
            return _finish_repeated(work, read, earlier)
    return _read_and_apply(work, read)


def _hold_unapproved(work: Work, rules: Rules) -> Report | None:
    """Holds a file until its feed is approved; None where that has happened since it was looked up.

    An approval lets go on what is held. What would be held behind its back would wait for another one.
    """
    with work.store.write() as transaction:
        transaction.lock("holds", work.customer.id)
        approval = approval_of(transaction, work.customer.id, rules)
        if not isinstance(approval, str):
            return None
        hold = (HoldReason(HoldCode.not_approved, approval),)
        return finish_in(transaction, work, Ending(UploadState.held, approval, hold, rules))


def _finish_repeated(work: Work, read: Read, earlier: Earlier) -> Report:
    """Finishes a file that was applied before and after which nothing had changed. Raises ``ListMoved`` if it has."""
    with work.store.read() as transaction:
        assessment = assess_repeated(transaction, earlier, read.source, read.rules)
    return _apply_or_hold(work, read, earlier.sha256, assessment)


def _read_and_apply(work: Work, read: Read) -> Report:
    store, customer = work.store, work.customer
    sha256: Callable[[], str] = partial(_sha256, work, read.source.path)
    state: Callable[[], ListState] | None = None
    if work.upload.size >= THREADS_PAY_FROM:
        sha256, state = Beside(sha256), Beside(partial(read_list_in_thread, store, read.rules.list_name))
    try:
        reading = read_source(read.source, customer, read.rules, read.takes_texts)
    except UnusableFile as error:
        return finish(work, Ending(UploadState.rejected, str(error), rules=read.rules, sha256=sha256()))
    known = state() if state else None
    with store.read() as transaction:
        few = assess_few(transaction, reading, read.source, read.rules) if known is None else None
        assessment = few or assess(transaction, reading, read.source, read.rules, known)
    return _apply_or_hold(work, read, sha256(), assessment)


def _overtaken_by(transaction: Transaction, upload: Upload, rules: Rules) -> int | None:
    """The upload that came after this one and was applied before it, which waited for its sidecar, say.

    What the later file says of the list holds; this one's older word would take it back.
    """
    if not rules.policy.supersedes:
        return None
    row = transaction.one(
        "uploads.overtaken_by",
        customer=upload.customer,
        feed=rules.name,
        id=upload.id,
        arrived_at=upload.arrived_at,
    )
    return row["id"] if row else None


def _apply_or_hold(work: Work, read: Read, sha256: str, assessment: Assessment) -> Report:
    """The only place where a file changes a list. The write lock is held for the writing only."""
    rules = read.rules
    with work.store.write() as transaction:
        head = lists.create_list(transaction, rules.list_name, work.now)
        if head.version != assessment.state.version:
            # Somebody said STOP, or an operator was at work, while the file was being planned.
            assessment = assess_again(transaction, head, assessment, read.source, rules)
        reasons = not_waived(assessment.reasons, _waived(work.upload, rules))
        if reasons:
            ending = Ending(UploadState.held, reasons[0].message, tuple(reasons), rules, sha256, assessment, read)
            return finish_in(transaction, work, ending)
        lists.keep_feed_bit(transaction, head, rules.name)
        change = Change(stamp(work.now), work.upload.actor, "file", work.upload.channel, work.upload.id)
        before = head.version
        if assessment.subscribed is not None:
            _keep_subscribed(transaction, head, work, assessment, rules)
        for plan in assessment.plans:
            head = lists.write_plan(transaction, head, plan, assessment.sets, change)
        version = head.version if head.version != before else None
        ending = Ending(UploadState.applied, "", (), rules, sha256, assessment, read, version)
        return finish_in(transaction, work, ending)


def _keep_subscribed(
    transaction: Transaction, head: ListHead, work: Work, assessment: Assessment, rules: Rules
) -> None:
    from alp_daemon.services.processing import bulkupload  # only XML needs it

    said = assessment.reading.said
    assert assessment.subscribed and said and rules.bulk
    (plan,) = assessment.plans
    fields = bulkupload.attribute_fields(rules.bulk.request)
    bulkupload.keep(transaction, head, assessment.subscribed, plan, said, fields, work.upload.id)


def _waived(upload: Upload, rules: Rules) -> dict[str, int]:
    """What a release allows. Under another configuration than that of the hold, nobody was shown what would be done."""
    if upload.waived is None or upload.config != rules.fingerprint:
        return {}
    return dict(json.loads(upload.waived))


def _sha256(work: Work, path: Path) -> str:
    if work.upload.sha256 is not None:
        return work.upload.sha256
    with path.open("rb", buffering=0) as file:
        return disk.sha256(file)
