"""The PostgreSQL store: its schema, who waits for whom, a server that goes and comes back, and its errors."""

from __future__ import annotations

import re
import signal
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alp_daemon.domain.model import ListState
from alp_daemon.errors import TryAgain, Unavailable
from alp_daemon.store.rows import columns
from alp_daemon.store.sql import migrations, queries, with_percent
from alp_daemon.store.store import migrate, open_store
from tests.databases import PROGRAMS, Server, server

postgres = pytest.importorskip("alp_daemon.store.postgres", reason="no psycopg: pip install -e '.[postgres]'")
Store = postgres.PostgresStore
translated = pytest.importorskip("alp_daemon.store.pgerrors").translated


@pytest.fixture
def running() -> Iterator[Server]:
    yield server()
    server().forget()


@pytest.fixture
def store(running: Server) -> Iterator[Store]:
    store = open_store(running.new())
    yield store
    store.close()


def customers(store: Store) -> list[str]:
    with store.read() as transaction:
        return [row["customer"] for row in transaction.all("lists.all")]


def add(store: Store, customer: str) -> None:
    with store.write() as transaction:
        transaction.run("lists.add", customer=customer, now="")


class TestSchema:
    def test_an_empty_database_says_what_to_do(self, running: Server) -> None:
        running.run("CREATE DATABASE empty")
        address = running.address("empty")
        with pytest.raises(Unavailable, match=r"its schema is 0, and .* run `alp-daemon migrate`"):
            open_store(address)
        assert migrate(address) == [name for name, _ in migrations("postgres")]
        assert migrate(address) == []
        assert customers(open_store(address)) == []
        running.run("DROP DATABASE empty WITH (FORCE)")

    def test_a_newer_releases_database_is_left_alone(self, store: Store) -> None:
        with store.write() as transaction:
            transaction._connection.execute("INSERT INTO schema_migrations VALUES (999, '', now())")
        with pytest.raises(Unavailable, match=r"made by a newer release \(schema 999"):
            Store(store._address).open()

    def test_several_that_migrate_at_once(self, running: Server) -> None:
        running.run("CREATE DATABASE several")
        done: list[list[str]] = []
        threads = [threading.Thread(target=lambda: done.append(migrate(running.address("several")))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert sorted(map(len, done)) == [0, 0, 0, len(migrations("postgres"))]
        running.run("DROP DATABASE several WITH (FORCE)")

    def test_a_dump_of_an_older_schema_goes_on_in_a_new_database(self, running: Server, tmp_path: Path) -> None:
        for name in ("older", "anew"):
            running.run(f"CREATE DATABASE {name}")
        running.run(
            "CREATE TABLE schema_migrations (number INTEGER PRIMARY KEY, name TEXT, applied_at TIMESTAMPTZ)", "older"
        )
        (first, script), *later = migrations("postgres")
        running.run(script, "older")
        running.run(f"INSERT INTO schema_migrations VALUES ({int(first[:4])}, '{first}', now())", "older")
        running.run("INSERT INTO lists (customer, created_at) VALUES ('acme', '')", "older")
        dump = tmp_path / "older.dump"
        subprocess.run(
            [PROGRAMS / "pg_dump", "--format=custom", f"--file={dump}", running.address("older")], check=True
        )
        assert migrate(running.address("older")) == [name for name, _ in later]
        anew = running.address("anew")
        subprocess.run([PROGRAMS / "pg_restore", "--single-transaction", f"--dbname={anew}", dump], check=True)
        assert migrate(anew) == [name for name, _ in later]
        with closing(open_store(anew)) as store:
            assert customers(store) == ["acme"]
        for name in ("older", "anew"):
            running.run(f"DROP DATABASE {name} WITH (FORCE)")

    def test_all_texts_are_in_the_order_of_their_bytes(self, store: Store) -> None:
        with store.read() as transaction:
            found = transaction._connection.execute(
                "SELECT table_name, column_name FROM information_schema.columns JOIN information_schema.tables"
                " USING (table_schema, table_name) WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
                " AND data_type = 'text' AND domain_name IS DISTINCT FROM 'plain' AND table_name <> 'schema_migrations'"
            ).fetchall()
        assert found == []

    def test_every_number_is_there_for_both(self) -> None:
        assert int(migrations("postgres")[-1][0][:4]) == int(migrations("sqlite")[-1][0][:4])

    def test_tables_have_the_columns_that_they_have_in_sqlite(self, store: Store, tmp_path: Path) -> None:
        with store.read() as transaction:
            query = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
            found = set(transaction._connection.execute(query).fetchall())
        open_store(tmp_path / "alp.db").close()
        with closing(sqlite3.connect(tmp_path / "alp.db")) as connection:
            tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type <> 'index'")]
            info = {table: connection.execute(f"PRAGMA table_info({table})").fetchall() for table in tables}
        expected = {(table, row[1]) for table in tables for row in info[table]}
        own = {"snapshot_segments", "snapshot_stale", "_sqlite_migrations", "sqlite_sequence", "schema_migrations"}
        assert {each for each in found if each[0] not in own} == {each for each in expected if each[0] not in own} | {
            ("reports", "customer")
        }

    def test_what_grows_has_its_list_or_customer_first_in_its_key(self, store: Store) -> None:
        with store.read() as transaction:
            query = (
                "SELECT c.relname, a.attname FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid"
                " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]"
                " WHERE i.indisprimary AND c.relnamespace = 'public'::regnamespace"
            )
            first = dict(transaction._connection.execute(query).fetchall())
        # What is about the installation and not about a customer, and stays small.
        of_the_installation = (
            "lists",
            "nodes",
            "customer_versions",
            "lockouts",
            "unlocks",
            "sessions",
            "spool_mark",
            "counters",
            "line_types",
            "approval_links",
            "schema_migrations",
        )
        for small in of_the_installation:
            del first[small]
        assert set(first.values()) == {"list", "customer"}


class TestQueries:
    def test_every_statement_is_valid(self, store: Store) -> None:
        assert queries("postgres").keys() == {n for n in queries("sqlite") if not n.startswith("snapshot.")}
        for statement in queries("postgres").values():
            parameters = dict.fromkeys(re.findall(r"%\(([a-z_0-9]+)\)s", statement))
            with store.write() as transaction:
                transaction._connection.execute(f"EXPLAIN {statement}", parameters)

    def test_no_statement_means_the_user_of_the_database(self) -> None:
        """``user`` is a word of SQL's own: unquoted it is no column."""
        for name, statement in queries("postgres").items():
            words = re.sub(r"--.*|'[^']*'|\"user\"|%\(user\)s", "", statement)
            assert not re.search(r"\buser\b", words), name

    @pytest.mark.parametrize(
        ("ours", "theirs"),
        [
            ("SELECT :a, :b_2", "SELECT %(a)s, %(b_2)s"),
            ("SELECT ':a', :a::text", "SELECT ':a', %(a)s::text"),
            ('SELECT ":a" -- :a 5 %', 'SELECT ":a" -- :a 5 %%'),
            ("""LIKE '%"code": "' || :code || '"%'""", """LIKE '%%"code": "' || %(code)s || '"%%'"""),
            ("SELECT 'it''s :a'", "SELECT 'it''s :a'"),
        ],
    )
    def test_parameters_are_renamed_and_nothing_else(self, ours: str, theirs: str) -> None:
        assert with_percent(ours) == theirs


class TestTransactions:
    def test_a_nul_that_somebody_sends_is_no_fault(self, store: Store) -> None:
        with store.write() as transaction:
            assert transaction.one("credentials.of_user", user="a\0b") is None
            transaction.run("logins.add_failure", ip="\0", now="2026-11-21T06:00:00.000000Z")
            found = transaction.all("logins.failures", ip="\ufffd", since="2026")
        assert len(found) == 1

    def test_what_fails_half_way_never_happened(self, store: Store) -> None:
        with pytest.raises(RuntimeError), store.write() as transaction:
            transaction.run("lists.add", customer="acme", now="")
            raise RuntimeError
        assert customers(store) == []

    def test_what_need_not_last_does_not_wait_for_the_disk_and_what_follows_does(self, store: Store) -> None:
        with store.write(lasting=False) as transaction:
            setting = transaction._connection.execute("SHOW synchronous_commit").fetchone()
            transaction.run("lists.add", customer="acme", now="")
        with store.write() as transaction:
            assert transaction._connection.execute("SHOW synchronous_commit").fetchone() != setting == ("off",)
            assert [row["customer"] for row in transaction.all("lists.all")] == ["acme"]

    def test_a_reader_sees_one_moment_and_writes_nothing(self, store: Store) -> None:
        other = Store(store._address)
        with store.read() as transaction:
            assert transaction.all("lists.all") == []
            add(other, "acme")
            assert transaction.all("lists.all") == []
        with pytest.raises(Unavailable, match="read-only transaction"), store.read() as transaction:
            transaction.run("lists.add", customer="other", now="")
        other.close()

    def test_a_transaction_within_a_transaction_is_refused(self, store: Store) -> None:
        with store.write(), pytest.raises(Unavailable, match="within a transaction"), store.write():
            pass

    def test_who_locks_the_same_waits_and_then_sees(self, store: Store) -> None:
        seen: list[int] = []

        def look() -> None:
            with store.write() as transaction:
                transaction.lock("list", "acme")
                seen.append(len(transaction.all("lists.all")))
            store.close()

        with store.write() as transaction:
            transaction.lock("list", "acme")
            thread = threading.Thread(target=look)
            thread.start()
            thread.join(0.2)
            assert thread.is_alive()
            transaction.run("lists.add", customer="acme", now="")
        thread.join(10)
        assert seen == [1]

    def test_others_do_not_wait(self, store: Store) -> None:
        other = Store(store._address, busy_seconds=0.05)
        with store.write() as transaction, other.write() as beside:
            transaction.lock("list", "acme")
            beside.lock("list", "other")
            with other_reader(store) as reader:
                reader.lock("list", "acme")
                beside.run("lists.add", customer="other", now="")
        other.close()
        with store.read() as transaction:
            assert [row["customer"] for row in transaction.all("lists.all")] == ["other"]

    def test_who_has_waited_for_long_is_told_to_try_again(self, store: Store) -> None:
        other = Store(store._address, busy_seconds=0.05)
        message = "somebody else has been at work on the same for long; try again"
        with store.write() as transaction:
            transaction.lock("list", "acme")
            with pytest.raises(TryAgain, match=message), other.write() as beside:
                beside.lock("list", "acme")
        other.close()


def other_reader(store: Store):
    return Store(store._address, busy_seconds=0.05).read()


class TestAbandoned:
    def test_who_stands_still_within_a_transaction_keeps_nobody_waiting(self, running: Server, store: Store) -> None:
        """As a node that was frozen, or lost its power, on the way to its commit."""
        hasty = Store(f"{store._address}?options=-c%20idle_in_transaction_session_timeout%3D200ms")
        with pytest.raises(TryAgain, match="stood still for too long; nothing was changed"), hasty.write() as frozen:
            frozen.lock("list", "acme")
            frozen.run("lists.add", customer="acme", now="")
            with store.write() as transaction:
                transaction.lock("list", "acme")
                assert transaction.all("lists.all") == []
                transaction.run("lists.add", customer="acme", now="")
        assert customers(hasty) == ["acme"], "it goes on with a new connection"
        hasty.close()

    def test_the_same_is_said_of_it_when_it_is_heard_while_sending(self) -> None:
        """Then psycopg has the server's text, and no number."""
        psycopg = pytest.importorskip("psycopg")
        heard = "sending query failed: terminating connection due to idle-in-transaction timeout"
        with pytest.raises(TryAgain, match="stood still for too long; nothing was changed"), translated("db"):
            raise psycopg.OperationalError(heard)

    def test_a_transaction_that_goes_on_is_left_alone(self, store: Store) -> None:
        busy = Store(f"{store._address}?options=-c%20idle_in_transaction_session_timeout%3D1s")
        with busy.write() as transaction:
            transaction._connection.execute("SELECT pg_sleep(1.2)")
            transaction.run("lists.add", customer="acme", now="")
        assert customers(store) == ["acme"]
        busy.close()

    def test_a_time_is_set_where_nobody_has_set_one(self, store: Store) -> None:
        def idle(of: Store) -> str:
            with of.read() as transaction:
                return transaction._connection.execute("SHOW idle_in_transaction_session_timeout").fetchone()[0]

        own = Store(f"{store._address}?options=-c%20idle_in_transaction_session_timeout%3D7min")
        assert (idle(store), idle(own)) == ("2min", "7min")
        own.close()


class TestServer:
    @pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT])
    def test_a_restart_costs_what_was_under_way_and_nothing_else(
        self, running: Server, store: Store, how: signal.Signals
    ) -> None:
        add(store, "acme")
        with pytest.raises(TryAgain, match="try again"), store.write() as transaction:
            transaction.run("lists.add", customer="lost", now="")
            running.stop(how)
            transaction.run("lists.add", customer="lost too", now="")
        with pytest.raises(TryAgain, match="try again"):
            add(store, "nobody is there")
        running.start()
        assert customers(store) == ["acme"]

    def test_a_session_that_the_server_ended_is_begun_anew(self, running: Server, store: Store) -> None:
        add(store, "acme")
        name = store._address.rpartition("/")[2]
        running.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        assert customers(store) == ["acme"]

    @pytest.mark.parametrize(
        "address", ["postgresql://alp:hunter2@127.0.0.1:1/alp", "postgresql://?password=hunter2&host=%2Fnowhere"]
    )
    def test_no_message_holds_the_password(self, address: str) -> None:
        with pytest.raises(TryAgain, match="try again") as refused:
            open_store(address)
        assert "hunter2" not in str(refused.value)

    def test_a_mistake_in_the_address(self, running: Server) -> None:
        with pytest.raises(Unavailable, match=r'database "nonsense" does not exist; check `database` in alp\.yaml'):
            open_store(running.address("nonsense"))
        with pytest.raises(Unavailable, match="expected postgresql://HOST/NAME") as refused:
            open_store("postgresql://alp:hunter2@[::1/alp")
        assert "hunter2" not in str(refused.value)


Rows = dict[int, tuple[int, ...]]

ROWS = st.dictionaries(
    st.integers(0, 999_999_999_999_999),
    st.tuples(st.integers(0, 4), st.integers(0, 2**31 - 1), st.integers(0, 2**31 - 1), st.integers(0, 2**63 - 1)),
    max_size=30,
)


def state(rows: Rows) -> ListState:
    table = np.array([(key, *rows[key]) for key in sorted(rows)], np.int64).reshape(-1, 5).T
    dtypes = [column.dtype for column in columns(ListState.empty())]
    return ListState(7, *(column.astype(dtype) for column, dtype in zip(table, dtypes, strict=True)))


def plain(rows: ListState) -> list[list[int]]:
    return [column.tolist() for column in columns(rows)]


class TestColumns:
    @given(before=ROWS, written=ROWS)
    def test_what_is_written_is_read(self, before: Rows, written: Rows) -> None:
        store = columns_store()
        with store.write() as transaction:
            transaction._connection.execute("DELETE FROM addresses")
            transaction.upsert_addresses(1, state(before))
            transaction.upsert_addresses(1, state(written))
        with store.read() as transaction:
            assert plain(transaction.read_addresses(1, 7)) == plain(state(before | written))
            some = transaction.read_some_addresses(1, 7, np.array(sorted(written), np.int64))
            assert plain(some) == plain(state(written))
        store.close()

    def test_more_rows_than_are_taken_at_once(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("alp_daemon.store.postgrestransaction._ROWS_PER_READ", 7)
        monkeypatch.setattr("alp_daemon.store.postgrestransaction._KEYS_AT_ONCE", 10)
        monkeypatch.setattr("alp_daemon.store.pgcolumns._ROWS_AT_ONCE", 4)
        rows = {key: (1, 0, 0, key) for key in range(1, 51)}
        with store.write() as transaction:
            transaction.upsert_addresses(1, state({key: rows[key] for key in range(1, 50, 2)}))
            transaction.upsert_addresses(1, state(rows))
            assert plain(transaction.read_addresses(1, 7)) == plain(state(rows))


_COLUMNS: list[str] = []


def columns_store() -> Store:
    """One database for all examples."""
    if not _COLUMNS:
        _COLUMNS.append(server().new())
        server().keep()
    return open_store(_COLUMNS[0])
