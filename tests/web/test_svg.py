"""Charts: what is drawn is what the figures say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alp_daemon.channels.web.svg import HEIGHT, WIDTH, Point, bars, steps

START = datetime(2026, 11, 1, tzinfo=UTC)


@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.integers(0, 10**7)), max_size=30))
def test_bars_are_as_high_as_their_figures_and_stay_within(stacks: list[dict[str, int]]) -> None:
    chart = bars(stacks, [str(i) for i in range(len(stacks))])
    assert len(chart.parts) == sum(map(len, stacks))
    values = [value for stack in stacks for value in stack.values()]
    for part, value in zip(chart.parts, values, strict=True):
        assert 0 <= part.x <= part.x + part.width <= WIDTH
        assert 0 <= part.y <= part.y + part.height <= HEIGHT
        assert value or not part.height
    highest = max((sum(stack.values()) for stack in stacks), default=0)
    assert int(chart.y_marks[-1].text.replace(",", "")) >= highest


@pytest.mark.parametrize(
    ("highest", "marks"), [(0, ["0", "1"]), (1, ["0", "1"]), (3, ["0", "2", "4"]), (719, ["0", "500", "1,000"])]
)
def test_the_axis_has_round_figures(highest: int, marks: list[str]) -> None:
    assert [mark.text for mark in bars([{"a": highest}], ["x"]).y_marks] == marks


def test_a_label_is_written_now_and_then() -> None:
    assert [mark.text for mark in bars([{}] * 6, list("abcdef"), every=3).x_marks] == ["a", "d"]


def test_the_line_stays_until_the_next_change_and_files_are_dots() -> None:
    points = [
        Point(START, 100, "/1"),
        Point(START + timedelta(days=1), 50),
        Point(START + timedelta(days=2), 100, "/2"),
    ]
    chart = steps(points, START + timedelta(days=4))
    assert [dot.point.link for dot in chart.dots] == ["/1", "/2"]
    first, last = chart.dots
    assert first.y == last.y
    assert last.x - first.x == pytest.approx((WIDTH - 8 - first.x) / 2, abs=0.2)
    assert chart.path.startswith(f"M{first.x},{first.y}H")
    assert chart.path.endswith(f"V{last.y}H{WIDTH - 8:.1f}")


def test_one_moment_alone_can_be_drawn() -> None:
    assert steps([Point(START, 0, "/1")], START).dots[0].x == steps([Point(START, 5, "/1")], START).dots[0].x
