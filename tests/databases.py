"""Where tests keep their data: in SQLite files, or with ``ALP_TEST_STORE=postgres`` on a PostgreSQL server.

The server is a real one that belongs to this process of the tests: a free port on loopback, no wait for the disk. A
test has a database of its own, cloned from one that has the schema, and gone when the test ends.
"""

from __future__ import annotations

import atexit
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from alp_daemon.store.sqlite import SqliteStore
from alp_daemon.store.store import Store, migrate

IS_POSTGRES = os.environ.get("ALP_TEST_STORE", "sqlite") == "postgres"
sqlite_only = pytest.mark.skipif(IS_POSTGRES, reason="about SQLite's own file")

PROGRAMS = Path("/usr/lib/postgresql/15/bin")
_NOTE = "database.txt"
_QUICK = ("fsync=off", "full_page_writes=off", "autovacuum=off", "max_connections=60")


def of(folder: Path) -> str:
    """The folder's database, which is made when it is first asked for."""
    if not IS_POSTGRES:
        return str(folder / "data" / "alp.db")
    note = folder / _NOTE
    if not note.exists():
        note.write_text(server().new())
    return note.read_text()


def waiting(address: str, seconds: float) -> Store:
    """A store that waits so long for others."""
    if not IS_POSTGRES:
        return SqliteStore(Path(address), busy_seconds=seconds)
    from alp_daemon.store.postgres import PostgresStore

    return PostgresStore(address, busy_seconds=seconds)


def copied(source: Path, target: Path) -> None:
    """Copies a folder with its database, which nobody may have open."""
    shutil.copytree(source, target, dirs_exist_ok=True)
    if IS_POSTGRES:
        (target / _NOTE).write_text(server().new(like=of(source)))


class Server:
    """A PostgreSQL server with ``address`` of its databases. Its folder goes when it ends."""

    def __init__(self) -> None:
        if not PROGRAMS.exists():
            pytest.skip(f"no {PROGRAMS}: install Debian's postgresql-15 to run this test")
        self._folder = Path(tempfile.mkdtemp(prefix="alp-pg-"))
        self._numbers = count(1)
        self._temporary: list[str] = []
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self._as = _unprivileged()
        if self._as:
            shutil.chown(self._folder, self._as["user"], self._as["group"])
        command = [PROGRAMS / "initdb", "-D", self._folder / "data", "-U", "alp", "-A", "trust", "-E", "UTF8", "-N"]
        subprocess.run([*command, "--locale=C.UTF-8"], check=True, capture_output=True, cwd="/", **self._as)
        self.start()
        atexit.register(self._end)
        self.run("CREATE DATABASE template_alp")
        migrate(self.address("template_alp"))

    def address(self, name: str) -> str:
        return f"postgresql://alp@127.0.0.1:{self.port}/{name}"

    def start(self) -> None:
        options = [option for setting in _QUICK for option in ("-c", setting)]
        where = ["-D", self._folder / "data", "-p", str(self.port), "-k", self._folder, "-h", "127.0.0.1"]
        with (self._folder / "log").open("ab") as log:
            command = [PROGRAMS / "postgres", *where, *options]
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd="/", **self._as)
        self._wait_until_it_answers()

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT ends the sessions in order, SIGQUIT at once, as in a crash."""
        self._process.send_signal(how)
        self._process.wait(30)

    def new(self, like: str | None = None) -> str:
        """The address of a new database; it is gone after ``forget``."""
        name, template = f"test{next(self._numbers)}", (like or "template_alp").rpartition("/")[2]
        self.run(f"CREATE DATABASE {name} TEMPLATE {template}")
        self._temporary.append(name)
        return self.address(name)

    def keep(self) -> None:
        """What was made until now stays to the end."""
        self._temporary.clear()

    def forget(self) -> None:
        while self._temporary:
            self.run(f"DROP DATABASE {self._temporary.pop()} WITH (FORCE)")

    def run(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        import psycopg

        with psycopg.connect(self.address(database), autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def _wait_until_it_answers(self) -> None:
        import psycopg

        for _ in range(600):
            with suppress(psycopg.OperationalError):
                self.run("SELECT 1")
                return
            if self._process.poll() is not None:
                break
            time.sleep(0.05)
        raise RuntimeError((self._folder / "log").read_text())

    def _end(self) -> None:
        if self._process.poll() is None:
            self.stop(signal.SIGQUIT)
        shutil.rmtree(self._folder)


@cache
def server() -> Server:
    return Server()


def keep() -> None:
    """What was made until now is for all tests."""
    if server.cache_info().currsize:
        server().keep()


def forget() -> None:
    """Drops what the test has made."""
    if server.cache_info().currsize:
        server().forget()


def _unprivileged() -> dict[str, Any]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    user = pwd.getpwnam("postgres")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
