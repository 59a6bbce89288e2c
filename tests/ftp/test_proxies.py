"""Behind a TCP balancer: the client's real address counts everywhere, and only a balancer is believed about it."""

from __future__ import annotations

import socket
import ssl
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any

import pytest
from structlog.testing import capture_logs

from alp_daemon.channels.ftp import proxies
from tests.ftp.conftest import SiteMaker
from tests.ftp.site import Site, Wire
from tests.ftp.test_proxyheader import v2, v2_tcp4

FILE = b"Phone\n2125550123\n"
CLIENT = "198.51.100.7"
LOCAL = v2(0x20, 0, b"")


def v1_tcp4(source: str) -> bytes:
    return f"PROXY TCP4 {source} 192.0.2.1 40000 21\r\n".encode()


class Balanced(Wire):
    """A connection as a balancer on 127.0.0.1 passes it on: both it and its data connections begin with a header."""

    def __init__(self, site: Site, header: bytes, data_header: bytes | None = None) -> None:
        super().__init__(site, greeted=False)
        self.data_header = header if data_header is None else data_header
        self.socket.sendall(header)

    def passive(self) -> socket.socket:
        connection = super().passive()
        connection.sendall(self.data_header)
        return connection


@pytest.fixture
def site(make_site: SiteMaker) -> Site:
    return make_site(trusted_proxies=["127.0.0.1"])


@pytest.fixture(params=[v1_tcp4, v2_tcp4])
def wire(request: pytest.FixtureRequest, site: Site) -> Balanced:
    wire = Balanced(site, request.param(CLIENT))
    assert wire.reply().startswith("220 ")
    return wire


def is_closed(connection: socket.socket) -> bool:
    """Once the server has closed it: with a reset, where it had not read everything."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def refusals(lines: list[MutableMapping[str, Any]]) -> list[MutableMapping[str, Any]]:
    return [line for line in lines if line["event"] == "ftp_proxy_header_refused"]


def test_an_upload_has_the_clients_own_address(site: Site, wire: Balanced) -> None:
    wire.log_in(site)
    assert wire.store("a.csv", FILE).startswith("226 ")
    wire.ask("QUIT")
    (row,) = site.settled()
    assert (row["ip"], site.content(row), row["evidence"]) == (CLIENT, FILE, "assumed")


def test_a_listing_comes_through(site: Site, wire: Balanced) -> None:
    wire.log_in(site)
    with wire.passive() as connection:
        assert wire.ask("NLST")[:3] in ("125", "150")
        listed = connection.makefile("rb").read()
    assert listed.split() == [b"preformatted", b"reports"]


def test_tls_begins_behind_the_header(make_site: SiteMaker) -> None:
    site = make_site(trusted_proxies=["127.0.0.1"], tls=True, required=True)
    wire = Balanced(site, v2_tcp4(CLIENT))
    assert wire.reply().startswith("220 ")
    assert wire.ask("AUTH TLS").startswith("234 ")
    context = ssl.create_default_context()
    site.authority.configure_trust(context)
    wire.socket = context.wrap_socket(wire.socket, server_hostname="localhost")
    wire._file = wire.socket.makefile("rb")
    wire.log_in(site)
    assert wire.ask("PBSZ 0", "PROT P").startswith("200 ")
    connection = wire.passive()
    assert wire.ask("STOR a.csv")[:3] in ("125", "150")
    secured = context.wrap_socket(connection, server_hostname="localhost")
    secured.sendall(FILE)
    secured.unwrap()
    secured.close()
    assert wire.reply().startswith("226 ")
    wire.ask("QUIT")
    (row,) = site.settled()
    assert (row["ip"], row["evidence"]) == (CLIENT, "proven")


def test_the_guesser_is_locked_out_and_not_the_balancer(site: Site) -> None:
    guesser = Balanced(site, v2_tcp4("203.0.113.9"))
    guesser.reply()
    for _ in range(4):
        reply = guesser.ask("USER acme", "PASS wrong")
    assert "your address is blocked" in reply
    assert Balanced(site, v2_tcp4("203.0.113.9")).reply().startswith("421 Too many failed log-ins")
    honest = Balanced(site, v2_tcp4(CLIENT))
    assert honest.reply().startswith("220 ")
    honest.log_in(site)
    assert [lockout.ip for lockout in site.access.lockouts(datetime.now(UTC))] == ["203.0.113.9"]


def test_connections_are_counted_by_client(make_site: SiteMaker) -> None:
    site = make_site(trusted_proxies=["127.0.0.0/8"], max_connections_per_ip=1)
    first = Balanced(site, v2_tcp4(CLIENT))
    assert first.reply().startswith("220 ")
    assert Balanced(site, v2_tcp4(CLIENT)).reply().startswith("421 Too many connections from the same")
    assert Balanced(site, v2_tcp4("198.51.100.8")).reply().startswith("220 ")
    first.ask("QUIT")
    assert first.reply() == ""
    assert Balanced(site, v2_tcp4(CLIENT)).reply().startswith("220 ")


def test_a_data_connection_must_come_from_the_clients_own_address(site: Site) -> None:
    wire = Balanced(site, v2_tcp4(CLIENT), data_header=v2_tcp4("203.0.113.9"))
    wire.reply()
    wire.log_in(site)
    with wire.passive():
        assert wire.reply().startswith("425 Rejected data connection from foreign address 203.0.113.9")
    wire.data_header = v2_tcp4(CLIENT)
    assert wire.store("a.csv", FILE).startswith("226 ")


def test_a_data_connection_of_nobody_does_not_take_the_port(site: Site) -> None:
    wire = Balanced(site, v2_tcp4(CLIENT))
    wire.reply()
    wire.log_in(site)
    numbers = wire.ask("PASV").split("(")[1].split(")")[0].split(",")
    address = ("127.0.0.1", int(numbers[4]) * 256 + int(numbers[5]))
    for header in (LOCAL, b"garbage, and a lot of it\r\n"):
        with socket.create_connection(address, 20) as other:
            other.sendall(header)
            assert is_closed(other)
    with socket.create_connection(address, 20), socket.create_connection(address, 20) as connection:
        connection.sendall(v2_tcp4(CLIENT))
        assert wire.ask("STOR a.csv")[:3] in ("125", "150")
        connection.sendall(FILE)
    assert wire.reply().startswith("226 "), "one that says nothing does not keep the others waiting"


def test_a_client_that_comes_past_the_balancer_is_no_balancer(site: Site) -> None:
    with socket.create_connection(("127.0.0.1", site.server.port), 20, source_address=("127.0.0.2", 0)) as direct:
        lines = direct.makefile("rb")
        direct.sendall(v1_tcp4(CLIENT))
        assert lines.readline().startswith(b"220 ")
        assert lines.readline().startswith(b"500 "), "a header is a bad command"
        direct.sendall(f"USER {site.login.user}\r\nPASS {site.login.password}\r\n".encode())
        assert [lines.readline()[:3] for _ in range(2)] == [b"331", b"230"]
        direct.sendall(b"PASV\r\n")
        numbers = lines.readline().decode().split("(")[1].split(")")[0].split(",")
        direct.sendall(b"STOR a.csv\r\n")
        port = int(numbers[4]) * 256 + int(numbers[5])
        with socket.create_connection(("127.0.0.1", port), 20, source_address=("127.0.0.2", 0)) as connection:
            connection.sendall(v1_tcp4(CLIENT))
        assert lines.readline()[:3] in (b"125", b"150")
        assert lines.readline().startswith(b"226 ")
        direct.sendall(b"QUIT\r\n")
        lines.readline()
    (row,) = site.settled()
    assert (row["ip"], site.content(row)) == ("127.0.0.2", v1_tcp4(CLIENT))


@pytest.mark.parametrize("sent", [b"USER acme\r\nPASS secret\r\n", b"PROXY TCP4 secret 192.0.2.1 40000 21\r\n"])
def test_without_a_sound_header_a_balancers_connection_is_closed(site: Site, sent: bytes) -> None:
    with capture_logs() as lines, socket.create_connection(("127.0.0.1", site.server.port), 20) as connection:
        connection.sendall(sent)
        assert is_closed(connection)
    (told,) = refusals(lines)
    assert told["proxy"] == "127.0.0.1"
    assert "secret" not in str(told)


def test_a_header_that_does_not_come_in_time_is_not_waited_for(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxies, "HEADER_SECONDS", 0.3)
    header = v2_tcp4(CLIENT)
    with (
        capture_logs() as lines,
        socket.create_connection(("127.0.0.1", site.server.port), 20) as silent,
        socket.create_connection(("127.0.0.1", site.server.port), 20) as slow,
    ):
        slow.sendall(header[:14])
        assert Balanced(site, header).reply().startswith("220 "), "others do not wait for them"
        assert is_closed(silent)
        assert is_closed(slow)
    assert [line["reason"] for line in refusals(lines)] == ["none within 0 seconds"] * 2


def test_a_header_may_come_in_pieces(site: Site) -> None:
    header = v2_tcp4(CLIENT)
    wire = Balanced(site, header[:3])
    for byte in header[3:]:
        wire.socket.sendall(bytes([byte]))
    assert wire.reply().startswith("220 ")


@pytest.mark.parametrize("header", [LOCAL, b"PROXY UNKNOWN\r\n"])
def test_a_health_check_is_greeted_and_locks_nobody_out(make_site: SiteMaker, header: bytes) -> None:
    site = make_site(trusted_proxies=["127.0.0.1"], max_connections_per_ip=1)
    checks = [Balanced(site, header) for _ in range(3)]
    assert [check.reply()[:4] for check in checks] == ["220 "] * 3
    for _ in range(6):
        assert checks[0].ask(f"USER {site.login.user}", f"PASS {site.login.password}").startswith("530 The PROXY")
    assert site.access.lockouts(datetime.now(UTC)) == []
    assert checks[0].ask("QUIT").startswith("221 ")


def test_a_health_check_of_a_node_that_can_keep_nothing_is_sent_away(make_site: SiteMaker) -> None:
    site = make_site(trusted_proxies=["127.0.0.1"], free_space_floor="1000000GiB")
    assert Balanced(site, LOCAL).reply().startswith("421 Not available just now")
    assert Balanced(site, v2_tcp4(CLIENT)).reply().startswith("220 "), "a client may have reports to read"


def test_a_balancer_that_was_locked_out_may_still_ask(site: Site) -> None:
    for _ in range(4):
        site.access.judge("127.0.0.1", "acme", "wrong", datetime.now(UTC))
    assert Balanced(site, LOCAL).reply().startswith("220 ")


def hung_up(wire: Balanced, site: Site) -> str:
    """The evidence of a file whose client hangs up in good order after its 226, without QUIT."""
    wire.reply()
    wire.log_in(site)
    assert wire.store("a.csv", FILE).startswith("226 ")
    wire.close()
    (row,) = site.settled()
    return str(row["evidence"])


def test_a_hang_up_through_a_balancer_is_a_cut(site: Site) -> None:
    assert hung_up(Balanced(site, v2_tcp4(CLIENT)), site) == "cut"


def test_a_hang_up_through_a_balancer_is_trusted_where_somebody_says_so(make_site: SiteMaker) -> None:
    site = make_site(trusted_proxies=["127.0.0.1"], trust_hang_up="yes")
    assert hung_up(Balanced(site, v2_tcp4(CLIENT)), site) == "assumed"
