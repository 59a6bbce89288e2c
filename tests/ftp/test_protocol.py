"""The holes of the protocol, and of the library, tried one by one."""

from __future__ import annotations

import os
import socket
import ssl

import pytest

from tests.ftp.conftest import SiteMaker
from tests.ftp.site import Site, Wire


@pytest.fixture
def wire(site: Site) -> Wire:
    wire = Wire(site)
    wire.log_in(site)
    return wire


@pytest.mark.parametrize("name", ["a\0b", "a\tb", "a\x1b[2Jb", "a\x7fb", "a\x85b", "a\u2028b", "a\nb"])
@pytest.mark.parametrize("command", ["STOR", "RNFR", "DELE", "SIZE", "CWD"])
def test_control_characters_in_names_are_refused(wire: Wire, command: str, name: str) -> None:
    assert wire.ask(f"{command} {name}").startswith("553 No control characters")
    assert wire.ask("NOOP").startswith("200 ")


@pytest.mark.parametrize("name", [b"Grzegorz\xf3.csv", b"\xff\xfe"])
def test_names_must_be_utf8(wire: Wire, name: bytes) -> None:
    assert wire.ask(b"STOR " + name) == "501 This is not UTF-8."
    assert wire.ask("NOOP").startswith("200 ")


def test_too_long_a_line_is_one_error(wire: Wire) -> None:
    assert wire.ask("STOR " + "x" * 100_000).startswith("500 ")
    assert wire.ask("NOOP").startswith("200 ")


def test_a_name_is_255_bytes_long_at_most(site: Site, wire: Wire) -> None:
    assert wire.store("ü" * 125 + ".csv", b"Phone\n").startswith("226 ")
    with wire.passive():
        assert wire.ask("STOR " + "ü" * 126 + ".csv").startswith("553 The name is longer than 255 bytes")


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("MKD new", "550"),
        ("XMKD new", "550"),
        ("RMD reports", "550"),
        ("APPE a.csv", "550"),
        ("REST 10", "550"),
        ("REST 0", "350"),
        ("SITE CHMOD 777 a.csv", "504"),
        ("DELE reports", "550"),
        ("RNFR reports", "550"),
        ("RNTO b.csv", "503"),
        ("CWD nowhere", "550"),
        ("CWD ../../etc", "550"),
        ("MFMT 2026 a.csv", "501"),
        ("MFMT 20261121070000 a.csv", "550"),
        ("SIZE a.csv", "550"),
        ("MDTM a.csv", "550"),
        ("FOO", "500"),
        ("TYPE E", "504"),
        ("AUTH TLS", "500"),
    ],
)
def test_what_is_not_for_customers_is_refused_and_the_session_lives(wire: Wire, command: str, code: str) -> None:
    assert wire.ask(command).startswith(f"{code} ")
    assert wire.ask("NOOP").startswith("200 ")


@pytest.mark.parametrize("command", ["STOR a.csv", "STOU", "LIST", "NLST", "MLSD"])
def test_transfers_need_a_data_connection(wire: Wire, command: str) -> None:
    assert wire.ask(command).startswith("425 ")


def test_an_old_listing_does_not_go_to_the_next_connection(site: Site, wire: Wire) -> None:
    wire.ask("EPSV")
    assert wire.ask("LIST").startswith("150 ")
    assert wire.store("a.csv", b"Phone\n").startswith("226 ")
    (row,) = site.settled()
    assert site.content(row) == b"Phone\n"


def test_features_do_not_promise_to_resume(site: Site) -> None:
    features = site.enter().sendcmd("FEAT")
    assert "REST" not in features
    assert "AUTH" not in features
    for feature in ("EPSV", "MDTM", "MFMT", "MLST type*;", "SIZE", "UTF8"):
        assert f"\n {feature}" in features


@pytest.mark.parametrize("command", ["PORT 192,0,2,7,200,1", "EPRT |1|192.0.2.7|51201|"])
def test_data_goes_to_the_client_only(wire: Wire, command: str) -> None:
    assert wire.ask(command).startswith("501 Rejected data connection to foreign address")


def test_data_does_not_go_to_privileged_ports(wire: Wire) -> None:
    assert wire.ask("PORT 127,0,0,1,0,25").startswith("501 PORT against the privileged port")


def test_active_transfers(site: Site) -> None:
    ftp = site.enter()
    ftp.set_pasv(False)
    assert "reports" in ftp.nlst()
    ftp.quit()


def test_an_exhausted_range_of_ports_is_said_so(make_site: SiteMaker) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        site = make_site(passive_ports=f"{port}-{port}")
        wire = Wire(site)
        wire.log_in(site)
        assert wire.ask("PASV").startswith("425 All data ports are in use")
        assert wire.ask("EPSV").startswith("425 ")
    assert wire.ask("PASV").startswith("227 ")


def test_the_passive_range_and_the_masquerade_address_are_used(make_site: SiteMaker) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    site = make_site(passive_ports=f"{port}-{port}", masquerade_address="198.51.100.4")
    wire = Wire(site)
    wire.log_in(site)
    assert f"(198,51,100,4,{port // 256},{port % 256})" in wire.ask("PASV")


def test_clear_text_behind_auth_is_forgotten(make_site: SiteMaker) -> None:
    site = make_site(tls=True)
    wire = Wire(site)
    # STARTTLS injection: what an attacker put behind AUTH would be obeyed as if it had come through TLS.
    wire.send("AUTH TLS", "USER injected")
    assert wire.reply().startswith("234 ")
    context = ssl.create_default_context()
    site.authority.configure_trust(context)
    with context.wrap_socket(wire.socket, server_hostname="localhost") as tls:
        tls.sendall(b"NOOP\r\n")
        assert tls.recv(100).startswith(b"200 ")
        tls.sendall(b"PASS x\r\n")
        assert tls.recv(100).startswith(b"503 "), "no USER was heard"


@pytest.mark.parametrize("command", ["NLST", "LIST", "MLSD"])
def test_an_empty_folder_is_listed_under_tls_too(make_site: SiteMaker, command: str) -> None:
    ftp = make_site(tls=True).enter_tls()
    ftp.cwd("reports")
    found: list[str] = []
    assert ftp.retrlines(command, found.append).startswith("226 ")
    assert found == []
    ftp.quit()


def test_required_tls_is_required_everywhere(make_site: SiteMaker) -> None:
    site = make_site(tls=True, required=True)
    wire = Wire(site)
    assert wire.ask("USER acme").startswith("550 ")
    ftp = site.enter_tls()
    assert ftp.sendcmd("PASV").startswith("227 ")
    with pytest.raises(Exception, match="534"):
        ftp.prot_c()
    assert "reports" in ftp.nlst()
    ftp.sendcmd("REIN")
    ftp.sendcmd(f"USER {site.login.user}")
    ftp.sendcmd(f"PASS {site.login.password}")
    with pytest.raises(Exception, match="550"):
        ftp.sendcmd("PASV")
    ftp.close()


def test_the_server_says_nothing_unasked_on_a_tls_data_connection(make_site: SiteMaker) -> None:
    # What a sending client leaves unread makes its kernel reset the connection, and the end of its file is lost.
    ftp = make_site(tls=True).enter_tls()
    connection = ftp.transfercmd("STOR a.csv")
    connection.sendall(b"Phone\n")
    with socket.socket(fileno=os.dup(connection.fileno())) as raw:
        raw.settimeout(0.5)
        with pytest.raises(TimeoutError):
            raw.recv(1, socket.MSG_PEEK)
    connection.close()
    ftp.close()


def test_old_tls_is_refused(make_site: SiteMaker) -> None:
    site = make_site(tls=True)
    wire = Wire(site)
    assert wire.ask("AUTH TLS").startswith("234 ")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    site.authority.configure_trust(context)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
        context.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.raises((ssl.SSLError, OSError)):
        context.wrap_socket(wire.socket, server_hostname="localhost")


def test_a_half_closed_tls_data_connection_burns_no_core(make_site: SiteMaker) -> None:
    site = make_site(tls=True)
    ftp = site.enter_tls()
    raw, _ = ftp.ntransfercmd("STOR a.csv")
    raw.sendall(b"Phone\n")
    # The client ends its half and does not read ours.
    socket.socket.shutdown(raw, socket.SHUT_WR)
    assert site.turns_of_a_second() < 100
    raw.close()


def test_a_foreign_connection_does_not_get_the_data_port(site: Site, wire: Wire) -> None:
    numbers = wire.ask("PASV").split("(")[1].split(")")[0].split(",")
    port = int(numbers[4]) * 256 + int(numbers[5])
    with socket.create_connection(("127.0.0.1", port), 5, source_address=("127.0.0.2", 0)):
        assert wire.reply().startswith("425 Rejected data connection from foreign address")
