"""What a file would do: read it, plan it, and ask the guard. Changes nothing; preview, dry run and worker share it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from alp_daemon.domain import guard
from alp_daemon.domain.changes import Changes
from alp_daemon.domain.guard import HoldCode, HoldReason
from alp_daemon.domain.model import Evidence, Keys, Listed, ListState, Reading, Tags
from alp_daemon.domain.plan import Plan, make_plan
from alp_daemon.domain.policy import COMMANDS
from alp_daemon.domain.tag_sets import TagSets
from alp_daemon.services.processing import fewrows
from alp_daemon.services.processing.repeat import Earlier
from alp_daemon.services.processing.rules import Rules
from alp_daemon.services.processing.source import Source, ending_of
from alp_daemon.services.reports.report import Findings
from alp_daemon.store import lists
from alp_daemon.store.lists import ListHead
from alp_daemon.store.store import Store, Transaction

if TYPE_CHECKING:
    from alp_daemon.services.processing.bulkupload import Subscribed

# A file may ask for opt-outs (preformatted with `minus: opt_out`): the command, with its proof. Without it the undo of
# another file, whose omission had opted the number out before, would lift what this one asked for.
REMOVAL = COMMANDS["opt_out"]


class ListMoved(Exception):
    """What was known of the list without reading it holds no more."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """What a file says, what it would do to the list as it stands, and why it should wait, if so."""

    reading: Reading
    evidence: Evidence
    evidence_note: str
    state: ListState
    sets: TagSets
    feed_bit: int
    plans: tuple[Plan, ...]
    reasons: tuple[HoldReason, ...]
    repeats: bool = False
    """Of a file that does nothing to the list as it stands: its addresses and the list were not read."""
    few: bool = False
    """``state`` has the rows of the listed addresses only."""
    subscribed: Subscribed | None = None
    """Of a BulkUpload: what has to be stored beside the plan."""
    notes: tuple[str, ...] = ()

    @property
    def changes(self) -> Changes:
        return sum((plan.changes for plan in self.plans), Changes())


def findings_of(
    assessment: Assessment, rules: Rules, hold: tuple[HoldReason, ...], sha256: str | None = None
) -> Findings:
    """What a report says of an assessment."""
    return Findings(
        feed=rules.name,
        mode=rules.mode,
        evidence=assessment.evidence,
        evidence_note=assessment.evidence_note,
        hold=hold,
        buckets=assessment.reading.buckets,
        changes=assessment.changes,
        rejects=assessment.reading.rejects,
        sha256=sha256,
        notes=assessment.notes,
    )


def read_list_in_thread(store: Store, list_name: str) -> ListState:
    """The list as it stands, for a thread that does nothing else with the store."""
    try:
        with store.read() as transaction:
            return lists.read_state(transaction, lists.open_list(transaction, list_name))
    finally:
        store.close()


def assess(
    transaction: Transaction,
    reading: Reading,
    source: Source,
    rules: Rules,
    state: ListState | None = None,
) -> Assessment:
    """The effect of a reading on its list as this transaction sees it, or as it was read before."""
    head = lists.open_list(transaction, rules.list_name)
    if state is None:
        state = lists.read_state(transaction, head)
    return _assessed(transaction, head, state, lists.read_tag_sets(transaction, head), reading, source, rules)


def assess_few(transaction: Transaction, reading: Reading, source: Source, rules: Rules) -> Assessment | None:
    """The same as ``assess``, by the rows of the listed addresses alone; None where those do not tell it.

    They do where ``fewrows.suffice`` says so, and so little would change that the guard does not ask how large the list
    is.
    """
    if not fewrows.suffice(reading, rules):
        return None
    head = lists.open_list(transaction, rules.list_name)
    state, sets = fewrows.read(transaction, head, reading)
    found = _assessed(transaction, head, state, sets, reading, source, rules)
    asks = any(guard.asks_for_shares(plan.changes, rules.limits) for plan in found.plans)
    return None if asks else replace(found, few=True)


def assess_repeated(transaction: Transaction, earlier: Earlier, source: Source, rules: Rules) -> Assessment:
    """The same as ``assess`` for a file that ``earlier`` was, without reading file or list.

    A plan that changes nothing passes every limit that the guard sets for plans; those for files are asked again.
    """
    head = lists.open_list(transaction, rules.list_name)
    bit = lists.feed_bit(transaction, head, rules.name)
    reading = earlier.reading()
    evidence, note = ending_of(reading, source, rules)
    reasons = guard.check_file(reading.buckets, evidence, note, rules.limits)
    nothing = ListState.empty(earlier.version)
    plan = Plan(earlier.version, nothing, nothing, np.empty(0, np.bool_), nothing.keys, earlier.changes(), 0, 0)
    notes = tuple(earlier.report.get("notes", ()))
    return Assessment(
        reading, evidence, note, nothing, TagSets(), bit, (plan,), tuple(reasons), repeats=True, notes=notes
    )


def assess_again(transaction: Transaction, head: ListHead, old: Assessment, source: Source, rules: Rules) -> Assessment:
    """The same after the list moved: only the rows that changed since are read.

    Raises ``ListMoved`` for what ``assess_repeated`` made.
    """
    if old.repeats:
        raise ListMoved
    if old.few:
        few = assess_few(transaction, old.reading, source, rules)
        return few or assess(transaction, old.reading, source, rules)
    changed = np.array(
        [row["key"] for row in transaction.all("events.changed_keys", list=head.id, version=old.state.version)],
        np.int64,
    )
    state = old.state.patched(lists.read_state(transaction, head, changed))
    sets = lists.read_tag_sets(transaction, head)
    return _assessed(transaction, head, state, sets, old.reading, source, rules)


def _assessed(
    transaction: Transaction,
    head: ListHead | None,
    state: ListState,
    sets: TagSets,
    reading: Reading,
    source: Source,
    rules: Rules,
) -> Assessment:
    bit = lists.feed_bit(transaction, head, rules.name)
    first = not _applied_before(transaction, head, rules)
    evidence, note = ending_of(reading, source, rules)
    reasons = guard.check_file(reading.buckets, evidence, note, rules.limits)
    reasons += _unformatted(reading, rules, sets)
    subscribed = None
    notes: tuple[str, ...] = ()
    if reading.said is None:
        plans = _plans(state, reading, rules, sets, bit)
    else:
        from alp_daemon.services.processing import bulkupload  # only XML needs it

        subscribed = bulkupload.subscribed(transaction, head, state, reading.said, rules.policy)
        plans = (bulkupload.plan_of(state, subscribed, rules.policy, sets, bit),)
        notes = bulkupload.notes(reading.said, subscribed, rules)
    for plan in plans:
        reasons += guard.check_plan(plan, reading.buckets, rules.limits, first_upload=first)
    return Assessment(
        reading, evidence, note, state, sets, bit, plans, tuple(reasons), subscribed=subscribed, notes=notes
    )


def _applied_before(transaction: Transaction, head: ListHead | None, rules: Rules) -> bool:
    if head is None:
        return False
    return transaction.one("uploads.applied_before", customer=rules.customer, feed=rules.name) is not None


def _plans(state: ListState, reading: Reading, rules: Rules, sets: TagSets, bit: int) -> tuple[Plan, ...]:
    listed = reading.listed
    removed = reading.removed
    if len(removed):
        removed = np.unique(removed)
        listed = _without(listed, removed)
    plan = make_plan(
        state,
        listed,
        rules.policy,
        sets,
        feed_bit=bit,
        only_this_feed=rules.only_this_feed,
        spared=reading.unusable,
    )
    if not len(removed):
        return (plan,)
    no_tags: list[Tags] = [()]
    removal = Listed(removed, np.zeros(len(removed), np.int32), no_tags)
    return plan, make_plan(state, removal, REMOVAL, sets)


def _without(listed: Listed, removed: Keys) -> Listed:
    """A number that the same file both lists and removes is removed: the cautious reading."""
    keep = ~np.isin(listed.keys, removed)
    return Listed(listed.keys[keep], listed.tag_set[keep], listed.sets)


def _unformatted(reading: Reading, rules: Rules, sets: TagSets) -> list[HoldReason]:
    """``sets`` are those of the list, before a plan has made new ones."""
    if rules.feed is not None or rules.bulk is not None:
        return []
    unknown = {tag for tags in reading.listed.sets for tag in tags} - sets.vocabulary()
    if len(unknown) <= guard.MAX_UNKNOWN_TAGS:
        return []
    return [
        HoldReason(
            HoldCode.unformatted,
            f"{len(unknown):,} tags are new to this list: it looks like an unformatted file (column A must hold the"
            " number, the columns after it only tags)",
            len(unknown),
            guard.MAX_UNKNOWN_TAGS,
        )
    ]
