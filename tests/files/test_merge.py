"""The addresses of a file against a dictionary that does the same in six lines."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from alp_daemon.domain.tag_sets import TagSets
from alp_daemon.files.merge import distinct_pairs, merge
from alp_daemon.files.phonecells import REMOVE

near = st.integers(12_125_550_000, 12_125_550_009)
far = st.integers(1, 10**15 - 1)
removed = near.map(lambda key: key + REMOVE)
rows = st.lists(
    st.lists(st.tuples(st.one_of(near, near, far, removed), st.sampled_from("abc")), min_size=1, max_size=3),
    max_size=30,
)


@given(rows)
def test_merge_equals_a_dictionary(rows: list[list[tuple[int, str]]]) -> None:
    union: dict[int, set[str]] = {}
    rows_listed = 0
    for row in rows:
        rows_listed += any(key not in union for key, _ in row)
        for key, tag in row:
            union.setdefault(key, set()).add(tag)
    leaving = sorted(key - REMOVE for key in union if key >= REMOVE)
    staying = {key: tuple(sorted(tags)) for key, tags in union.items() if key < REMOVE and key not in leaving}

    tag_sets = TagSets()
    pairs = [pair for row in rows for pair in row]
    keys = np.array([key for key, _ in pairs], np.int64)
    sets = tag_sets.ids([(tag,) for _, tag in pairs])
    begins_row = np.array([place == 0 for row in rows for place in range(len(row))], np.bool_)
    merged = merge(keys, sets, begins_row, tag_sets)

    found = [merged.listed.sets[set_] for set_ in merged.listed.tag_set.tolist()]
    assert dict(zip(merged.listed.keys.tolist(), found, strict=True)) == staying
    assert merged.listed.keys.tolist() == sorted(staying)
    assert merged.removed.tolist() == leaving
    assert (merged.rows_listed, merged.numbers) == (rows_listed, len(staying) + len(leaving))


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3000)), min_size=1, max_size=40), st.booleans())
def test_distinct_pairs(pairs: list[tuple[int, int]], many: bool) -> None:
    left, right = (np.array(column, np.int32) for column in zip(*pairs, strict=True))
    rows, first, second = distinct_pairs(left, 10**6 if many else 6, right, 3001)
    assert [(int(first[row]), int(second[row])) for row in rows] == pairs
    assert len(first) == len(set(pairs))
