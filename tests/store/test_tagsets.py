"""The few tag sets that a command for one number needs are the ones that all of them would give."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alp_daemon.domain.model import Tags
from alp_daemon.store import lists, tagsets
from alp_daemon.store.lists import ListHead
from alp_daemon.store.sql import queries
from alp_daemon.store.store import Store, open_store
from tests import databases

tag = st.sampled_from("abcde")
tags = st.sets(tag).map(lambda found: tuple(sorted(found)))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A list that knows every second of the sets of five tags."""
    store = open_store(databases.of(tmp_path_factory.mktemp("store")))
    known = [tuple(each for bit, each in enumerate("abcde") if mask >> bit & 1) for mask in range(1, 32, 2)]
    with store.write() as transaction:
        transaction.run("lists.add", customer="acme", now="")
        rows = [{"list": 1, "id": id_, "tags": tagsets.written(each)} for id_, each in enumerate(known, start=1)]
        transaction.many("tag_sets.add", rows)
    databases.keep()
    return store


@given(own=st.integers(0, 16), given_=tags)
def test_sets_have_the_ids_that_they_would_have_among_all(store: Store, own: int, given_: Tags) -> None:
    with store.read() as transaction:
        head = lists.open_list(transaction, "acme")
        assert isinstance(head, ListHead)
        every, few = lists.read_tag_sets(transaction, head), tagsets.around(transaction, head.id, [(own, given_)])
    current = every[own]
    for wanted in (given_, tuple(sorted({*current, *given_})), tuple(each for each in current if each not in given_)):
        assert few.intern(wanted) == every.intern(wanted)
    assert few.take_new() == every.take_new()


@databases.sqlite_only
def test_texts_are_looked_up_and_not_searched_for(store: Store) -> None:
    """A list may have a hundred thousand sets, and each command asks."""
    with store.read() as transaction:
        values = {"list": 1, "texts": '["a"]'}
        statement = queries("sqlite")["tag_sets.of_tags"]
        plan = transaction._connection.execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()
    assert any("(list=? AND tags=?)" in step[3] for step in plan)
