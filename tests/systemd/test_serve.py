"""What a real `alp-daemon serve` tells its service manager, and how it obeys."""

from __future__ import annotations

import signal
import time

import pytest

from tests.eventually import eventually
from tests.systemd.conftest import Manager, Site

# What is promised of an idle daemon; TimeoutStopSec= in the unit is for one that works.
STOP_SECONDS = 10.0


def test_ready_means_that_the_port_accepts(site: Site, manager: Manager) -> None:
    site.serve(NOTIFY_SOCKET=manager.address)
    assert "READY=1" in manager.next(), "nothing else comes before READY=1"
    assert site.greeting().startswith(b"220 ")


def test_pings_go_on_while_it_idles(site: Site, manager: Manager) -> None:
    site.serve(NOTIFY_SOCKET=manager.address, WATCHDOG_USEC="3000000")
    manager.wait_for("READY=1")
    pings = []
    for _ in range(3):
        manager.wait_for("WATCHDOG=1", timeout=3)
        pings.append(time.monotonic())
    assert pings[2] - pings[0] < 3


def test_sighup_reads_the_customers_anew_and_says_when_it_is_done(site: Site, manager: Manager) -> None:
    # The scan that notices changed files by itself shall not come first.
    site.config.write_text(site.config.read_text().replace("scan_every: 1s", "scan_every: 1h"))
    daemon = site.serve(NOTIFY_SOCKET=manager.address)
    assert any(line.startswith("STATUS=1 customer") for line in manager.wait_for("READY=1"))
    site.add_customer("school")
    daemon.send_signal(signal.SIGHUP)

    reloading = manager.next()
    assert reloading[0] == "RELOADING=1"
    # sd_notify(3) wants the time of the reload with it, so that a late READY=1 is not taken for its end.
    sent = int(reloading[1].removeprefix("MONOTONIC_USEC="))
    assert 0 <= time.monotonic_ns() // 1000 - sent < 30_000_000
    ready = manager.next()
    assert ready[0] == "READY=1"
    assert ready[1].startswith("STATUS=2 customers")


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_it_says_that_it_stops_and_stops_in_order(stop: signal.Signals, site: Site, manager: Manager) -> None:
    daemon = site.serve(NOTIFY_SOCKET=manager.address)
    manager.wait_for("READY=1")
    daemon.send_signal(stop)
    assert daemon.wait(STOP_SECONDS) == 0, site.stderr()
    told = manager.rest()
    assert told[-1] == ["STOPPING=1"]
    assert ["WATCHDOG=1"] not in told, "nobody asked for pings"
    assert not site.ports.exists()


def test_a_broken_customer_keeps_nobody_else_from_being_served(site: Site, manager: Manager) -> None:
    """Why the unit has no ExecStartPre=… check-config."""
    (site.folder / "customers/broken.yaml").write_text("kyword: BROKEN\n")
    site.serve(NOTIFY_SOCKET=manager.address)
    assert any(line.startswith("STATUS=1 customer") for line in manager.wait_for("READY=1"))
    assert "broken.yaml:1:1" in site.stderr()


def test_a_broken_alp_yaml_ends_it_with_78_before_it_is_ready(site: Site, manager: Manager) -> None:
    """78 is in RestartPreventExitStatus=: trying again would not help."""
    site.config.write_text("ftp: {prot: 0}\n")
    daemon = site.serve(NOTIFY_SOCKET=manager.address)
    assert daemon.wait(30) == 78
    assert manager.rest() == []
    assert 'did you mean "port"?' in site.stderr()


def test_a_service_manager_that_is_gone_stops_nothing(site: Site) -> None:
    daemon = site.serve(NOTIFY_SOCKET=str(site.folder / "gone"))
    eventually(lambda: "service_manager_not_told" in site.stderr())
    assert site.greeting().startswith(b"220 ")
    daemon.terminate()
    assert daemon.wait(STOP_SECONDS) == 0, site.stderr()
    assert not site.ports.exists(), "the orderly stop went to its end"


def test_ftp_and_worker_may_be_two_services(site: Site, manager: Manager) -> None:
    worker = site.serve("worker", NOTIFY_SOCKET=manager.address)
    manager.wait_for("READY=1")
    site.serve("ftp", NOTIFY_SOCKET=manager.address)
    manager.wait_for("READY=1")
    (site.folder / "data/drop/acme/preformatted/first.csv").write_text("2125550123,north\n")
    eventually(lambda: site.uploads() == {"first.csv": "applied"}, otherwise=site.stderr)
    worker.terminate()
    assert worker.wait(STOP_SECONDS) == 0, site.stderr()
    assert site.greeting().startswith(b"220 ")


def test_each_part_runs_once(site: Site, manager: Manager) -> None:
    site.serve("ftp", NOTIFY_SOCKET=manager.address)
    manager.wait_for("READY=1")
    second = site.serve("all", NOTIFY_SOCKET=manager.address)
    assert second.wait(30) == 69
    assert "another alp-daemon runs on this data_dir" in site.stderr()
    assert site.greeting().startswith(b"220 "), "the first one goes on"
