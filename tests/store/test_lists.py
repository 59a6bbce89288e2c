"""A list's state goes into arrays and comes back; its past cannot be changed unseen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from alp_daemon.domain import policy
from alp_daemon.domain.model import Listed, ListState, Status, Tags
from alp_daemon.domain.plan import make_plan
from alp_daemon.domain.policy import Policy
from alp_daemon.errors import Refused
from alp_daemon.store import bulk, lists
from alp_daemon.store.lists import Change, ListHead
from alp_daemon.store.store import Store, Transaction, open_store
from tests import databases
from tests.services.provider import NOW


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(databases.of(tmp_path))


def change(note: str = "") -> Change:
    return Change("2026-11-21T06:00:00.000000Z", "Ann", "file", "cli", upload=1, note=note)


def apply(
    transaction: Transaction, rows: dict[int, Tags], rules: Policy = policy.APPEND, *, feed_bit: int = 0, note: str = ""
) -> ListHead:
    """What a service does, in short: read, plan, write."""
    head = lists.create_list(transaction, "acme", NOW)
    sets = lists.read_tag_sets(transaction, head)
    keys = np.array(sorted(rows), np.int64)
    listed = Listed(keys, np.arange(len(keys), dtype=np.int32), [rows[key] for key in keys.tolist()])
    plan = make_plan(lists.read_state(transaction, head), listed, rules, sets, feed_bit=feed_bit)
    return lists.write_plan(transaction, head, plan, sets, change(note))


def read(store: Store, keys: list[int] | None = None) -> ListState:
    with store.read() as transaction:
        head = lists.open_list(transaction, "acme")
        return lists.read_state(transaction, head, None if keys is None else np.array(keys, np.int64))


class TestState:
    def test_what_is_written_is_read(self, store: Store) -> None:
        with store.write() as transaction:
            apply(transaction, {5: ("b", "c"), 1: (), 9: ("b", "c")}, feed_bit=4)
            sets = lists.read_tag_sets(transaction, lists.open_list(transaction, "acme"))
        state = read(store)
        assert state.version == 1
        assert state.keys.tolist() == [1, 5, 9]
        assert [Status(code) for code in state.status] == [Status.opted_in] * 3
        assert [sets[code] for code in state.tag_set.tolist()] == [(), ("b", "c"), ("b", "c")]
        assert state.feeds.tolist() == [4, 4, 4]

    def test_some_rows_of_it(self, store: Store) -> None:
        with store.write() as transaction:
            apply(transaction, dict.fromkeys(range(1, 3_000), ()))
        assert read(store, [2, 4_000]).keys.tolist() == [2]
        assert len(read(store, list(range(1, 3_000)))) == 2_999
        assert len(read(store, [])) == 0

    def test_more_rows_than_are_read_at_once(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(bulk, "_ROWS_PER_READ", 7)
        with store.write() as transaction:
            apply(transaction, dict.fromkeys(range(1, 51), ()))
        assert read(store).keys.tolist() == list(range(1, 51))

    @pytest.mark.parametrize("count", [1, 6, 7, 8, 21, 24])
    def test_some_rows_are_written_together_and_the_rest_one_by_one(
        self, store: Store, monkeypatch: pytest.MonkeyPatch, count: int
    ) -> None:
        monkeypatch.setattr(bulk, "_ROWS_PER_INSERT", 7)
        sets: list[Tags] = [("a",), ("a", "b"), ()]
        rows = {key: sets[key % 3] for key in range(1, count + 1)}
        with store.write() as transaction:
            apply(transaction, rows)
            apply(transaction, dict.fromkeys(rows, ("c",)))
            known = lists.read_tag_sets(transaction, lists.open_list(transaction, "acme"))
            events = transaction.read_events(1, 2)
        state = read(store)
        assert {key: known[code] for key, code in zip(state.keys.tolist(), state.tag_set.tolist(), strict=True)} == {
            key: (*tags, "c") for key, tags in rows.items()
        }
        assert events[0].tolist() == list(rows)
        assert [known[code] for code in events[3].tolist()] == list(rows.values())

    def test_a_list_that_does_not_exist_is_empty(self, store: Store) -> None:
        assert len(read(store)) == 0

    def test_numbers_of_fifteen_digits_and_all_feeds(self, store: Store) -> None:
        with store.write() as transaction:
            apply(transaction, {999_999_999_999_999: ()}, feed_bit=1 << 62)
        state = read(store)
        assert (state.keys.tolist(), state.feeds.tolist()) == ([999_999_999_999_999], [1 << 62])


class TestVersions:
    def test_each_change_is_one_more(self, store: Store) -> None:
        with store.write() as transaction:
            assert apply(transaction, {1: ()}).version == 1
            assert apply(transaction, {2: ()}).version == 2

    def test_what_changes_nothing_is_none(self, store: Store) -> None:
        with store.write() as transaction:
            apply(transaction, {1: ("a", "b")})
            assert apply(transaction, {1: ("b",)}).version == 1
            assert transaction.all("tag_sets.all", list=1) == [{"id": 1, "tags": "a;b"}]

    def test_a_feeds_bit_alone_is_none_but_is_kept(self, store: Store) -> None:
        with store.write() as transaction:
            apply(transaction, {1: ()}, feed_bit=1)
            assert apply(transaction, {1: ()}, feed_bit=2).version == 1
        assert read(store).feeds.tolist() == [3]


class TestFeedBits:
    def test_each_feed_gets_one_for_good(self, store: Store) -> None:
        with store.write() as transaction:
            assert lists.feed_bit(transaction, None, "members") == 1
            head = lists.create_list(transaction, "acme", NOW)
            assert lists.feed_bit(transaction, head, "members") == 1
            assert lists.feed_bit(transaction, head, "staff") == 1, "nobody has kept it yet"
            assert lists.keep_feed_bit(transaction, head, "members") == 1
            assert lists.keep_feed_bit(transaction, head, "staff") == 2
            assert lists.keep_feed_bit(transaction, head, "members") == 1

    def test_there_are_63_of_them(self, store: Store) -> None:
        with store.write() as transaction:
            head = lists.create_list(transaction, "acme", NOW)
            masks = [lists.keep_feed_bit(transaction, head, f"feed{i}") for i in range(63)]
            assert masks == [1 << bit for bit in range(63)]
            with pytest.raises(Refused, match="can tell 63 feeds apart"):
                lists.keep_feed_bit(transaction, head, "one more")


def broken(transaction: Transaction) -> int | None:
    head = lists.open_list(transaction, "acme")
    assert head is not None
    return lists.first_broken_change(transaction, head)


class TestDigest:
    @pytest.fixture
    def past(self, store: Store) -> Store:
        with store.write() as transaction:
            apply(transaction, {1: ("a",), 2: ()})
            apply(transaction, {2: ("b",), 3: ()}, policy.HARD_OPT_OUT, note="second")
            apply(transaction, {1: ()}, policy.COMMANDS["opt_out"])
        return store

    def test_follows_from_the_events(self, past: Store) -> None:
        with past.read() as transaction:
            assert broken(transaction) is None

    @pytest.mark.parametrize(
        ("version", "tampering"),
        [
            (2, "UPDATE events SET status_after = 1 WHERE version = 2 AND key = 1"),
            (1, "UPDATE events SET tags_after = 0 WHERE version = 1 AND key = 1"),
            (1, "DELETE FROM events WHERE version = 1 AND key = 2"),
            (
                1,
                "INSERT INTO events (list, version, key, status_before, status_after, tags_before, tags_after)"
                " VALUES (1, 1, 7, 0, 1, 0, 0)",
            ),
            (2, "UPDATE changes SET actor = 'Bob' WHERE version = 2"),
            (1, "UPDATE changes SET at = '2020' WHERE version = 1"),
            (2, "UPDATE changes SET note = '' WHERE version = 2"),
            (3, "DELETE FROM changes WHERE version = 3"),
        ],
    )
    def test_tampering_shows(self, past: Store, version: int, tampering: str) -> None:
        with past.write() as transaction:
            assert transaction._connection.execute(tampering).rowcount == 1
        with past.read() as transaction:
            assert broken(transaction) == version
