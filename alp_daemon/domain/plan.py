"""The plan: the difference between a list and a file under a policy, as arrays.

The dry run, the guard, the report and the store all read the same plan, so none can differ from what is done.
Everything is arithmetic over the whole list, a million addresses at a time, which take a tenth of a second.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from alp_daemon.domain.changes import Changes, count, count_changes
from alp_daemon.domain.model import CONFIRMED, Codes, Keys, Listed, ListState, Status, Tags
from alp_daemon.domain.policy import REFUSE, Policy, TagRule, Transitions
from alp_daemon.domain.rows import differs, find, joined, merged, parts, rows_of, take
from alp_daemon.domain.tag_sets import EMPTY, TagSets


@dataclass(frozen=True, slots=True)
class Plan:
    """The rows to write, the events among them, and the counts.

    ``before`` and ``after`` are the same addresses sorted by key; ``is_event`` marks the audited ones (the others
    only gain a feed's bit). ``refused`` holds the keys that the policy refuses.
    """

    version: int
    before: ListState
    after: ListState
    is_event: NDArray[np.bool_]
    refused: Keys
    changes: Changes
    opted_in_before: int
    """Opted-in addresses within the policy's scope: what the guard's shares are shares of."""
    tags_before: int
    """Tag assignments of all addresses before the plan."""
    members_left: int = 0
    """Opted-in addresses that lose the tags whose members the file states, since it omits them."""

    @property
    def events(self) -> tuple[NDArray[np.generic], ...]:
        """Columns: key, status before and after, tag set before and after, attrs before and after."""
        at = slice(None) if self.is_event.all() else self.is_event  # nothing is copied for a first load
        before, after = self.before, self.after
        return (
            after.keys[at],
            before.status[at],
            after.status[at],
            before.tag_set[at],
            after.tag_set[at],
            before.attrs[at],
            after.attrs[at],
        )


def make_plan(
    state: ListState,
    listed: Listed,
    policy: Policy,
    sets: TagSets,
    *,
    feed_bit: int = 0,
    only_this_feed: bool = False,
    stated: Tags = (),
    attrs: Codes | None = None,
    spared: Keys | None = None,
) -> Plan:
    """What ``policy`` does to ``state`` when the file lists ``listed``.

    ``feed_bit`` is the feed's mask in ``ListState.feeds``; with ``only_this_feed`` an address counts as omitted only
    if this feed has listed it before (``omitted_scope: feed``). ``stated`` are the tags whose members the file states
    (``Policy.within_tags``); ``attrs`` the attributes that each listed address is to have, if it is touched. ``spared``
    addresses are not omitted, though they are not listed: the file names them in rows that cannot be used.
    """
    planned = [
        _plan_part(
            part, in_file, policy, sets, stated, feed_bit, only_this_feed, None if attrs is None else attrs[at], spared
        )
        for part, in_file, at in parts(state, listed)
    ]
    return Plan(
        version=state.version,
        before=joined([each.before for each in planned]),
        after=joined([each.after for each in planned]),
        is_event=np.concatenate([each.is_event for each in planned]),
        refused=np.concatenate([each.refused for each in planned]),
        changes=sum((each.changes for each in planned), Changes()),
        opted_in_before=sum(each.opted_in_before for each in planned),
        tags_before=sum(each.tags_before for each in planned),
        members_left=sum(each.members_left for each in planned),
    )


def _plan_part(
    state: ListState,
    listed: Listed,
    policy: Policy,
    sets: TagSets,
    stated: Tags,
    feed_bit: int,
    only_this_feed: bool,
    attrs: Codes | None,
    spared: Keys | None,
) -> Plan:
    at, known = find(state.keys, listed.keys)
    in_scope = _scope(state, policy, sets, feed_bit if only_this_feed else None, stated)
    of_stated = np.int32(sets.intern(stated))

    here_before = rows_of(state, listed.keys, at, known)
    tags = sets.ids(listed.sets)[listed.tag_set]
    here_after, refused = _apply(here_before, policy.listed, policy.tags, tags, sets, of_stated)
    here_after = _remembering(here_after, feed_bit)
    if attrs is not None:
        here_after = replace(
            here_after, attrs=np.where(_is_touched(here_before, policy.listed), attrs, here_before.attrs)
        )
    omitted = in_scope.copy()
    omitted[at[known]] = False
    if spared is not None:
        of_spared, is_known = find(state.keys, spared)
        omitted[of_spared[is_known]] = False
    del at  # as big as the file's keys
    gone_before = take(state, np.flatnonzero(omitted)) if policy.removes else ListState.empty()
    no_tags = np.full(len(gone_before), of_stated)
    gone_after, _ = _apply(gone_before, policy.omitted, policy.omitted_tags, no_tags, sets, of_stated)

    # Rows that are not written are left out before the two parts become one: nearly all of them, on most nights.
    here, gone = _is_written(here_before, here_after), _is_written(gone_before, gone_after)
    said = _is_said(here_before, policy)
    here |= said
    before = merged(take(here_before, here), take(gone_before, gone))
    after = merged(take(here_after, here), take(gone_after, gone))
    is_event = differs(before, after)
    if said.any():
        is_event |= np.isin(after.keys, listed.keys[said], assume_unique=True)
    after = _confirming(after, is_event, policy)
    changes = _count(here_before, here_after, before, after, known, sets)
    return Plan(
        version=state.version,
        before=before,
        after=after,
        is_event=is_event,
        refused=listed.keys[refused],
        changes=changes,
        opted_in_before=count(in_scope & (state.status == Status.opted_in)),
        tags_before=sets.sizes(state.tag_set),
        members_left=count(gone & (gone_before.status == Status.opted_in)) if policy.within_tags else 0,
    )


def _scope(state: ListState, policy: Policy, sets: TagSets, feed_bit: int | None, stated: Tags) -> NDArray[np.bool_]:
    """The addresses that the file speaks for, whether it lists them or not."""
    if policy.within_tags:
        return sets.holds_any(state.tag_set, stated)
    if feed_bit is not None:
        of_feed: NDArray[np.bool_] = (state.feeds & feed_bit) != 0
        return of_feed
    return np.ones(len(state), np.bool_)


def _apply(
    rows: ListState, transitions: Transitions, rule: TagRule, tags: Codes, sets: TagSets, stated: np.int32
) -> tuple[ListState, NDArray[np.bool_]]:
    """The rows after the transitions and the tag rule, and which of them are refused."""
    target = np.array(transitions, np.int8)[rows.status]
    touched = target >= 0
    status = np.where(touched, target, rows.status).astype(np.int8)
    tag_set = rows.tag_set.copy()
    tag_set[touched] = _tags_after(rule, rows.tag_set[touched], tags[touched], sets, stated)
    return replace(rows, status=status, tag_set=tag_set), target == REFUSE


def _is_touched(rows: ListState, transitions: Transitions) -> NDArray[np.bool_]:
    touched: NDArray[np.bool_] = np.array(transitions, np.int8)[rows.status] >= 0
    return touched


def _remembering(rows: ListState, feed_bit: int) -> ListState:
    """The rows with the feed's bit. An address that stays absent has no row to remember the feed in."""
    feeds = rows.feeds | feed_bit
    absent = rows.status == Status.absent
    feeds[absent] = rows.feeds[absent]
    return replace(rows, feeds=feeds)


def _is_said(rows: ListState, policy: Policy) -> NDArray[np.bool_]:
    """Which of the listed addresses get an event even where nothing changes."""
    if policy.always_recorded:
        return _is_touched(rows, policy.listed)
    if policy.recorded_once:
        return _is_touched(rows, policy.listed) & ~_is_confirmed(rows)
    return np.zeros(len(rows), np.bool_)


def _is_confirmed(rows: ListState) -> NDArray[np.bool_]:
    confirmed: NDArray[np.bool_] = (rows.feeds & CONFIRMED) != 0
    return confirmed


def _confirming(written: ListState, is_event: NDArray[np.bool_], policy: Policy) -> ListState:
    """The written rows with the bit where the event is of what is recorded once, and without it where of anything else.

    ``CONFIRMED`` thus tells whose the last event of an address is, but for undos.
    """
    if policy.recorded_once:
        return replace(written, feeds=np.where(is_event, written.feeds | CONFIRMED, written.feeds))
    lapsed = is_event & _is_confirmed(written)
    if not lapsed.any():
        return written
    return replace(written, feeds=np.where(lapsed, written.feeds & ~CONFIRMED, written.feeds))


def _tags_after(rule: TagRule, before: Codes, tags: Codes, sets: TagSets, stated: np.int32) -> Codes:
    if rule is TagRule.add:
        return sets.union(before, tags)
    if rule is TagRule.remove:
        return sets.difference(before, tags)
    if rule is TagRule.set:
        return tags
    if rule is TagRule.replace:
        return sets.union(sets.difference(before, np.full(len(before), stated)), tags)
    return before if rule is TagRule.keep else np.full(len(before), EMPTY, np.int32)


def _is_written(before: ListState, after: ListState) -> NDArray[np.bool_]:
    written: NDArray[np.bool_] = differs(before, after) | (before.feeds != after.feeds)
    return written


def _count(
    here_before: ListState,
    here_after: ListState,
    before: ListState,
    after: ListState,
    known: NDArray[np.bool_],
    sets: TagSets,
) -> Changes:
    """``before`` and ``after`` need hold no row that stays as it is; ``here_…`` are all that are listed."""
    blocked = (here_before.status == Status.opted_out) & (here_after.status == Status.opted_out)
    same = ~differs(here_before, here_after) & (here_after.status != Status.absent)
    return replace(
        count_changes(before, after, sets),
        unchanged=count(same & ~blocked),
        blocked_opted_out=count(blocked),
        never_seen_before=count(~known & (here_after.status != Status.absent)),
    )
