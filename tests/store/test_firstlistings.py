"""Which addresses an upload was the first of its feed to list: kept small, and read as it was."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from alp_daemon.domain import policy
from alp_daemon.domain.model import Listed
from alp_daemon.domain.plan import make_plan
from alp_daemon.store import firstlistings, lists
from alp_daemon.store.lists import Change
from alp_daemon.store.store import Store, open_store
from tests import databases
from tests.services.provider import NOW

ONE, OTHER = 1, 2


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(databases.of(tmp_path))
    yield store
    store.close()


def apply(store: Store, upload: int, feed_bit: int, *keys: int) -> list[int]:
    """What is kept of a file of these keys."""
    with store.write() as transaction:
        head = lists.create_list(transaction, "acme", NOW)
        sets = lists.read_tag_sets(transaction, head)
        listed = Listed(np.array(keys, np.int64), np.zeros(len(keys), np.int32), [()])
        plan = make_plan(lists.read_state(transaction, head), listed, policy.APPEND, sets, feed_bit=feed_bit)
        lists.write_plan(transaction, head, plan, sets, Change("", "Ann", "file", "cli", upload=upload))
        return firstlistings.of_upload(transaction, head.id, upload).tolist()


def test_who_comes_by_an_upload_is_in_its_events(store: Store) -> None:
    assert apply(store, 1, ONE, 5, 7) == []


def test_who_was_there_and_is_new_to_the_feed_is_kept_once(store: Store) -> None:
    apply(store, 1, ONE, 5, 7)
    assert apply(store, 2, OTHER, 5, 6, 7) == [5, 7]
    assert apply(store, 3, OTHER, 5, 6, 7) == []
    with store.write() as transaction:
        assert [(upload, keys.tolist()) for upload, keys in firstlistings.of_list(transaction, 1)] == [(2, [5, 7])]
        firstlistings.forget(transaction, 1, 2)
        assert len(firstlistings.of_upload(transaction, 1, 2)) == 0


def test_an_upload_can_take_over_those_of_another(store: Store) -> None:
    apply(store, 1, ONE, 5, 7, 9)
    apply(store, 2, OTHER, 7)
    with store.write() as transaction:
        for keys in ([5, 7], [], [9]):
            firstlistings.add(transaction, 1, 2, np.array(keys, np.int64))
        firstlistings.add(transaction, 1, 3, np.array([], np.int64))
        assert [(upload, keys.tolist()) for upload, keys in firstlistings.of_list(transaction, 1)] == [(2, [5, 7, 9])]


@given(st.sets(st.integers(1, 10**15 - 1), min_size=1))
@example({1})
@example({10**10, 10**10 + 255, 10**10 + 256})
@example({10**10, 10**10 + 256})
@example({1, 10**15 - 1})
def test_what_is_packed_is_unpacked(keys: set[int]) -> None:
    packed = firstlistings._packed(np.array(sorted(keys), np.int64))
    assert firstlistings._unpacked(packed).tolist() == sorted(keys)
