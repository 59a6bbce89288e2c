"""The snapshot of a list is the list, whatever is written, by whom, and however it ends."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from alp_daemon.domain import policy
from alp_daemon.domain.model import Listed, ListState
from alp_daemon.domain.plan import make_plan
from alp_daemon.domain.policy import Policy
from alp_daemon.store import lists, snapshot, sqlite
from alp_daemon.store.lists import Change
from alp_daemon.store.rows import columns, packed, unpacked
from alp_daemon.store.sql import migrations
from alp_daemon.store.sqlite import SqliteStore as Store
from alp_daemon.store.store import Transaction, open_store
from tests.databases import sqlite_only
from tests.services.provider import NOW

pytestmark = sqlite_only
ACME = 1
CHANGE = Change("2026-11-21T06:00:00.000000Z", "Ann", "file", "cli")
BY_HAND = [
    "UPDATE addresses SET status = 3 WHERE key = :key",
    "UPDATE addresses SET key = :key + 1000 WHERE key = :key",
    "UPDATE OR REPLACE addresses SET list = 2",
    "UPDATE OR REPLACE addresses SET list = 1",
    "INSERT OR ABORT INTO addresses (list, key, status, tag_set) VALUES (1, :key + 500, 1, 0)",
    "INSERT OR REPLACE INTO addresses (list, key, status, tag_set) VALUES (1, :key, 2, 0)",
    "DELETE FROM addresses WHERE key = :key",
    "DELETE FROM addresses WHERE key > :key",
    "DELETE FROM snapshot_segments WHERE list = 1",
]
POLICIES = [policy.APPEND, policy.APPEND_TAGS, policy.HARD_OPT_OUT, *policy.COMMANDS.values()]


@contextmanager
def sizes(*, segment: int, stale: int) -> Iterator[None]:
    """Segments of so few rows, renewed at so few stale ones, that a small list has all there is of both."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(snapshot, "SEGMENT_ROWS", segment)
        patch.setattr(snapshot, "FEW_STALE", stale)
        yield


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with sizes(segment=10, stale=5):
        yield open_store(tmp_path / "alp.db")


def write(transaction: Transaction, keys: list[int], rules: Policy = policy.APPEND, *, feed_bit: int = 1) -> None:
    """What a service does, in short: read, plan, write."""
    head = lists.create_list(transaction, "acme", NOW)
    sets = lists.read_tag_sets(transaction, head)
    distinct = np.array(sorted(set(keys)), np.int64)
    listed = Listed(distinct, (distinct % 3).astype(np.int32), [(), ("a",), ("a", "b")])
    plan = make_plan(lists.read_state(transaction, head), listed, rules, sets, feed_bit=feed_bit)
    lists.write_plan(transaction, head, plan, sets, CHANGE)


def segments(transaction: Transaction) -> list[int]:
    return [row["length"] for row in transaction.all("snapshot.segments", list=ACME)]


def stale(transaction: Transaction) -> list[int]:
    keys, _ = transaction.read_stale_addresses(ACME)
    return [int(key) for key in keys]


def edit(path: Path, statement: str, key: int = 0) -> None:
    """What somebody does with another program."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement, {"key": key})


class TestRows:
    values = st.tuples(
        st.integers(0, 10**15),
        st.integers(-128, 127),
        st.integers(0, 2**31 - 1),
        st.integers(-(2**31), 2**31 - 1),
        st.integers(0, 2**63 - 1),
    )

    @given(st.lists(values, min_size=1, max_size=30))
    def test_what_is_packed_is_unpacked(self, rows: list[tuple[int, ...]]) -> None:
        keys, status, tag_set, attrs, feeds = (list(column) for column in zip(*rows, strict=True))
        state = ListState(
            7,
            np.array(keys, np.int64),
            np.array(status, np.int8),
            np.array(tag_set, np.int32),
            np.array(attrs, np.int32),
            np.array(feeds, np.int64),
        )
        found = unpacked(7, packed(state), len(state))
        for before, after in zip(columns(state), columns(found), strict=True):
            assert (before.tolist(), before.dtype) == (after.tolist(), after.dtype)

    def test_neighbouring_numbers_take_six_bytes_each(self) -> None:
        n = 10_000
        state = ListState(
            0,
            np.arange(12_125_550_000, 12_125_550_000 + 300 * n, 300, dtype=np.int64),
            np.ones(n, np.int8),
            np.arange(n, dtype=np.int32) % 2_500,
            np.zeros(n, np.int32),
            np.ones(n, np.int64),
        )
        assert len(packed(state)) == 6 * n + 5 * 9


class TestSegments:
    def test_a_short_list_needs_none(self, store: Store) -> None:
        with store.write() as transaction:
            write(transaction, [1, 2, 3])
            assert segments(transaction) == []
            assert snapshot.read(transaction, ACME, 1).keys.tolist() == [1, 2, 3]

    def test_many_rows_make_them_anew(self, store: Store) -> None:
        with store.write() as transaction:
            write(transaction, list(range(25)))
            assert segments(transaction) == [8, 8, 9]
            assert stale(transaction) == []

    def test_few_rows_leave_them_and_are_stale(self, store: Store) -> None:
        with store.write() as transaction:
            write(transaction, list(range(25)))
            write(transaction, [3, 99], policy.COMMANDS["opt_out"])
            assert segments(transaction) == [8, 8, 9]
            assert stale(transaction) == [3, 99]
            assert snapshot.holds(transaction, ACME)

    def test_rows_that_add_up_to_many_make_them_anew(self, store: Store) -> None:
        with store.write() as transaction:
            write(transaction, list(range(25)))
            write(transaction, [3, 12, 14], policy.COMMANDS["opt_out"])
            write(transaction, [4, 26, 27], policy.COMMANDS["opt_out"])
            assert segments(transaction) == [8, 8, 5, 6]
            assert stale(transaction) == []
            assert snapshot.holds(transaction, ACME)

    def test_a_command_for_one_address_never_does(self, store: Store) -> None:
        with store.write() as transaction:
            write(transaction, list(range(25)))
            for key in range(10):
                write(transaction, [key], policy.COMMANDS["opt_out"])
            assert stale(transaction) == list(range(10))

    def test_what_is_outside_of_what_changed_is_not_written(self, store: Store) -> None:
        with store.write() as transaction:
            write(transaction, list(range(25)))
            ids = "SELECT first_key, rowid FROM snapshot_segments ORDER BY first_key"
            before = transaction._connection.execute(ids).fetchall()
            write(transaction, list(range(100, 106)))
            after = transaction._connection.execute(ids).fetchall()
        assert before[:2] == after[:2]
        assert [first for first, _ in after] == [0, 8, 16, 23]


class TestOtherHands:
    def test_an_edit_is_seen_at_once(self, store: Store) -> None:
        with store.write() as transaction:
            write(transaction, list(range(25)))
        edit(store.path, "UPDATE addresses SET status = 3 WHERE key = :key", 12)
        with store.read() as transaction:
            assert snapshot.read(transaction, ACME, 1).status.tolist() == [1] * 12 + [3] + [1] * 12

    def test_a_deleted_row_is_gone(self, store: Store) -> None:
        with store.write() as transaction:
            write(transaction, list(range(25)))
        edit(store.path, "DELETE FROM addresses WHERE key <> :key", 12)
        with store.write() as transaction:
            assert snapshot.read(transaction, ACME, 1).keys.tolist() == [12]
            write(transaction, [50, 51])
            assert segments(transaction) == [1, 2]

    def test_deleted_segments_are_made_again(self, store: Store) -> None:
        with store.write() as transaction:
            write(transaction, list(range(25)))
        edit(store.path, "DELETE FROM snapshot_segments")
        with store.write() as transaction:
            assert len(snapshot.read(transaction, ACME, 1)) == 25
            write(transaction, [25, 26])
            assert segments(transaction) == [9, 9, 9]

    def test_without_its_triggers_it_is_not_asked(self, store: Store) -> None:
        with store.write() as transaction:
            write(transaction, list(range(25)))
        edit(store.path, "DROP TRIGGER addresses_updated")
        edit(store.path, "UPDATE addresses SET status = 3 WHERE key = :key", 12)
        with store.write() as transaction:
            assert snapshot.read(transaction, ACME, 1).status.tolist() == [1] * 12 + [3] + [1] * 12
            write(transaction, list(range(25, 50)))
            assert segments(transaction) == [8, 8, 9]
            assert len(snapshot.read(transaction, ACME, 2)) == 50

    def test_triggers_that_were_away_for_a_while_are_found_out(self, store: Store) -> None:
        with store.write() as transaction:
            write(transaction, list(range(25)))
        with store.write() as transaction, transaction.without_triggers("addresses"):
            transaction._connection.execute("UPDATE addresses SET tag_set = 77 WHERE key = 12")
        with store.read() as transaction:
            assert not snapshot.holds(transaction, ACME)
        edit(store.path, "DELETE FROM snapshot_segments WHERE list = 1")
        with store.read() as transaction:
            assert snapshot.holds(transaction, ACME)

    def test_the_triggers_are_back_even_after_a_failure_that_is_committed(self, store: Store) -> None:
        names = "SELECT name FROM sqlite_schema WHERE type = 'trigger' ORDER BY name"
        with store.write() as transaction:
            before = transaction._connection.execute(names).fetchall()
            with pytest.raises(ZeroDivisionError), transaction.without_triggers("addresses"):
                assert transaction._connection.execute(names).fetchall() == []
                raise ZeroDivisionError
        with store.read() as transaction:
            assert transaction._connection.execute(names).fetchall() == before
        assert len(before) == 3

    def test_a_list_from_before_there_were_snapshots(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        first = migrations("sqlite")[:1]
        with monkeypatch.context() as earlier:
            earlier.setattr(sqlite, "migrations", lambda _: first)
            open_store(tmp_path / "alp.db").close()
        edit(tmp_path / "alp.db", "INSERT INTO lists (customer, created_at) VALUES ('acme', '')")
        edit(tmp_path / "alp.db", "INSERT INTO addresses (list, key, status, tag_set) VALUES (1, 5, 3, 0)")
        with open_store(tmp_path / "alp.db").write() as transaction, sizes(segment=10, stale=5):
            assert snapshot.read(transaction, ACME, 0).keys.tolist() == [5]
            write(transaction, list(range(10)))
            state = snapshot.read(transaction, ACME, 1)
        assert state.status.tolist() == [1] * 5 + [3] + [1] * 4


class Provider(RuleBasedStateMachine):
    """Files, commands and hands at one list, committed, rolled back, or killed at any statement."""

    keys = st.lists(st.integers(0, 60), min_size=1, max_size=40)

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        shutil.copy(template(), self.folder / "alp.db")
        self.sizes = sizes(segment=4, stale=3)
        self.sizes.__enter__()
        self.store = Store(self.folder / "alp.db")
        self.other = Store(self.folder / "alp.db")

    @rule(keys=keys, rules=st.sampled_from(POLICIES), feed_bit=st.sampled_from([0, 1, 2]))
    def write(self, keys: list[int], rules: Policy, feed_bit: int) -> None:
        with self.other.read() as reader:
            before = snapshot.read(reader, ACME, 0)
            with self.store.write() as transaction:
                write(transaction, keys, rules, feed_bit=feed_bit)
            assert same(before, snapshot.read(reader, ACME, 0)), "a reader sees one moment"

    @rule(key=st.integers(0, 60), rules=st.sampled_from(list(policy.COMMANDS.values())))
    def command(self, key: int, rules: Policy) -> None:
        with self.store.write() as transaction:
            write(transaction, [key], rules)

    @rule(keys=keys)
    def roll_back(self, keys: list[int]) -> None:
        with pytest.raises(ZeroDivisionError), self.store.write() as transaction:
            write(transaction, keys)
            assert snapshot.holds(transaction, ACME)
            raise ZeroDivisionError

    @rule(keys=keys, rules=st.sampled_from(POLICIES), statement=st.integers(1, 60))
    def die(self, keys: list[int], rules: Policy, statement: int) -> None:
        # No process may take an open connection over from another.
        self.store.close()
        self.other.close()
        child = os.fork()
        if child == 0:
            try:
                kill_at(self.store, statement)
                with self.store.write() as transaction:
                    write(transaction, keys, rules)
            finally:
                os._exit(0)
        os.waitpid(child, 0)

    @rule(statement=st.sampled_from(BY_HAND), key=st.integers(0, 60))
    def by_hand(self, statement: str, key: int) -> None:
        try:
            edit(self.store.path, statement, key)
        except sqlite3.IntegrityError:
            return  # there is such a key already

    @invariant()
    def the_snapshot_is_the_table(self) -> None:
        if hasattr(self, "store"):
            with self.store.read() as transaction:
                assert snapshot.holds(transaction, ACME)

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            self.other.close()
            self.sizes.__exit__(None, None, None)
            shutil.rmtree(self.folder)


def same(left: ListState, right: ListState) -> bool:
    return all(np.array_equal(*pair) for pair in zip(columns(left), columns(right), strict=True))


def kill_at(store: Store, statement: int) -> None:
    """The process dies when it begins the statement of this number."""
    left = iter(range(statement, 0, -1))

    def count(_: str) -> None:
        if next(left) == 1:
            os.kill(os.getpid(), signal.SIGKILL)

    store._connection().set_trace_callback(count)


_templates: list[Path] = []


def template() -> Path:
    """A database as ``open_store`` makes it, made once."""
    if not _templates:
        path = Path(tempfile.mkdtemp()) / "alp.db"
        open_store(path).close()
        _templates.append(path)
    return _templates[0]


TestWhateverHappens = Provider.TestCase
# Not shrunk: a failure shows within seconds, and its fifteen steps can be read as they are.
TestWhateverHappens.settings = settings(
    max_examples=40, stateful_step_count=15, deadline=None, phases=set(Phase) - {Phase.shrink}
)
