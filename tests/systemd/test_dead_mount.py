"""A customer's folder is a mount whose server has gone: whatever is asked of it hangs, and all else goes on."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from alp_daemon.domain.model import Evidence
from alp_daemon.registry import Registry
from alp_daemon.services.receiving.arrival import Sender
from alp_daemon.services.receiving.intake import Intake
from alp_daemon.settings import load
from alp_daemon.store.store import open_store
from tests.eventually import eventually
from tests.program import PROGRAM
from tests.systemd.conftest import Manager, Site

_MNT_DETACH = 2
# The daemon, with less patience at its start.
_SERVE = """\
from alp_daemon.channels import watch
from alp_daemon.files import bulkhead

watch._PATIENCE_SECONDS = 0.1
bulkhead.PATIENCE_SECONDS = 0.5

from alp_daemon.cli import main

main()
"""


@pytest.fixture
def folder(site: Site) -> Path:
    folder = site.folder / "data/drop/acme"
    folder.mkdir(parents=True)
    return folder


@contextmanager
def dead_mount(folder: Path) -> Iterator[None]:
    """A file system that nobody serves (fuse(4)). Whoever waits for it then is told in the end that it has gone."""
    libc = ctypes.CDLL(None, use_errno=True)
    try:
        device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        pytest.skip(f"no FUSE here: {error.strerror}")
    try:
        options = f"fd={device},rootmode=40000,user_id={os.getuid()},group_id={os.getgid()}"
        if libc.mount(b"dead", os.fsencode(folder), b"fuse", 0, options.encode()) != 0:
            pytest.skip(f"nothing can be mounted here: {os.strerror(ctypes.get_errno())}")
        yield
    finally:
        os.close(device)
        libc.umount2(os.fsencode(folder), _MNT_DETACH)


def serve(site: Site, manager: Manager) -> subprocess.Popen[bytes]:
    environment = os.environ | {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "3000000"}
    command = [sys.executable, "-c", _SERVE, "serve", "--config", str(site.config)]
    with (site.folder / "stderr").open("ab") as stderr:
        process = subprocess.Popen(command, env=environment, stderr=stderr)
    site.started.append(process)
    manager.wait_for("READY=1")
    return process


def said_of_the_scan(site: Site) -> str:
    """By the site that monitoring asks."""
    port = json.loads(site.ports.read_text())["web"]
    said: str = httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=20).json()["parts"]["drop"]
    return said


def said_of(site: Site, event: str) -> list[dict[str, str]]:
    lines = [json.loads(line) for line in site.stderr().splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == event]


def test_others_files_are_picked_up_and_its_own_when_it_is_back(site: Site, manager: Manager, folder: Path) -> None:
    site.add_customer("school")
    with dead_mount(folder):
        daemon = serve(site, manager)
        put(folder.with_name("school"))
        eventually(site.uploads, lambda states: states == {"school.csv": "applied"})
        (told,) = said_of(site, "drop_file_not_picked_up")
        assert (told["level"], told["path"]) == ("warning", str(folder))
        assert said_of_the_scan(site) == "ok"
        assert site.greeting().startswith(b"220 ")
        assert f"error: acme: {folder} cannot be looked at (no answer, as from a mount" in doctor(site)
        manager.rest()
        manager.wait_for("WATCHDOG=1")
    assert "cannot be looked at" not in doctor(site)
    eventually((folder / "reports").is_dir)
    put(folder)
    eventually(site.uploads, lambda states: states == {"school.csv": "applied", "acme.csv": "applied"})
    daemon.terminate()
    assert daemon.wait(30) == 0, site.stderr()


def test_the_daemon_stops_in_order_while_it_hangs(site: Site, manager: Manager, folder: Path) -> None:
    with dead_mount(folder):
        daemon = serve(site, manager)
        daemon.terminate()
        assert daemon.wait(30) == 0, site.stderr()
        assert not site.ports.exists()


def test_the_worker_goes_on_with_others_files(site: Site, manager: Manager, folder: Path) -> None:
    """Its report cannot be put there. There is one worker."""
    site.add_customer("school")
    queue(site, "acme", "school")
    reports = folder.with_name("school") / "reports"
    reports.mkdir(parents=True)
    with dead_mount(folder):
        daemon = serve(site, manager)
        eventually(site.uploads, lambda states: states == {"acme.csv": "applied", "school.csv": "applied"})
        eventually(lambda: [path.name for path in reports.glob("*.txt")], ["000002-school.csv.report.txt"].__eq__)
        assert {line["customer"] for line in eventually(lambda: said_of(site, "reports_not_written"))} == {"acme"}
        manager.rest()  # its pings fill the socket, and the daemon waits as it would for systemd
        daemon.terminate()
        assert daemon.wait(30) == 0, site.stderr()


def doctor(site: Site) -> str:
    """What it finds."""
    command = [*PROGRAM, "doctor", "--config", site.config]
    return subprocess.run(command, capture_output=True, text=True, timeout=60).stdout


def put(home: Path) -> None:
    """A list, as any program does that has a folder open."""
    (home / "preformatted").mkdir(parents=True, exist_ok=True)
    (home / "preformatted" / f"{home.name}.csv").write_text("2125550123,bus\n")


def queue(site: Site, *customers: str) -> None:
    """A file of each, with nobody at work yet."""
    settings = load(site.config)
    registry = Registry(settings.customers_dir)
    registry.reload(datetime.now(UTC))
    intake = Intake(open_store(settings.database_address), settings, registry)
    sender = Sender("cli", "somebody")
    for customer in customers:
        list_ = site.folder / f"{customer}.csv"
        list_.write_text("2125550123,bus\n")
        now = datetime.now(UTC)
        intake.take(list_, customer, list_.name, "preformatted", sender, now, evidence=Evidence.assumed)
