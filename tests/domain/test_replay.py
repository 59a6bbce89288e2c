"""The replay of events is a dictionary that takes them one by one."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alp_daemon.domain import replay
from alp_daemon.domain.model import ListState
from alp_daemon.domain.replay import Break, Replay, compare

Standing = tuple[int, int, int]
"""Status, tag set and attrs."""

ABSENT: Standing = (0, 0, 0)
standings = st.tuples(st.integers(0, 4), st.integers(0, 3), st.integers(0, 2))
stories = st.lists(st.dictionaries(st.integers(1, 9), standings, min_size=1, max_size=5), max_size=12)


def events(stood: dict[int, Standing], change: dict[int, Standing]) -> list[np.ndarray]:
    rows = [
        (key, *(value for pair in zip(stood.get(key, ABSENT), change[key], strict=True) for value in pair))
        for key in sorted(change)
    ]
    return list(np.array(rows, np.int64).T)


def as_dict(state: ListState) -> dict[int, Standing]:
    columns = (state.keys, state.status, state.tag_set, state.attrs)
    return {key: tuple(rest) for key, *rest in zip(*(column.tolist() for column in columns), strict=True)}


@pytest.fixture(autouse=True, params=[1, 4, 2**20])
def events_at_once(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folding after each change, now and then, and once must come to the same."""
    monkeypatch.setattr(replay, "_AT_ONCE", request.param)


class TestReplay:
    @given(stories)
    def test_it_is_the_dictionary(self, story: list[dict[int, Standing]]) -> None:
        found, stood, first_seen = Replay(), dict[int, Standing](), Counter[int]()
        for version, change in enumerate(story, 1):
            found.add(version, events(stood, change))
            first_seen[version] = sum(key not in stood and status != 0 for key, (status, _, _) in change.items())
            stood |= change
        assert as_dict(found.state()) == stood
        assert [found.first_seen(version) for version in first_seen] == list(first_seen.values())
        assert found.broken is None

    @given(stories.filter(bool), st.data())
    def test_an_event_that_begins_elsewhere_is_found(
        self, story: list[dict[int, Standing]], data: st.DataObject
    ) -> None:
        wrong = data.draw(st.integers(1, len(story)))
        column = data.draw(st.sampled_from([1, 3, 5]))
        found, stood = Replay(), dict[int, Standing]()
        for version, change in enumerate(story, 1):
            columns = events(stood, change)
            if version == wrong:
                columns[column][-1] += 1
            found.add(version, columns)
            stood |= change
        found.state()
        assert found.broken == Break(wrong, max(story[wrong - 1]))


@given(st.dictionaries(st.integers(1, 9), standings), st.dictionaries(st.integers(1, 9), standings))
def test_two_lists_differ_where_they_differ(one: dict[int, Standing], other: dict[int, Standing]) -> None:
    states = []
    for rows in (one, other):
        made = Replay()
        if rows:
            made.add(1, events({}, rows))
        states.append(made.state())
    differing = {key for key in {*one, *other} if one.get(key) != other.get(key)}
    expected = Break(0, min(differing)) if differing else None
    assert compare(*states) == expected
