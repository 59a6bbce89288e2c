"""Three nodes on one machine: a real daemon each, on an address of its own, and one PostgreSQL under all of them."""

from __future__ import annotations

import ftplib
import io
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from alp_daemon.customers import load_file
from alp_daemon.services.addresses import history
from alp_daemon.services.decisions import approval
from alp_daemon.services.logins.credentials import Issued
from alp_daemon.settings import load
from alp_daemon.store.store import Store, open_store
from tests.crash import model, runner
from tests.crash.processes import Step
from tests.databases import Server
from tests.eventually import eventually
from tests.proc import workers_of

LEASE_SECONDS = 5
CLIENT_SECONDS = 60.0
ADDRESSES = {"a": "127.0.0.1", "b": "127.0.0.2", "c": "127.0.0.3"}
EVERYTHING = dict.fromkeys(ADDRESSES, "all")

# A session that stands still in a transaction is ended sooner than an installation would.
_SESSION = f"?options=-c%20idle_in_transaction_session_timeout%3D{LEASE_SECONDS}s"
_YAML = """\
name: {id}
keyword: {keyword}
modes: [append_tags]
report_to: [{id}@customer.example]
feeds:
  members: {{match: "*.csv", mode: append_tags, phones: [Phone], tags: [{{column: Tag}}]}}
"""
_SETTINGS = """\
node: {name}
lease: {lease}s
data_dir: data
database: {database}
spool: {spool}
customers_dir: ../customers
workers: 1
scan_every: 1s
ftp: {{host: {host}, port: 0}}
web: {{host: {host}, port: 0}}
smtp: {{host: 127.0.0.1, port: {smtp}, operators: []}}
"""


class Node:
    """One daemon: its configuration, its process, and how customers reach it."""

    def __init__(self, cluster: Cluster, name: str, role: str) -> None:
        self._cluster = cluster
        self.name = name
        self.role = role
        self.host = ADDRESSES[name]
        self.folder = cluster.folder / name
        self.folder.mkdir()
        self.configure(name)
        self._lives = 0
        """How often it had been ready before it was started for the last time."""
        self._process: subprocess.Popen[bytes] | None = None

    def configure(self, name: str) -> None:
        settings = _SETTINGS.format(
            name=name,
            lease=LEASE_SECONDS,
            database=self._cluster.database,
            host=self.host,
            smtp=self._cluster.smtp,
            spool=self._cluster.spool,
        )
        (self.folder / "alp.yaml").write_text(settings)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Begins; ``wait_until_ready`` is for who needs it."""
        self._lives = len(self.events("ready"))
        command = [sys.executable, str(runner.__file__), "serve", "--role", self.role]
        command += ["--config", str(self.folder / "alp.yaml")]
        environment = {**os.environ, "ALP_STEPS": str(self._cluster.plan)}
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, env=environment, stderr=log)

    def wait_until_ready(self) -> None:
        eventually(lambda: len(self.events("ready")) > self._lives or self.is_dead, otherwise=self.log)
        assert not self.is_dead, self.log()

    @property
    def is_dead(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def send(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        """With its workers, as a machine that loses its power."""
        for pid in workers_of(self.pid):
            os.kill(pid, signal.SIGKILL)
        self.send(signal.SIGKILL)
        assert self._process is not None
        self._process.wait()

    def stop(self) -> int:
        """The exit code of an orderly stop, or of what came before it."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.terminate()
        try:
            return self._process.wait(CLIENT_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise

    def exit_code(self) -> int:
        assert self._process is not None
        return self._process.wait(CLIENT_SECONDS)

    def log(self) -> str:
        path = self.folder / "log"
        return path.read_text() if path.exists() else ""

    def events(self, name: str) -> list[dict[str, Any]]:
        whole = self.log().rpartition("\n")[0]
        lines = (json.loads(line) for line in whole.splitlines() if line.startswith("{"))
        return [line for line in lines if line["event"] == name]

    def connect(self, source: str = "") -> ftplib.FTP:
        ftp = ftplib.FTP(timeout=CLIENT_SECONDS, source_address=(source, 0) if source else None)
        ftp.connect(self.host, self._ports()["ftp"])
        return ftp

    def login(self, customer: str) -> ftplib.FTP:
        ftp, issued = self.connect(), self._cluster.logins[customer]
        ftp.login(issued.user, issued.password)
        return ftp

    def web(self) -> str:
        return f"http://{self.host}:{self._ports()['web']}"

    def _ports(self) -> dict[str, Any]:
        path = self.folder / "data/ports.json"
        return json.loads(path.read_text()) if path.exists() else {}


class Cluster:
    """The nodes and what they share. Steps are those of ``tests.crash``: whichever process comes there first."""

    def __init__(
        self,
        folder: Path,
        server: Server,
        smtp: int,
        customers: Sequence[str],
        steps: Sequence[Step],
        *,
        spool: str = "../spool",
        roles: Mapping[str, str] = EVERYTHING,
    ) -> None:
        self.folder = folder
        self.spool = spool
        self.database = server.new() + _SESSION
        self.smtp = smtp
        self.plan = folder / "steps.json"
        self.plan.write_text(json.dumps([asdict(step) for step in steps]))
        self.store: Store = open_store(self.database)
        for shared in ("customers", "spool"):
            (folder / shared).mkdir()
        self.nodes = {name: Node(self, name, roles[name]) for name in ADDRESSES}
        self.logins: dict[str, Issued] = {customer: self._set_up(customer) for customer in customers}

    def _set_up(self, customer: str) -> Issued:
        path = self.folder / "customers" / f"{customer}.yaml"
        path.write_text(_YAML.format(id=customer, keyword=customer.upper()))
        sample = self.folder / "sample.csv"
        sample.write_text(model.file_of([("2125550101", "sample")]))
        settings, now = load(self.folder / "a/alp.yaml"), datetime.now(UTC)
        approved = approval.approve(self.store, settings, load_file(path), "members", sample, "Ann", now)
        assert approved.issued is not None
        return approved.issued

    @contextmanager
    def running(self) -> Iterator[None]:
        for node in self.nodes.values():
            node.start()
        try:
            for node in self.nodes.values():
                node.wait_until_ready()
            yield
        finally:
            for node in self.nodes.values():
                for pid in [] if node.is_dead else [*workers_of(node.pid), node.pid]:
                    os.kill(pid, signal.SIGCONT)
            codes = {name: node.stop() for name, node in self.nodes.items()}
            self.store.close()
            assert set(codes.values()) == {0}, codes

    def has_taken(self, step: int) -> bool:
        """Whether a process has come to this step."""
        return self.plan.with_suffix(f".{step}").exists()

    # What is there now

    def rows(self, query: str, **values: object) -> list[dict[str, Any]]:
        with self.store.read() as transaction:
            return [dict(row) for row in transaction.all(query, **values)]

    def upload(self, id_: int) -> dict[str, Any]:
        (row,) = self.rows("uploads.get", id=id_)
        return row

    def uploads(self, customer: str) -> list[dict[str, Any]]:
        rows = self.rows("uploads.list", customer=customer, state=None, limit=1000)
        return sorted(rows, key=lambda row: (row["arrived_at"], row["id"]))

    def becomes(self, upload: int, state: str) -> None:
        eventually(
            lambda: self.upload(upload)["state"] == state, otherwise=lambda: f"{self.upload(upload)}\n{self.logs()}"
        )

    def logs(self) -> str:
        return "\n".join(f"--- {name}\n{node.log()[-4000:]}" for name, node in self.nodes.items())

    def export(self, customer: str) -> str:
        out = io.StringIO()
        history.export(self.store, customer, None, out)
        return out.getvalue()

    def assert_applied_once_and_in_order(self, customer: str, contents: dict[str, model.Rows]) -> None:
        """The list is what the rules make of the applied files, in the order in which they came."""
        expected: model.List = {}
        applied = [row for row in self.uploads(customer) if row["state"] == "applied"]
        for row in applied:
            model.apply(expected, contents[row["name"]], "append_tags")
        assert self.export(customer) == model.exported(expected)
        (head,) = [row for row in self.rows("lists.all") if row["customer"] == customer]
        changes = [row["upload"] for row in self.rows("changes.of_list", list=head["id"])]
        assert changes == [row["id"] for row in applied]


def put(ftp: ftplib.FTP, name: str, rows: model.Rows) -> int:
    """The number of the upload, as its sender is told."""
    answer = ftp.storbinary(f"STOR {name}", io.BytesIO(model.file_of(rows).encode()))
    found = re.match(r"226 Received as upload (\d+)\.", answer)
    assert found, answer
    return int(found[1])
