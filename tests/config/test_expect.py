"""By when a file is expected, as customers' files say it, and what is said of a slip."""

from __future__ import annotations

from datetime import time, timedelta

import pytest

from alp_daemon.customers import load_file
from alp_daemon.domain.expectation import Every, Expectation
from alp_daemon.errors import ConfigurationError


def customer(expect: str, timezone: str = "UTC") -> str:
    return (
        f"name: A\nkeyword: ACME\ntimezone: {timezone}\n"
        f"feeds:\n  f: {{match: x, mode: append, phones: [P], expect: {expect}}}\n"
    )


@pytest.mark.parametrize(
    ("expect", "means"),
    [
        ("{every: day, by: '06:00'}", Expectation(Every.day, time(6), timedelta(0))),
        ("{every: day, by: 06:00, grace: 2h}", Expectation(Every.day, time(6), timedelta(hours=2))),
        ("{every: weekday, by: 23:59, grace: 11h}", Expectation(Every.weekday, time(23, 59), timedelta(hours=11))),
        ("{every: week, day: monday, by: 06:00}", Expectation(Every.week, time(6), timedelta(0), 0)),
        ("{every: week, day: sunday, by: 06:00}", Expectation(Every.week, time(6), timedelta(0), 6)),
        ("{every: month, day: 31, by: 00:00}", Expectation(Every.month, time(0), timedelta(0), 31)),
    ],
)
def test_what_it_means(write, expect, means):
    found = load_file(write("acme.yaml", customer(expect, "America/New_York")))
    assert found.timezone == "America/New_York"
    expected = found.feeds["f"].expect
    assert expected is not None
    assert expected.expectation() == means


def test_nothing_is_expected_of_who_says_nothing(write):
    found = load_file(write("acme.yaml", "name: A\nkeyword: ACME\nfeeds: {f: {match: x, mode: append, phones: [P]}}\n"))
    assert (found.timezone, found.feeds["f"].expect) == ("UTC", None)


@pytest.mark.parametrize(
    ("expect", "said"),
    [
        ("{every: day}", 'missing key "by"'),
        ("{by: 06:00}", 'missing key "every"'),
        ("{every: hour, by: 06:00}", "every: no such choice; expected one of: day, weekday, week, month"),
        *(
            (f"{{every: day, by: '{by}'}}", 'by: expected a time of the day such as "06:00"')
            for by in ("6:00", "24:00", "06:60", "0600", "6 am", "-1:00", "٠٦:٠٠", "06:00:00")
        ),
        ("{every: day, by: 06:00, grace: -2h}", "grace: expected a duration such as 30s, 20m, 2h or 30d"),
        ("{every: day, by: 06:00, grace: 12h}", "grace: expected at most 11h with every: day"),
        ("{every: week, day: monday, by: 06:00, grace: 4d}", "grace: expected at most 3d with every: week"),
        ("{every: week, by: 06:00}", "every: week needs a day, from monday to sunday"),
        ("{every: week, day: 1, by: 06:00}", "day: every: week needs a day, from monday to sunday"),
        ("{every: month, day: 32, by: 06:00}", "day: every: month needs a day, from 1 to 31"),
        ("{every: day, day: monday, by: 06:00}", "day: goes with every: week and every: month only"),
    ],
)
def test_what_is_said_of_a_slip(write, expect, said):
    with pytest.raises(ConfigurationError) as caught:
        load_file(write("acme.yaml", customer(expect)))
    assert said in str(caught.value)


@pytest.mark.parametrize("zone", ["New York", "America", "../etc/passwd", "/etc/localtime", "EST5PDT7", "''"])
def test_a_time_zone_that_is_none(write, zone):
    with pytest.raises(ConfigurationError, match=r"timezone: no time zone .* is known here; expected a name such as"):
        load_file(write("acme.yaml", customer("{every: day, by: 06:00}", zone)))
