"""A provider whose every process is a real one that may be killed: its folder, its commands, its daemon."""

from __future__ import annotations

import ftplib
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tests.crash import runner
from tests.crash.processes import WAIT_SECONDS, Command, Daemon, Finished, Step
from tests.crash.runner import preload, run_in_child
from tests.eventually import eventually

RUNNER = str(runner.__file__)

SETTINGS = """\
data_dir: data
customers_dir: customers
ftp: {host: 127.0.0.1, port: 0}
web: {port: 0}
workers: 2
scan_every: 1s
smtp: {operators: [operator@example.org]}
"""


class Provider:
    """One installation in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def set_up(self, customers: dict[str, str]) -> None:
        (self.folder / "customers").mkdir(parents=True)
        (self.folder / "alp.yaml").write_text(SETTINGS)
        for customer, text in customers.items():
            (self.folder / f"customers/{customer}.yaml").write_text(text)

    def write(self, name: str, content: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        return path

    # Processes

    def begin(self, *arguments: str, steps: Sequence[Step] = ()) -> Command:
        """One command, in a forked process: a new interpreter would spend most of its time on imports."""
        number = len(list(self.folder.glob("stdout-*")))
        stdout, stderr = self.folder / f"stdout-{number}", self.folder / f"stderr-{number}"
        stdout.touch()
        plan = self._plan(steps)
        preload()
        child = os.fork()
        if child == 0:
            run_in_child([*arguments, *self._config], plan, stdout, stderr)
        return Command(child, stdout, stderr)

    def run(self, *arguments: str, steps: Sequence[Step] = ()) -> Finished:
        """One command to its end."""
        return self.begin(*arguments, steps=steps).finished()

    def done(self, *arguments: str) -> str:
        """What a command that does not die prints."""
        finished = self.run(*arguments)
        assert finished.code == 0, finished.stderr
        return finished.stdout

    def dies(self, step: Step, *arguments: str) -> None:
        """A command that is killed at a step. Fails if it never gets there."""
        finished = self.run(*arguments, steps=[step])
        assert finished.code == -signal.SIGKILL, f"{arguments} was not killed {step}: {finished.stderr}"

    @contextmanager
    def daemon(
        self, steps: Sequence[Step] = (), environment: Mapping[str, str] = MappingProxyType({})
    ) -> Iterator[Daemon]:
        """A daemon that is ready; in the end it is stopped, if nobody has killed it."""
        plan = self._plan(steps)
        environment = {**os.environ, **environment, **({"ALP_STEPS": str(plan)} if plan else {})}
        with (self.folder / "daemon.log").open("ab") as output:
            # Spawned and not forked: its workers, which are spawned as well, have to find the runner as their main.
            process = subprocess.Popen([sys.executable, RUNNER, "serve", *self._config], env=environment, stderr=output)
        daemon = Daemon(self.folder / "data", process)
        try:
            eventually(lambda: daemon.is_dead or daemon.ports(), otherwise=self.log)
            yield daemon
            if not daemon.is_dead:
                process.terminate()
                assert process.wait(WAIT_SECONDS) == 0, self.log()
        finally:
            daemon.kill()

    @property
    def _config(self) -> list[str]:
        return ["--config", str(self.folder / "alp.yaml")]

    def _plan(self, steps: Sequence[Step]) -> Path | None:
        if not steps:
            return None
        number = len(list(self.folder.glob("steps-*.json")))
        return self.write(f"steps-{number}.json", json.dumps([asdict(step) for step in steps]))

    def deaths(self) -> int:
        """How many processes have died of the steps of the latest list."""
        number = len(list(self.folder.glob("steps-*.json"))) - 1
        return len(list(self.folder.glob(f"steps-{number}.[0-9]*")))

    def log(self) -> str:
        return (self.folder / "daemon.log").read_text()

    # Ways in

    def drop(self, customer: str, name: str, content: str) -> None:
        """Puts a file into the drop folder as a careful program does: under a hidden name first."""
        path = self.folder / "data/drop" / customer / name
        hidden = self.write(str(path.with_name(f".{path.name}")), content)
        hidden.rename(path)

    def login(self, daemon: Daemon, user: str, password: str) -> ftplib.FTP:
        ftp = ftplib.FTP(timeout=WAIT_SECONDS)
        ports = daemon.ports()
        assert ports is not None, self.log()
        ftp.connect("127.0.0.1", ports["ftp"])
        ftp.login(user, password)
        return ftp

    # What is there now

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        with closing(sqlite3.connect(f"file:{self.folder}/data/alp.db?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(query, values)]

    def change(self, statement: str) -> None:
        """What otherwise only time would do."""
        with closing(sqlite3.connect(self.folder / "data/alp.db")) as connection:
            connection.execute(statement)
            connection.commit()

    def uploads(self) -> list[dict[str, Any]]:
        return self.rows("SELECT * FROM uploads ORDER BY arrived_at, id")

    def leases(self) -> dict[str, int]:
        """The process that is at work for each customer."""
        held = [row for row in self.uploads() if row["lease_owner"]]
        return {row["customer"]: int(row["lease_owner"].partition("@")[0]) for row in held}

    def states(self, customer: str = "acme") -> list[tuple[str, str]]:
        """The customer's uploads in the order of their arrival: name and state."""
        query = "SELECT name, state FROM uploads WHERE customer = ? ORDER BY arrived_at, id"
        return [(row["name"], row["state"]) for row in self.rows(query, customer)]

    def is_idle(self) -> bool:
        """Nothing is in the queue, and every report is in its folder."""
        if self.rows("SELECT 1 FROM uploads WHERE state = 'received' LIMIT 1"):
            return False
        published = {path.name.partition("-")[0] for path in self.folder.glob("data/drop/*/reports/*.json")}
        return {f"{row['upload']:06d}" for row in self.rows("SELECT upload FROM reports")} <= published

    def wait_until_idle(self) -> None:
        eventually(self.is_idle, otherwise=lambda: f"{self.rows('SELECT * FROM uploads')}\n{self.log()}")

    def export(self, customer: str = "acme") -> str:
        return self.done("export", customer)
