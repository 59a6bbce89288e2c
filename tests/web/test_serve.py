"""A real `alp-daemon serve` with its web side, alone and beside the other roles."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.eventually import eventually
from tests.systemd.conftest import COMMAND, Site
from tests.web.site import JOE

# What is promised of an idle daemon.
STOP_SECONDS = 10.0
# What ports.json says beside ports.
PROCESS = ("pid", "started", "settings", "read_at")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    yield site
    for process in site.started:
        if process.poll() is None:
            process.kill()
        process.wait()


def ports(site: Site) -> dict[str, int]:
    found: dict[str, int] = json.loads(site.ports.read_text()) if site.ports.exists() else {}
    return found


def told(site: Site, *arguments: str) -> Any:
    command = [COMMAND, *arguments, "--json", "--config", site.config]
    return json.loads(subprocess.run(command, capture_output=True, check=True, timeout=60).stdout)


def api(site: Site) -> httpx.Client:
    token = told(site, "credentials", "issue", "acme", "--for", "api")["token"]
    url = f"http://127.0.0.1:{ports(site)['web']}"
    return httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=30)


def test_a_file_by_http_is_worked_and_the_daemon_stops_in_order(site: Site) -> None:
    daemon = site.serve()
    eventually(lambda: ports(site).keys() == {*PROCESS, "ftp", "web"}, otherwise=site.stderr)
    with api(site) as client:
        answer = client.post("/api/v1/uploads", params={"filename": "a.csv"}, content=f"{JOE},north\n")
        assert answer.status_code == 202
        path = answer.headers["location"]
        eventually(lambda: client.get(path).json()["state"] == "applied", otherwise=site.stderr)
        assert client.get(f"/api/v1/numbers/{JOE}").json()["tags"] == ["north"]
        assert client.get("/readyz").json()["parts"].keys() == {"database", "spool", "ftp", "drop", "worker"}
        # An idle connection that is kept alive does not hold up the stop.
        daemon.terminate()
        assert daemon.wait(STOP_SECONDS) == 0, site.stderr()
    assert not site.ports.exists()


def test_the_roles_may_be_processes_of_their_own(site: Site) -> None:
    web = site.serve("web")
    eventually(lambda: ports(site).get("web", 0) > 0, otherwise=site.stderr)
    assert ports(site)["pid"] == web.pid
    ftp, worker = site.serve("ftp"), site.serve("worker")
    eventually(lambda: "ftp" in ports(site), otherwise=site.stderr)
    assert ports(site)["pid"] == ftp.pid, "signals go to the one that reads the folders"
    with api(site) as client:
        client.post("/api/v1/uploads", params={"filename": "a.csv"}, content=f"{JOE},north\n")
        eventually(lambda: site.uploads() == {"a.csv": "applied"}, otherwise=site.stderr)
    for each in (web, worker):
        each.terminate()
        assert each.wait(STOP_SECONDS) == 0, site.stderr()
    assert ports(site).keys() == {*PROCESS, "ftp"}
    assert site.greeting().startswith(b"220 ")


def test_a_web_side_alone_clears_away_what_it_was_receiving_when_it_died(site: Site) -> None:
    incoming = site.ports.parent / "spool/incoming"
    incoming.mkdir(parents=True)
    left = incoming / "0123.part"
    left.write_bytes(b"half")
    site.serve("web")
    eventually(lambda: "web" in ports(site), otherwise=site.stderr)
    assert not left.exists()


def test_a_new_customer_is_served_without_a_restart(site: Site) -> None:
    site.serve("web")
    eventually(lambda: "web" in ports(site), otherwise=site.stderr)
    site.add_customer("school")
    token = told(site, "credentials", "issue", "school", "--for", "api")["token"]
    url = f"http://127.0.0.1:{ports(site)['web']}/api/v1/numbers"
    eventually(lambda: httpx.get(url, headers={"Authorization": f"Bearer {token}"}).status_code == 200)
