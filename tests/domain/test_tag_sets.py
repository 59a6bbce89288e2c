"""Unions of sets by number against Python's own sets."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from alp_daemon.domain.model import Tags
from alp_daemon.domain.tag_sets import TagSets

tags = st.frozensets(st.sampled_from("abcdef")).map(lambda found: tuple(sorted(found)))
columns = st.lists(st.tuples(tags, tags), max_size=20)


@given(st.lists(columns, max_size=4))
def test_unions_are_those_of_the_sets_however_often_they_are_asked_for(blocks: list[list[tuple[Tags, Tags]]]) -> None:
    sets = TagSets()
    for pairs in blocks:
        united = sets.union(sets.ids([left for left, _ in pairs]), sets.ids([right for _, right in pairs]))
        assert [set(sets[id_]) for id_ in united.tolist()] == [{*left, *right} for left, right in pairs]


def test_a_union_that_is_known_is_no_new_set() -> None:
    sets = TagSets([(1, ("a",)), (2, ("b",)), (3, ("a", "b"))])
    left, right = sets.ids([("a",)]), sets.ids([("b",)])
    assert sets.union(left, right).tolist() == [3]
    assert sets.take_new() == []
