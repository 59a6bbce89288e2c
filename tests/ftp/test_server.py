"""The server as the daemon handles it: starts, is watched, stops."""

from __future__ import annotations

import ftplib
import io
import socket
import threading
import time
from pathlib import Path

import pytest

from alp_daemon.channels.ftp import FtpServer
from alp_daemon.errors import ConfigurationError, Unavailable
from alp_daemon.settings import Settings
from tests.eventually import eventually
from tests.ftp.conftest import SiteMaker
from tests.ftp.site import Site, Wire

FILE = b"Phone\n2125550123\n"


def test_an_idle_server_stops_at_once_and_says_goodbye(site: Site) -> None:
    wire = Wire(site)
    wire.log_in(site)
    site.server.stop(grace=3600)  # which the suite's time-out would end
    assert wire.reply() == "421 The server is stopping; try again later."
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", site.server.port), 1)


def test_a_running_transfer_finishes_before_the_server_stops(site: Site) -> None:
    wire = Wire(site)
    wire.log_in(site)
    connection = wire.passive()
    wire.ask("STOR a.csv")
    connection.sendall(FILE)
    stopping = threading.Thread(target=site.server.stop)
    stopping.start()
    time.sleep(0.3)
    connection.sendall(FILE)
    connection.close()
    assert wire.reply().startswith("226 ")
    stopping.join(10)
    (row,) = site.settled()
    assert (row["evidence"], row["size"]) == ("assumed", 2 * len(FILE))


def test_a_transfer_that_does_not_end_is_kept_as_cut(site: Site) -> None:
    wire = Wire(site)
    wire.log_in(site)
    connection = wire.passive()
    wire.ask("STOR a.csv")
    connection.sendall(FILE)
    time.sleep(0.2)
    site.server.stop(grace=0.3)
    (row,) = site.uploads()
    assert (row["evidence"], site.content(row)) == ("cut", FILE)
    connection.close()


def test_the_loop_shows_that_it_goes_round(site: Site) -> None:
    before = site.server.last_turn
    eventually(lambda: site.server.last_turn, lambda now: now > before)


def test_a_taken_port_is_named(site: Site) -> None:
    taken = site.settings.model_copy(update={"ftp": site.settings.ftp.model_copy(update={"port": site.server.port})})
    with pytest.raises(Unavailable, match=f"ftp: cannot listen on 127.0.0.1 port {site.server.port}"):
        FtpServer(taken, site.access, site.intake, site.registry)


def test_an_unusable_certificate_is_named(site: Site, tmp_path: Path) -> None:
    (tmp_path / "cert.pem").write_text("nonsense")
    settings = Settings.model_validate(
        {"ftp": {"port": 0, "tls": {"certificate": str(tmp_path / "cert.pem"), "key": str(tmp_path / "key.pem")}}}
    )
    with pytest.raises(ConfigurationError, match=r"ftp\.tls: .*cert\.pem"):
        FtpServer(settings, site.access, site.intake, site.registry)


def test_a_hundred_clients_at_once(make_site: SiteMaker) -> None:
    site = make_site(max_connections_per_ip=300)
    problems: list[BaseException] = []

    def send(number: int) -> None:
        try:
            ftp = site.enter()
            for part in range(2):
                ftp.storbinary(f"STOR {number}-{part}.csv", io.BytesIO(FILE * number))
            ftp.quit()
        except (ftplib.Error, OSError, EOFError) as error:
            problems.append(error)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(1, 101)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    rows = site.settled(200)
    assert {row["evidence"] for row in rows} == {"assumed"}
    assert sorted(row["size"] for row in rows) == sorted(len(FILE) * n for n in range(1, 101) for _ in range(2))
