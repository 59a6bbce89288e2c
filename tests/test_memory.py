"""A worker has its share of memory, and a file that needs more ends as one that waits for a person."""

from __future__ import annotations

import gc
import gzip
import multiprocessing
import re
import resource
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from alp_daemon.customers import Customer
from alp_daemon.daemon import memory, worker
from alp_daemon.domain.model import Evidence
from alp_daemon.registry import Registry
from alp_daemon.services.receiving.intake import Intake, Sender
from alp_daemon.settings import Settings
from alp_daemon.store import uploads
from alp_daemon.store.store import open_store

# Two million rows, and each of them refused: a few hundred megabytes while they are told apart.
HUNGRY = gzip.compress(b"x\n" * 2**21)
# What a worker may take besides what it has when it begins.
ROOM = 64 * 2**20


def limits_of_a_worker(settings: Settings) -> int:
    worker.start(settings)
    return resource.getrlimit(resource.RLIMIT_DATA)[0]


def frozen_in_a_worker(settings: Settings) -> int:
    worker.start(settings)
    return gc.get_freeze_count()


def work_in_little_room(settings: Settings, customer: Customer) -> str | None:
    worker.start(settings)
    taken = int(re.search(r"VmData:\s+(\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024  # type: ignore[index]
    resource.setrlimit(resource.RLIMIT_DATA, (taken + ROOM, taken + ROOM))
    return worker.work(customer)


def spawned() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "customers").mkdir()
    (tmp_path / "customers/acme.yaml").write_text("name: Acme\nkeyword: ACME\nfeeds: {}\n")
    return Settings(data_dir=tmp_path / "data", customers_dir=tmp_path / "customers", workers=2)


def test_the_collector_leaves_out_what_a_worker_has_loaded(settings: Settings) -> None:
    with spawned() as process:
        assert process.submit(frozen_in_a_worker, settings).result() > 10_000


def test_each_worker_has_its_share(settings: Settings) -> None:
    with spawned() as process:
        assert process.submit(limits_of_a_worker, settings).result() == memory.share(2)
    assert memory.share(1) > memory.LEAST, "one of one has most of this machine"
    assert memory.share(10_000) == memory.LEAST


@pytest.mark.parametrize(
    ("content", "state"), [(HUNGRY, "held"), (gzip.compress(b"2125550123\n"), "applied")], ids=["hungry", "modest"]
)
def test_a_file_that_needs_more_is_held_at_once(settings: Settings, tmp_path: Path, content: bytes, state: str) -> None:
    store, registry = open_store(settings.database_address), Registry(settings.customers_dir)
    registry.reload(datetime.now(UTC))
    intake, customer = Intake(store, settings, registry), registry.customer("acme")
    assert customer is not None
    (tmp_path / "members.csv.gz").write_bytes(content)
    upload = intake.take(
        tmp_path / "members.csv.gz",
        "acme",
        "members.csv.gz",
        "preformatted",
        Sender("cli", "operator"),
        datetime.now(UTC),
        evidence=Evidence.proven,
    )
    with spawned() as process:
        assert process.submit(work_in_little_room, settings, customer).result() == state
    with store.read() as transaction:
        found = uploads.get(transaction, upload)
    assert (found.state, found.attempts) == (state, 1)
    assert ("takes more memory than a worker has" in (found.reason or "")) == (state == "held")
    store.close()


def test_a_container_s_limit_counts(tmp_path: Path) -> None:
    service = tmp_path / "fs/system.slice/alp.service"
    service.mkdir(parents=True)
    (tmp_path / "own").write_text("0::/system.slice/alp.service\n")
    (service / "memory.max").write_text("max\n")
    (service.parent / "memory.max").write_text("2147483648\n")
    assert memory._of_cgroups(tmp_path / "fs", tmp_path / "own") == [2**31]
    assert memory._of_cgroups(tmp_path / "fs", tmp_path / "none") == []
