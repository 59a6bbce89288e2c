"""The lockout rule at its edges."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alp_daemon.domain.lockout import LockoutLimits, blocked_until, normalise

START = datetime(2026, 11, 21, 6, 0, tzinfo=UTC)
LIMITS = LockoutLimits()
MINUTES = timedelta(minutes=1)
MOMENT = timedelta(milliseconds=1)


def after(*spans: timedelta) -> list[datetime]:
    return [START + span for span in spans]


def test_three_failures_do_not_block() -> None:
    assert blocked_until(after(0 * MINUTES, 1 * MINUTES, 2 * MINUTES), LIMITS) is None


def test_the_fourth_failure_blocks_for_an_hour_from_itself() -> None:
    failures = after(0 * MINUTES, 1 * MINUTES, 2 * MINUTES, 3 * MINUTES)
    assert blocked_until(failures, LIMITS) == START + 63 * MINUTES


@pytest.mark.parametrize(
    ("span", "blocks"), [(20 * MINUTES - MOMENT, True), (20 * MINUTES, False), (20 * MINUTES + MOMENT, False)]
)
def test_the_window_ends_where_twenty_minutes_are_full(span: timedelta, blocks: bool) -> None:
    failures = after(0 * MINUTES, 1 * MINUTES, 2 * MINUTES, span)
    assert (blocked_until(failures, LIMITS) is not None) is blocks


@given(
    st.lists(st.integers(0, 7200), min_size=1, max_size=12),
    st.integers(1, 6),
    st.integers(1, 3600),
)
def test_it_blocks_if_and_only_if_enough_failures_fit_into_one_window(
    seconds: list[int], failures: int, window: int
) -> None:
    limits = LockoutLimits(failures, timedelta(seconds=window), timedelta(hours=1))
    times = [START + timedelta(seconds=s) for s in sorted(seconds)]
    last_ones = times[-failures:]
    enough = len(last_ones) == failures and last_ones[-1] - last_ones[0] < limits.window
    assert blocked_until(times, limits) == (times[-1] + limits.block if enough else None)


@pytest.mark.parametrize(
    ("ip", "address"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::/64", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
    ],
)
def test_what_counts_as_one_address(ip: str, address: str) -> None:
    assert normalise(ip) == address
    assert normalise(address) == address


def test_what_is_no_address() -> None:
    with pytest.raises(ValueError, match="acme"):
        normalise("acme")
