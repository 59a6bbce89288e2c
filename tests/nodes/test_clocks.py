"""A node whose clock is an hour off takes nobody's work away, and keeps its own."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from alp_daemon.customers import load_file
from alp_daemon.domain.model import Evidence
from alp_daemon.registry import Registry
from alp_daemon.services.processing import queue
from alp_daemon.services.receiving.intake import Intake, Sender
from alp_daemon.settings import Settings, load
from alp_daemon.store.store import open_store
from tests.databases import Server
from tests.eventually import eventually
from tests.faults.campaign import Skipped
from tests.faults.faketime import Clock
from tests.program import PROGRAM

HOUR = 3600


class Site:
    """One customer, a node in this process whose clock is right, and commands of another whose clock is not."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder = folder
        (folder / "customers").mkdir()
        (folder / "customers/acme.yaml").write_text("name: Acme\nkeyword: ACME\nfeeds: {}\n")
        (folder / "list.csv").write_text("2125550123,north\n")
        (folder / "alp.yaml").write_text(f"node: wrong\ndata_dir: wrong\nspool: shared\ndatabase: {address}\n")
        (folder / "shared").mkdir()
        self.settings: Settings = load(folder / "alp.yaml").model_copy(
            update={"node": "right", "data_dir": folder / "right"}
        )
        self.store = open_store(address)

    def receive(self) -> int:
        registry = Registry.of(load_file(self.folder / "customers/acme.yaml"))
        intake = Intake(self.store, self.settings, registry)
        now, sender = datetime.now(UTC), Sender("cli", "ann")
        return intake.take(self.folder / "list.csv", "acme", "list.csv", "", sender, now, evidence=Evidence.proven)

    def claim(self) -> int | None:
        claimed = queue.claim(self.store, self.settings, "acme", queue.owner(self.settings), datetime.now(UTC))
        return claimed and claimed.id

    def rows(self) -> list[dict[str, object]]:
        with self.store.read() as transaction:
            return [dict(row) for row in transaction.all("uploads.list", customer="acme", state=None, limit=9)]

    def leased(self) -> bool:
        return any(row["lease_owner"] for row in self.rows())

    @contextmanager
    def process(self, shift: int) -> Iterator[subprocess.Popen[str]]:
        """``alp-daemon process`` on the other node."""
        try:
            clock = Clock(self.folder / "clock")
        except Skipped as reason:
            pytest.skip(str(reason))
        clock.shift(shift)
        command = [*PROGRAM, "process", "acme", str(self.folder / "list.csv"), "--feed", "preformatted", "--json"]
        command += ["--config", str(self.folder / "alp.yaml")]
        with clock.worn():
            started = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        with started:
            try:
                yield started
            finally:
                started.kill()


@pytest.fixture
def site(tmp_path: Path, postgres: Server) -> Iterator[Site]:
    site = Site(tmp_path, postgres.new())
    yield site
    site.store.close()
    postgres.forget()


def test_a_fast_one_sees_that_another_is_at_work(site: Site) -> None:
    upload = site.receive()
    assert site.claim() == upload
    (ours,) = site.rows()
    with site.process(HOUR) as process:
        assert process.stderr is not None
        said = next(line for line in process.stderr if line.startswith("upload "))
    assert "waits: an earlier one of acme is in work" in said
    assert ours in site.rows()


def test_a_slow_one_is_seen_at_work(site: Site) -> None:
    other = open_store(site.settings.database_address)
    with site.process(-HOUR) as process:
        with other.write() as transaction:
            transaction.lock("list", "acme")
            eventually(site.leased, otherwise=lambda: str(process.poll()))
            assert site.claim() is None
        stdout, _ = process.communicate(timeout=60)
    other.close()
    assert json.loads(stdout)["state"] == "applied"
    (row,) = site.rows()
    assert row["attempts"] == 1
