"""For every policy: engine = a small reference, over random lists and files."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alp_daemon.domain import policy, rows
from alp_daemon.domain.model import CONFIRMED, Listed, ListState, Status, Tags
from alp_daemon.domain.plan import Plan, make_plan
from alp_daemon.domain.policy import KEEP, REFUSE, Policy, TagRule
from alp_daemon.domain.tag_sets import TagSets

POLICIES = [
    *policy.MODES.values(),
    policy.for_mode("append_tags", "clear"),
    *policy.COMMANDS.values(),
    policy.KEYWORD_MESSAGE,
    *policy.IMPORTS_OF_SUBSCRIBERS.values(),
    *policy.ACTIONS.values(),
]
FEED = 0b10
STATED = ("board", "staff")  # the interests whose members a ReplaceAllSubscribers states

Row = tuple[Status, Tags, int]  # status, tags, feeds

tags = st.sets(st.sampled_from(["north", "south", "board", "staff"])).map(lambda chosen: tuple(sorted(chosen)))
keys = st.integers(1, 12)
bits = st.builds(int.__or__, st.integers(0, 3), st.sampled_from((0, CONFIRMED)))
lists = st.dictionaries(keys, st.tuples(st.sampled_from(Status), tags, bits))
uploads = st.dictionaries(keys, tags)


def reference(before: dict[int, Row], file: dict[int, Tags], rules: Policy, by_feed: bool) -> dict[int, Row]:
    """The rules once more, an address at a time."""
    after = dict(before)
    for key in before.keys() | file.keys():
        status, old, feeds = before.get(key, (Status.absent, (), 0))
        if key in file:
            to, rule, given_tags, feeds = rules.listed[status], rules.tags, set(file[key]), feeds | FEED
        elif {*old} & {*STATED} if rules.within_tags else not by_feed or feeds & FEED:
            to, rule, given_tags = rules.omitted[status], rules.omitted_tags, set(STATED)
        else:
            continue
        new = {
            TagRule.keep: set(old),
            TagRule.add: {*old, *given_tags},
            TagRule.set: given_tags,
            TagRule.remove: {*old} - given_tags,
            TagRule.clear: set(),
            TagRule.replace: ({*old} - {*STATED}) | given_tags,
        }[rule]
        was = (status, set(old))
        status, now = was if to in (KEEP, REFUSE) else (Status(to), new)
        if rules.recorded_once and to not in (KEEP, REFUSE):
            feeds |= CONFIRMED
        elif (status, now) != was or (rules.always_recorded and to not in (KEEP, REFUSE)):
            feeds &= ~CONFIRMED
        if status is not Status.absent:
            after[key] = (status, tuple(sorted(now)), feeds)
    return after


def arrays(rows: dict[int, Row], sets: TagSets) -> ListState:
    ordered = sorted(rows.items())
    return ListState(
        7,
        np.array([key for key, _ in ordered], np.int64),
        np.array([row[0] for _, row in ordered], np.int8),
        np.array([sets.intern(row[1]) for _, row in ordered], np.int32),
        np.zeros(len(ordered), np.int32),
        np.array([row[2] for _, row in ordered], np.int64),
    )


def listed(file: dict[int, Tags]) -> Listed:
    chosen = sorted(set(file.values()))
    ordered = sorted(file.items())
    return Listed(
        np.array([key for key, _ in ordered], np.int64),
        np.array([chosen.index(value) for _, value in ordered], np.int32),
        chosen,
    )


def rows_after(before: dict[int, Row], plan: Plan, sets: TagSets) -> dict[int, Row]:
    after = dict(before)
    columns = (plan.after.keys, plan.after.status, plan.after.tag_set, plan.after.feeds)
    for key, status, tag_set, feeds in zip(*(column.tolist() for column in columns), strict=True):
        after[key] = (Status(status), sets[tag_set], feeds)
    return after


@pytest.mark.parametrize("rules", POLICIES, ids=lambda rules: rules.name)
@given(before=lists, file=uploads, by_feed=st.booleans())
def test_engine_equals_reference(rules: Policy, before: dict[int, Row], file: dict[int, Tags], by_feed: bool) -> None:
    sets = TagSets()
    plan = make_plan(
        arrays(before, sets), listed(file), rules, sets, feed_bit=FEED, only_this_feed=by_feed, stated=STATED
    )

    after = rows_after(before, plan, sets)
    assert after == reference(before, file, rules, by_feed)
    assert plan.refused.tolist() == sorted(
        key for key in file if rules.listed[before.get(key, (Status.absent,))[0]] == REFUSE
    )


@pytest.mark.parametrize("rules", POLICIES, ids=lambda rules: rules.name)
@given(before=lists, file=uploads)
def test_counts_say_what_changed(rules: Policy, before: dict[int, Row], file: dict[int, Tags]) -> None:
    sets = TagSets()
    plan = make_plan(arrays(before, sets), listed(file), rules, sets, feed_bit=FEED, stated=STATED)
    after = reference(before, file, rules, by_feed=False)

    expected: Counter[str] = Counter()
    for key, (status, now, _) in after.items():
        old_status, old, _ = before.get(key, (Status.absent, (), 0))
        if status is not old_status:
            moved = {Status.suspended: "reactivated", Status.unsubscribed: "resubscribed"}.get(old_status, "opted_in")
            expected[moved if status is Status.opted_in else status.name] += 1
        expected["tags_added"] += len({*now} - {*old})
        expected["tags_removed"] += len({*old} - {*now})
        if key in file:
            blocked = old_status is status is Status.opted_out
            expected["blocked_opted_out"] += blocked
            on_list = status is not Status.absent
            expected["unchanged"] += on_list and not blocked and (status, now) == (old_status, old)
            expected["never_seen_before"] += key not in before
    counted = asdict(plan.changes)
    assert {name: n for name, n in counted.items() if n} == {name: n for name, n in expected.items() if n}


@pytest.mark.parametrize("rules", POLICIES, ids=lambda rules: rules.name)
def test_a_long_list_is_planned_part_by_part(rules: Policy, monkeypatch: pytest.MonkeyPatch) -> None:
    def planned(before: dict[int, Row], file: dict[int, Tags], at_once: int) -> object:
        monkeypatch.setattr(rows, "_AT_ONCE", at_once)
        sets = TagSets()
        plan = make_plan(arrays(before, sets), listed(file), rules, sets, feed_bit=FEED, stated=STATED)
        figures = (plan.opted_in_before, plan.tags_before, plan.members_left, plan.refused.tolist())
        keys = (plan.after.keys.tolist(), plan.is_event.tolist())
        return rows_after(before, plan, sets), keys, plan.changes, figures

    @given(before=lists, file=uploads)
    def same(before: dict[int, Row], file: dict[int, Tags]) -> None:
        assert planned(before, file, at_once=2) == planned(before, file, at_once=2**20)

    same()


@pytest.mark.parametrize("rules", policy.MODES.values(), ids=lambda rules: rules.name)
@given(before=lists, file=uploads)
def test_no_file_lifts_an_opt_out(rules: Policy, before: dict[int, Row], file: dict[int, Tags]) -> None:
    sets = TagSets()
    plan = make_plan(arrays(before, sets), listed(file), rules, sets, feed_bit=FEED)
    lifted = (plan.before.status == Status.opted_out) & (plan.after.status != Status.opted_out)
    assert not lifted.any()


@pytest.mark.parametrize("rules", policy.ACTIONS.values(), ids=lambda rules: rules.name)
@given(before=lists, file=uploads)
def test_only_one_action_lifts_unsubscribed_and_none_an_opt_out(
    rules: Policy, before: dict[int, Row], file: dict[int, Tags]
) -> None:
    sets = TagSets()
    plan = make_plan(arrays(before, sets), listed(file), rules, sets, stated=STATED)
    left = plan.before.status[plan.before.status != plan.after.status]
    may_leave = {Status.absent, Status.opted_in, Status.suspended}
    if rules is policy.ACTIONS["ResubscribeSubscribers"]:
        may_leave = {Status.unsubscribed}
    assert set(left.tolist()) <= may_leave


def test_members_left_are_those_opted_in_that_the_file_omits() -> None:
    sets = TagSets()
    before: dict[int, Row] = {
        1: (Status.opted_in, ("board",), 0),
        2: (Status.opted_in, ("board", "north"), 0),
        3: (Status.unsubscribed, ("board",), 0),
        4: (Status.opted_in, ("north",), 0),
    }
    replace_all = policy.ACTIONS["ReplaceAllSubscribers"]
    plan = make_plan(arrays(before, sets), listed({1: ("board",)}), replace_all, sets, stated=("board",))
    assert (plan.members_left, plan.opted_in_before) == (1, 2)
    assert {key: row[1] for key, row in rows_after(before, plan, sets).items()} == {
        1: ("board",),
        2: ("north",),
        3: (),
        4: ("north",),
    }


def test_attributes_of_touched_addresses_only() -> None:
    sets = TagSets()
    before: dict[int, Row] = {1: (Status.opted_in, (), 0), 2: (Status.opted_out, (), 0)}
    file: dict[int, Tags] = {1: (), 2: (), 3: ()}
    subscribe = policy.ACTIONS["AddOrUpdateSubscribers"]
    plan = make_plan(arrays(before, sets), listed(file), subscribe, sets, attrs=np.array([7, 8, 9], np.int32))
    assert dict(zip(plan.after.keys.tolist(), plan.after.attrs.tolist(), strict=True)) == {1: 7, 3: 9}
    assert plan.changes.attributes_changed == 2


@pytest.mark.parametrize("rules", policy.MODES.values(), ids=lambda rules: rules.name)
@given(before=lists, file=uploads)
def test_twice_is_once(rules: Policy, before: dict[int, Row], file: dict[int, Tags]) -> None:
    sets = TagSets()
    first = make_plan(arrays(before, sets), listed(file), rules, sets, feed_bit=FEED)
    again = make_plan(arrays(rows_after(before, first, sets), sets), listed(file), rules, sets, feed_bit=FEED)
    assert len(again.after) == 0


SAID = [rules for rules in POLICIES if rules.always_recorded or rules.recorded_once]


@pytest.mark.parametrize("rules", SAID, ids=lambda rules: rules.name)
@given(before=lists, file=uploads)
def test_what_is_said_is_recorded_even_where_nothing_changes(
    rules: Policy, before: dict[int, Row], file: dict[int, Tags]
) -> None:
    sets = TagSets()
    plan = make_plan(arrays(before, sets), listed(file), rules, sets)
    follows = {key: rules.listed[before.get(key, (Status.absent,))[0]] for key in file}
    said = {key for key, status in follows.items() if status not in (KEEP, REFUSE)}
    changed = {key for key, row in rows_after(before, plan, sets).items() if row[:2] != before.get(key, (0, ()))[:2]}
    on_record = {key for key in said - changed if rules.recorded_once and before[key][2] & CONFIRMED}
    assert plan.events[0].tolist() == sorted(said - on_record)


@pytest.mark.parametrize("rules", [rules for rules in POLICIES if rules.recorded_once], ids=lambda rules: rules.name)
@given(before=lists, file=uploads)
def test_what_is_recorded_once_is_not_recorded_twice(
    rules: Policy, before: dict[int, Row], file: dict[int, Tags]
) -> None:
    sets = TagSets()
    said = make_plan(arrays(before, sets), listed(file), rules, sets)
    again = make_plan(arrays(rows_after(before, said, sets), sets), listed(file), rules, sets)
    assert len(again.after) == 0


def test_whatever_a_person_decides_is_said() -> None:
    imports = policy.IMPORTS_OF_SUBSCRIBERS.values()
    by_people = [*policy.COMMANDS.values(), *imports, policy.KEYWORD_MESSAGE, policy.UNSUBSCRIBE]
    assert [rules.name for rules in by_people if not (rules.always_recorded or rules.recorded_once)] == []


def test_whatever_asks_for_an_opt_out_by_name_is_said_each_time() -> None:
    by_name = [policy.COMMANDS["opt_out"], policy.UNSUBSCRIBE, policy.ACTIONS["UnsubscribeSubscribers"]]
    assert [rules.name for rules in by_name if not rules.always_recorded] == []


def test_rows_to_write_are_sorted_by_key() -> None:
    sets = TagSets()
    before: dict[int, Row] = dict.fromkeys((2, 4, 6), (Status.opted_in, (), 0))
    plan = make_plan(arrays(before, sets), listed({1: (), 5: ()}), policy.HARD_OPT_OUT, sets)
    assert plan.after.keys.tolist() == [1, 2, 4, 5, 6]
    assert plan.opted_in_before == 3
