"""A customer's folder is a mount whose server has gone: whatever is asked of it hangs, and all else goes on."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.eventually import eventually
from tests.systemd.conftest import Manager, Site

_MNT_DETACH = 2
# The daemon, with less patience.
_SERVE = """\
from alp_daemon.channels import watch
from alp_daemon.daemon import parts

watch._PATIENCE_SECONDS = 0.1
parts.STALLED_SECONDS = 5.0

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


def told(site: Site, event: str) -> list[dict[str, str]]:
    lines = [json.loads(line) for line in site.stderr().splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == event]


def test_only_the_scan_waits_for_it_and_goes_on_when_it_is_back(site: Site, manager: Manager, folder: Path) -> None:
    with dead_mount(folder):
        daemon = serve(site, manager)
        eventually(lambda: said_of_the_scan(site), lambda said: said == "does not go on")
        (still,) = eventually(lambda: told(site, "drop_scan_stands_still"))
        assert (still["level"], still["path"]) == ("error", str(folder))
        assert site.greeting().startswith(b"220 ")
        manager.rest()
        manager.wait_for("WATCHDOG=1")
    eventually(lambda: said_of_the_scan(site), lambda said: said == "ok")
    eventually(lambda: told(site, "drop_scan_goes_on"))
    eventually((folder / "reports").is_dir)
    assert len(told(site, "drop_scan_stands_still")) == 1
    daemon.terminate()
    assert daemon.wait(30) == 0, site.stderr()


def test_the_daemon_stops_in_order_while_it_hangs(site: Site, manager: Manager, folder: Path) -> None:
    with dead_mount(folder):
        daemon = serve(site, manager)
        daemon.terminate()
        assert daemon.wait(30) == 0, site.stderr()
        assert not site.ports.exists()
