"""The database file: opened, brought up to date, shared between processes, and its errors in plain words."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from alp_daemon.errors import Busy, TryAgain, Unavailable
from alp_daemon.store.sql import migrations, queries
from alp_daemon.store.sqlite import SqliteStore as Store
from alp_daemon.store.store import open_store
from tests.databases import sqlite_only

pytestmark = sqlite_only
ROOT = Path(__file__).parents[2]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path / "data" / "alp.db")


def customers(store: Store) -> list[str]:
    with store.read() as transaction:
        return [row["customer"] for row in transaction.all("lists.all")]


class TestOpen:
    def test_makes_the_folder_and_the_schema(self, store: Store) -> None:
        assert store.path.exists()
        assert customers(store) == []

    def test_what_is_there_is_kept(self, store: Store) -> None:
        with store.write() as transaction:
            transaction.run("lists.add", customer="acme", now="")
        assert customers(open_store(store.path)) == ["acme"]

    def test_survives_a_power_cut(self, store: Store) -> None:
        """WAL with synchronous = FULL lost nothing in simulated power cuts; NORMAL lost one percent."""
        with store.read() as transaction:
            query = transaction._connection.execute
            assert query("PRAGMA journal_mode").fetchone() == ("wal",)
            assert query("PRAGMA synchronous").fetchone() == (2,)

    def test_what_need_not_last_does_not_wait_for_the_disk_and_what_follows_does(self, store: Store) -> None:
        with store.write(lasting=False) as transaction:
            assert transaction._connection.execute("PRAGMA synchronous").fetchone() == (1,)
            transaction.run("lists.add", customer="acme", now="")
        with pytest.raises(KeyError), store.write(lasting=False) as transaction:
            raise KeyError
        with store.write() as transaction:
            assert transaction._connection.execute("PRAGMA synchronous").fetchone() == (2,)
        assert customers(store) == ["acme"]

    def test_every_migration_is_applied(self, store: Store) -> None:
        with store.read() as transaction:
            query = transaction._connection.execute
            assert query("PRAGMA user_version").fetchone() == (len(migrations("sqlite")),)
            names = query("SELECT name FROM _sqlite_migrations ORDER BY id").fetchall()
        assert names == [(name,) for name, _ in migrations("sqlite")]

    def test_a_newer_releases_database_is_left_alone(self, store: Store) -> None:
        store.close()
        with sqlite3.connect(store.path) as connection:
            connection.execute("PRAGMA user_version = 999")
        with pytest.raises(Unavailable, match=r"made by a newer release \(schema 999"):
            open_store(store.path)

    def test_what_is_no_database_is_left_alone(self, tmp_path: Path) -> None:
        path = tmp_path / "alp.db"
        path.write_text("These are my holiday pictures. " * 100)
        with pytest.raises(Unavailable, match="not a usable database"):
            open_store(path)
        assert path.read_text().startswith("These are my holiday pictures.")

    def test_several_processes_at_once_make_one_database(self, tmp_path: Path) -> None:
        script = (
            "import sys; from pathlib import Path; from alp_daemon.store.store import open_store; import sqlite_utils;"
            "print('ready', flush=True); sys.stdin.readline(); open_store(Path(sys.argv[1]))"
        )
        command = [sys.executable, "-c", script, str(tmp_path / "data" / "alp.db")]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        processes = [subprocess.Popen(command, **pipes) for _ in range(3)]
        for process in processes:
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            process.stdin.write("go\n")
            process.stdin.flush()
        assert [process.communicate(timeout=60)[1] for process in processes] == ["", "", ""]
        assert customers(open_store(tmp_path / "data" / "alp.db")) == []


class TestTransactions:
    def test_what_fails_half_way_never_happened(self, store: Store) -> None:
        with pytest.raises(RuntimeError), store.write() as transaction:
            transaction.run("lists.add", customer="acme", now="")
            raise RuntimeError
        assert customers(store) == []

    def test_a_reader_neither_waits_nor_sees_half_of_it(self, store: Store) -> None:
        other = Store(store.path, busy_seconds=0.0)
        with store.write() as transaction:
            transaction.run("lists.add", customer="acme", now="")
            assert customers(other) == []
        assert customers(other) == ["acme"]

    def test_a_reader_sees_one_moment(self, store: Store) -> None:
        other = Store(store.path)
        with store.read() as transaction:
            assert transaction.all("lists.all") == []
            with other.write() as writer:
                writer.run("lists.add", customer="acme", now="")
            assert transaction.all("lists.all") == []

    def test_a_second_writer_is_told_to_try_again(self, store: Store) -> None:
        other = Store(store.path, busy_seconds=0.05)
        message = "another program has kept the database locked; try again"
        with store.write(), pytest.raises(Busy, match=message), other.write():
            pass

    def test_so_is_a_second_thread(self, tmp_path: Path) -> None:
        store = Store(tmp_path / "alp.db", busy_seconds=0.05).open()
        told: list[TryAgain] = []

        def write() -> None:
            try:
                with store.write():
                    pass
            except TryAgain as error:
                told.append(error)

        with store.write():
            thread = threading.Thread(target=write)
            thread.start()
            thread.join(10)
        assert "this program has been writing to the database for long; try again" in str(told[0])
        with store.write():
            pass

    def test_both_waits_together_are_as_long_as_one(self, store: Store) -> None:
        """For a thread of this program, and then for another program: a client waits for the sum."""
        begun = threading.Event()
        left: list[int] = []

        def write() -> None:
            begun.set()
            with store.write() as transaction:
                left.extend(milliseconds for (milliseconds,) in transaction.rows("PRAGMA busy_timeout"))

        thread = threading.Thread(target=write)
        with store.write() as transaction:
            (patience,) = next(transaction.rows("PRAGMA busy_timeout"))
            thread.start()
            begun.wait()
            thread.join(0.05)
        thread.join(10)
        assert 0 < left[0] < patience

    def test_a_transaction_within_a_transaction_is_refused(self, store: Store) -> None:
        with store.write(), pytest.raises(Unavailable, match="within a transaction"), store.write():
            pass

    def test_threads_of_one_store_take_turns(self, store: Store) -> None:
        def add(name: str) -> None:
            for number in range(20):
                with store.write() as transaction:
                    transaction.run("lists.add", customer=f"{name}{number}", now="")
            store.close()

        threads = [threading.Thread(target=add, args=(name,)) for name in "abcd"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert len(customers(store)) == 80

    def test_a_second_writer_waits_its_turn(self, store: Store) -> None:
        other = Store(store.path)

        def add(customer: str) -> None:
            with other.write() as transaction:
                transaction.run("lists.add", customer=customer, now="")

        with store.write() as transaction:
            thread = threading.Thread(target=add, args=("second",))
            thread.start()
            thread.join(0.1)
            assert thread.is_alive()
            transaction.run("lists.add", customer="first", now="")
        thread.join(10)
        assert sorted(customers(store)) == ["first", "second"]


class TestQueries:
    def test_every_statement_is_valid_and_every_one_is_used(self, store: Store) -> None:
        code = "".join(path.read_text() for path in (ROOT / "alp_daemon").rglob("*.py"))
        with store.read() as transaction:
            for name, statement in queries("sqlite").items():
                parameters = dict.fromkeys(sqlite_parameters(statement))
                transaction._connection.execute(f"EXPLAIN {statement}", parameters)
                assert f'"{name}"' in code, f"nobody uses the query {name}"

    def test_a_name_that_does_not_exist(self, store: Store) -> None:
        with store.read() as transaction, pytest.raises(KeyError):
            transaction.all("lists.nonsense")


def sqlite_parameters(statement: str) -> list[str]:
    return re.findall(r":([a-z_0-9]+)", re.sub(r"--.*|'[^']*'", "", statement))
