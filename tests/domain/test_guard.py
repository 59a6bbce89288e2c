"""The guard looks both ways, and is exact at its limits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from alp_daemon.domain.changes import Changes
from alp_daemon.domain.guard import Limits, check_file, check_plan, limits_for, not_waived
from alp_daemon.domain.model import Buckets, Evidence, ListState
from alp_daemon.domain.plan import Plan

SOFT, HARD = limits_for("soft_opt_out", {}), limits_for("hard_opt_out", {})
SOME_ROWS = Buckets(read=10, listed=10, numbers=10)


def plan(changes: Changes, *, opted_in: int = 0, tags: int = 0) -> Plan:
    nothing = ListState.empty()
    return Plan(0, nothing, nothing, np.empty(0, np.bool_), np.empty(0, np.int64), changes, opted_in, tags)


def codes(
    changes: Changes,
    limits: Limits = SOFT,
    *,
    opted_in: int = 0,
    tags: int = 0,
    buckets: Buckets = SOME_ROWS,
    **how: bool,
) -> list[str]:
    planned = plan(changes, opted_in=opted_in, tags=tags)
    return [reason.code for reason in check_plan(planned, buckets, limits, first_upload=how.get("first", False))]


def file_codes(buckets: Buckets, evidence: Evidence = Evidence.assumed, limits: Limits = SOFT) -> list[str]:
    return [reason.code for reason in check_file(buckets, evidence, "", limits)]


@pytest.mark.parametrize(
    ("limits", "opted_in", "omitted", "held"),
    [
        (SOFT, 1_000, 200, False),  # exactly a fifth
        (SOFT, 1_000, 201, True),
        (SOFT, 100, 100, False),  # all of a small list: the floor
        (SOFT, 101, 101, True),
        (SOFT, 505, 101, False),  # past the floor, and exactly at the share
        (SOFT, 504, 101, True),
        (HARD, 1_000, 100, False),
        (HARD, 1_000, 101, True),
        (HARD, 20, 20, False),
        (HARD, 21, 21, True),
        (replace(SOFT, max_omitted=0.29, floor=0), 100, 29, False),  # 0.29 * 100 is a little less than 29
        (replace(SOFT, max_omitted=0.29, floor=0), 100, 30, True),
        (replace(SOFT, max_omitted=0.0, floor=0), 100, 1, True),
        (replace(SOFT, max_omitted=1.0), 1_000, 1_000, False),
    ],
)
def test_omitted_needs_more_than_the_share_and_more_than_the_floor(
    limits: Limits, opted_in: int, omitted: int, held: bool
) -> None:
    assert codes(Changes(suspended=omitted), limits, opted_in=opted_in) == ["omitted"] * held
    assert codes(Changes(opted_out=omitted), limits, opted_in=opted_in) == ["omitted"] * held


def test_nobody_at_all_is_omitted_by_a_file_without_a_valid_row() -> None:
    empty = Buckets(read=3, rejected=3)
    assert codes(Changes(suspended=1), opted_in=1_000, buckets=empty) == ["no_valid_rows"]
    assert codes(Changes(opted_out=1), HARD, opted_in=1_000, buckets=empty) == ["no_valid_rows"]
    assert codes(Changes(), opted_in=1_000, buckets=empty) == []


@pytest.mark.parametrize(
    ("tags", "removed", "held"),
    [(200, 100, False), (100, 100, False), (101, 101, True), (202, 101, False), (201, 101, True)],
)
def test_tags_removed(tags: int, removed: int, held: bool) -> None:
    assert codes(Changes(tags_removed=removed), tags=tags) == ["tags_removed"] * held


@pytest.mark.parametrize(
    ("opted_in", "new", "held"), [(0, 1_000, False), (0, 1_001, True), (1_001, 1_001, False), (1_000, 1_001, True)]
)
def test_another_customers_file(opted_in: int, new: int, held: bool) -> None:
    added = Changes(opted_in=new - 1, reactivated=1)
    assert codes(added, opted_in=opted_in) == ["new"] * held
    assert codes(added, opted_in=opted_in, first=True) == []


@pytest.mark.parametrize(
    ("buckets", "held"),
    [
        (Buckets(read=10, rejected=5, listed=5), False),
        (Buckets(read=10, rejected=6, listed=4), True),
        (Buckets(read=20, rejected=6, listed=4, blank=10), True),  # blank rows do not make a file better
        (Buckets(read=5, blank=5), False),
        (Buckets(), False),
    ],
)
def test_rejected_rows(buckets: Buckets, held: bool) -> None:
    assert file_codes(buckets) == ["rejected"] * held


@pytest.mark.parametrize(("rows", "held"), [(99, True), (100, False)])
def test_min_rows(rows: int, held: bool) -> None:
    assert file_codes(Buckets(read=rows, listed=rows), limits=replace(SOFT, min_rows=100)) == ["too_few_rows"] * held


@pytest.mark.parametrize(
    ("evidence", "completeness", "code"),
    [
        (Evidence.cut, Evidence.assumed, ["cut"]),
        (Evidence.cut, Evidence.proven, ["cut"]),
        (Evidence.assumed, Evidence.assumed, []),
        (Evidence.assumed, Evidence.proven, ["not_proven"]),
        (Evidence.proven, Evidence.proven, []),
    ],
)
def test_evidence(evidence: Evidence, completeness: Evidence, code: list[str]) -> None:
    assert file_codes(SOME_ROWS, evidence, replace(SOFT, completeness=completeness)) == code


def test_a_sentence_names_figures_and_limit() -> None:
    (reason,) = check_plan(plan(Changes(opted_out=3_000), opted_in=12_000), SOME_ROWS, HARD, first_upload=False)
    assert reason.message == "it would opt out 3,000 of 12,000 opted-in numbers (25.0%; the limit is 10%)"
    (reason,) = check_file(SOME_ROWS, Evidence.cut, "the client hung up", SOFT)
    assert reason.message == "the upload may be cut short: the client hung up"


def test_a_feed_overrides_only_what_it_names() -> None:
    given = {"max_omitted": 0.5, "floor": None, "completeness": Evidence.proven}
    assert limits_for("hard_opt_out", given) == replace(HARD, max_omitted=0.5, completeness=Evidence.proven)
    assert (HARD.max_omitted, HARD.floor) == (0.10, 20)
    assert (SOFT.max_omitted, SOFT.floor) == (0.20, 100)


@pytest.mark.parametrize(("count", "left"), [(100, 0), (105, 0), (106, 1)])
def test_a_waiver_covers_what_was_shown_and_five_percent(count: int, left: int) -> None:
    (shown,) = check_plan(plan(Changes(suspended=101), opted_in=101), SOME_ROWS, SOFT, first_upload=False)
    assert len(not_waived([replace(shown, count=count)], {"omitted": 100})) == left


def test_a_waiver_covers_no_other_reason() -> None:
    (shown,) = check_file(SOME_ROWS, Evidence.cut, "", SOFT)
    assert not_waived([shown], {"omitted": 100}) == [shown]
    assert not_waived([shown], {"cut": 0}) == []
