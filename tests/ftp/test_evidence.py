"""How a client left decides whether its file is whole. The clients here are sockets that leave just so."""

from __future__ import annotations

import socket
import sqlite3
import struct
from collections.abc import Callable
from typing import Any

import pytest

from tests.eventually import eventually
from tests.ftp.conftest import ACME, SiteMaker
from tests.ftp.site import Site, Wire

FILE = b"Phone\n2125550123\n"
SETTLE_SECONDS = "alp_daemon.channels.ftp.evidence.SETTLE_SECONDS"


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


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """An open connection shows nothing: however slow the machine is, the verdict comes from what the client does."""
    monkeypatch.setattr(SETTLE_SECONDS, 3600.0)


@pytest.fixture
def about_to_leave(patient: None, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Called before the client leaves: the verdict on how it left then comes soon."""
    return lambda: monkeypatch.setattr(SETTLE_SECONDS, 0.05)


def sessions(site: Site) -> list[Any]:
    return list(site.server._listener.sessions)


def wait_until_it_has_left(site: Site) -> None:
    """The server has seen that the control connection ended."""
    eventually(lambda: all(session.left for session in sessions(site)))


def wait_for_replies(wire: Wire, count: int) -> None:
    """They have come, and the client reads none of them."""
    eventually(lambda: wire.socket.recv(4096, socket.MSG_PEEK), lambda unread: unread.count(b"\r\n") == count)


@pytest.mark.usefixtures("patient")
def test_the_next_command_shows_that_the_client_lives(site: Site, wire: Wire) -> None:
    wire.store("a.csv", FILE)
    other = Wire(site)
    other.log_in(site)
    other.ask("QUIT")
    assert [row["evidence"] for row in site.uploads()] == [None], "too early to say"
    wire.ask("NOOP")
    assert evidence(site) == "assumed"


def test_a_second_of_open_connection_shows_it_too(site: Site, wire: Wire) -> None:
    wire.store("a.csv", FILE)
    assert evidence(site) == "assumed"


def test_who_leaves_without_quit_but_in_order_is_believed(site: Site, wire: Wire) -> None:
    wire.store("a.csv", FILE)
    wire.close()
    assert evidence(site) == "assumed"


def test_who_is_reset_after_the_226_is_not_believed(site: Site, wire: Wire, about_to_leave: Callable[[], None]) -> None:
    wire.store("a.csv", FILE)
    about_to_leave()
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
    eventually(lambda: [session.is_keeping for session in sessions(site)], any)
    wire.close()
    wait_until_it_has_left(site)
    lock.execute("ROLLBACK")
    assert evidence(site) == "cut"


def test_who_dies_without_reading_the_226_is_not_believed(
    site: Site, wire: Wire, about_to_leave: Callable[[], None]
) -> None:
    connection = send_all(wire)
    connection.close()
    wait_for_replies(wire, 1)
    about_to_leave()
    # The 226 lies unread: this kernel answers the close with a reset.
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
    wait_until_it_has_left(site)
    connection.sendall(FILE)
    connection.close()
    (row,) = site.settled()
    assert (row["evidence"], site.content(row)) == ("cut", FILE * 2)


def test_commands_sent_ahead_prove_nothing(site: Site, wire: Wire, about_to_leave: Callable[[], None]) -> None:
    connection = send_all(wire)
    wire.send("PWD", "PWD")
    eventually(lambda: [len(session._lines) for session in sessions(site)], lambda waiting: waiting == [2])
    connection.close()
    wait_for_replies(wire, 3)
    about_to_leave()
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
    reply = ftp.getresp()  # before the client's time-out: the server does not wait for a farewell
    assert reply.startswith("226")
    assert ("held" in reply) is (expected == "cut")
    ftp.quit()
    assert evidence(site) == expected


@pytest.mark.usefixtures("patient")
def test_many_files_in_a_row_do_not_wait_for_their_verdicts(site: Site, wire: Wire) -> None:
    for number in range(20):
        wire.store(f"{number}.csv", FILE)
    wire.ask("QUIT")
    assert [row["evidence"] for row in site.settled(20)] == ["assumed"] * 20
