"""How a client left decides whether its file is whole. The clients here are sockets that leave just so."""

from __future__ import annotations

import socket
import sqlite3
import struct
import time
from typing import Any

import pytest

from tests.ftp.conftest import ACME, SiteMaker
from tests.ftp.site import Site, Wire, eventually

FILE = b"Phone\n2125550123\n"


@pytest.fixture
def wire(site: Site) -> Wire:
    wire = Wire(site)
    wire.log_in(site)
    return wire


def reset(connection: socket.socket) -> None:
    """Closes with RST, as a kernel does for a process that dies with unread data."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def evidence(site: Site) -> Any:
    (row,) = site.settled()
    return row["evidence"]


def send_all(wire: Wire) -> socket.socket:
    """An upload whose data connection is still open."""
    connection = wire.passive()
    wire.ask("STOR a.csv")
    connection.sendall(FILE)
    return connection


def test_the_next_command_shows_that_the_client_lives(site: Site, wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alp_daemon.channels.ftp.evidence.SETTLE_SECONDS", 3600.0)
    wire.store("a.csv", FILE)
    wire.ask("NOOP")
    assert evidence(site) == "assumed"


def test_a_second_of_open_connection_shows_it_too(site: Site, wire: Wire) -> None:
    wire.store("a.csv", FILE)
    confirmed = time.monotonic()
    assert evidence(site) == "assumed"
    assert time.monotonic() - confirmed > 0.5, "too early to say"


def test_who_leaves_without_quit_but_in_order_is_believed(site: Site, wire: Wire) -> None:
    wire.store("a.csv", FILE)
    wire.close()
    assert evidence(site) == "assumed"


def test_who_is_reset_after_the_226_is_not_believed(site: Site, wire: Wire) -> None:
    wire.store("a.csv", FILE)
    reset(wire.socket)
    wire._file.close()
    assert evidence(site) == "cut"


def test_who_dies_before_the_226_is_not_believed(site: Site, wire: Wire) -> None:
    connection = send_all(wire)
    wire.close()
    connection.close()
    assert evidence(site) == "cut"


def test_who_dies_while_the_file_is_being_kept_is_not_believed(site: Site, wire: Wire) -> None:
    # A locked database stretches the moment between the end of the data and the 226.
    lock = sqlite3.connect(site.store.path, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    send_all(wire).close()
    time.sleep(0.3)
    wire.close()
    time.sleep(0.1)
    lock.execute("ROLLBACK")
    assert evidence(site) == "cut"


def test_who_dies_without_reading_the_226_is_not_believed(site: Site, wire: Wire) -> None:
    connection = send_all(wire)
    connection.close()
    # The 226 lies unread: this kernel answers the close with a reset.
    time.sleep(0.3)
    wire.close()
    assert evidence(site) == "cut"


def test_a_reset_data_connection_is_a_cut(site: Site, wire: Wire) -> None:
    connection = send_all(wire)
    connection.sendall(FILE * 1000)
    incoming = site.settings.spool_dir / "incoming"
    eventually(lambda: [part.stat().st_size for part in incoming.iterdir()], any)
    reset(connection)
    assert wire.reply().startswith("426 Kept as upload 1, but held: the data connection broke off")
    assert evidence(site) == "cut"
    assert wire.ask("NOOP").startswith("200 ")


def test_nothing_is_kept_of_a_transfer_without_a_byte(site: Site, wire: Wire) -> None:
    connection = wire.passive()
    wire.ask("STOR a.csv")
    reset(connection)
    # Whether it had been accepted before or not.
    assert wire.reply().startswith(("425 ", "426 "))
    assert wire.ask("NOOP").startswith("200 ")
    assert site.uploads() == []


def test_what_came_before_the_control_connection_broke_is_kept(site: Site, wire: Wire) -> None:
    connection = send_all(wire)
    wire.close()
    time.sleep(0.2)
    connection.sendall(FILE)
    connection.close()
    (row,) = site.settled()
    assert (row["evidence"], site.content(row)) == ("cut", FILE * 2)


def test_commands_sent_ahead_prove_nothing(site: Site, wire: Wire) -> None:
    connection = send_all(wire)
    wire.send("PWD", "PWD")
    time.sleep(0.1)
    connection.close()
    time.sleep(0.3)
    wire.close()
    assert evidence(site) == "cut"


def test_behind_a_proxy_a_hang_up_is_not_trusted(make_site: SiteMaker) -> None:
    site = make_site(trust_hang_up="false")
    for leave, expected in ((Wire.close, "cut"), (lambda wire: wire.ask("QUIT"), "assumed")):
        wire = Wire(site)
        wire.log_in(site)
        wire.store("a.csv", FILE)
        leave(wire)
        assert site.settled()[-1]["evidence"] == expected


@pytest.mark.parametrize(("required", "expected"), [("true", "cut"), ("false", "assumed")])
def test_a_tls_client_that_never_says_goodbye(make_site: SiteMaker, required: str, expected: str) -> None:
    site = make_site(tls=True, customer=f"require_close_notify: {required}\n{ACME}")
    ftp = site.enter_tls()
    connection = ftp.transfercmd("STOR a.csv")
    connection.sendall(FILE)
    socket.socket.shutdown(connection, socket.SHUT_RDWR)
    connection.close()
    started = time.monotonic()
    reply = ftp.getresp()
    assert reply.startswith("226")
    assert ("held" in reply) is (expected == "cut")
    assert time.monotonic() - started < 2
    ftp.quit()
    assert evidence(site) == expected


def test_many_files_in_a_row_are_not_slowed(site: Site, wire: Wire) -> None:
    started = time.monotonic()
    for number in range(20):
        wire.store(f"{number}.csv", FILE)
    wire.ask("QUIT")
    assert time.monotonic() - started < 10
    assert [row["evidence"] for row in site.settled(20)] == ["assumed"] * 20
