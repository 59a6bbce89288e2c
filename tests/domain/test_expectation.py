"""Slots come in order, each file counts for one of them, and a clock that is put forward or back loses none."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alp_daemon.domain.expectation import LONGEST_GRACE, Every, Expectation, due_slot, opening

NEW_YORK = ZoneInfo("America/New_York")
SIX = time(6)

clocks = st.times().map(lambda each: each.replace(second=0, microsecond=0, tzinfo=None))
zones = st.sampled_from(
    ["UTC", "America/New_York", "Europe/London", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Auckland"]
).map(ZoneInfo)
moments = st.integers(0, 15 * 365 * 24 * 60).map(
    lambda minutes: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)


@st.composite
def expectations(draw: st.DrawFn) -> Expectation:
    every = draw(st.sampled_from(Every))
    day = draw({Every.week: st.integers(0, 6), Every.month: st.integers(1, 31)}.get(every, st.just(0)))
    grace = draw(st.timedeltas(timedelta(0), LONGEST_GRACE[every]))
    return Expectation(every, draw(clocks), grace, day)


def is_due(expect: Expectation, day: date) -> bool:
    """The rule said again: of a month the named day, or the last of one that has fewer."""
    last = (day + timedelta(days=1)).month != day.month
    return {
        Every.day: True,
        Every.weekday: day.isoweekday() <= 5,
        Every.week: day.isoweekday() == expect.day + 1,
        Every.month: day.day == expect.day or (last and expect.day > day.day),
    }[expect.every]


def all_slots(expect: Expectation, zone: tzinfo, around: datetime) -> list[datetime]:
    """Every slot of the ten weeks before and the six after, by going through their days."""
    days = [around.date() + timedelta(days=each) for each in range(-70, 40)]
    return [datetime.combine(day, expect.by, zone).astimezone(UTC) for day in days if is_due(expect, day)]


@given(expectations(), zones, moments)
def test_the_slot_is_the_newest_whose_grace_is_over(expect: Expectation, zone: tzinfo, now: datetime) -> None:
    passed = [slot for slot in all_slots(expect, zone, now) if slot + expect.grace <= now]
    assert due_slot(expect, zone, now) == max(passed)


@given(expectations(), zones, moments)
def test_a_file_within_the_grace_counts_for_no_other_slot(expect: Expectation, zone: tzinfo, now: datetime) -> None:
    slot = due_slot(expect, zone, now)
    later = next(each for each in all_slots(expect, zone, now) if each > slot)
    assert opening(expect, zone, slot) < slot
    assert slot + expect.grace < opening(expect, zone, later) < later


@given(expectations(), zones, moments, st.timedeltas(timedelta(0), timedelta(days=40)))
def test_time_only_goes_on(expect: Expectation, zone: tzinfo, now: datetime, later: timedelta) -> None:
    assert due_slot(expect, zone, now) <= due_slot(expect, zone, now + later)


def test_a_time_that_the_clock_skips_is_an_hour_later() -> None:
    expect = Expectation(Every.day, time(2, 30), timedelta(0))
    slot = due_slot(expect, NEW_YORK, datetime(2026, 3, 8, 12, tzinfo=UTC))
    assert slot.astimezone(NEW_YORK).isoformat() == "2026-03-08T03:30:00-04:00"


def test_of_a_time_that_the_clock_shows_twice_the_first_counts() -> None:
    expect = Expectation(Every.day, time(1, 30), timedelta(0))
    slot = due_slot(expect, NEW_YORK, datetime(2026, 11, 1, 12, tzinfo=UTC))
    assert slot.astimezone(NEW_YORK).isoformat() == "2026-11-01T01:30:00-04:00"


@pytest.mark.parametrize(
    ("expect", "now", "slot"),
    [
        (Expectation(Every.day, SIX, timedelta(hours=2)), "2026-11-24T07:59", "2026-11-23T06:00"),
        (Expectation(Every.day, SIX, timedelta(hours=2)), "2026-11-24T08:00", "2026-11-24T06:00"),
        (Expectation(Every.weekday, SIX, timedelta(0)), "2026-11-22T12:00", "2026-11-20T06:00"),  # a Sunday
        (Expectation(Every.week, SIX, timedelta(0), 1), "2026-11-22T12:00", "2026-11-17T06:00"),
        (Expectation(Every.month, SIX, timedelta(0), 31), "2026-11-22T12:00", "2026-10-31T06:00"),
        (Expectation(Every.month, SIX, timedelta(0), 31), "2026-12-01T00:00", "2026-11-30T06:00"),
    ],
)
def test_examples(expect: Expectation, now: str, slot: str) -> None:
    utc = UTC
    assert due_slot(expect, utc, datetime.fromisoformat(f"{now}+00:00")) == datetime.fromisoformat(f"{slot}+00:00")


def test_a_file_sent_the_evening_before_is_for_the_morning() -> None:
    expect = Expectation(Every.day, SIX, timedelta(0))
    assert opening(expect, UTC, datetime(2026, 11, 24, 6, tzinfo=UTC)) == datetime(2026, 11, 23, 18, tzinfo=UTC)
