"""Data connections that end before their TLS handshake is done: the client gets its answer all the same."""

from __future__ import annotations

import ftplib
import socket

import pytest

from tests.ftp.conftest import SiteMaker
from tests.ftp.site import Site

HALF_A_HELLO = b"\x16\x03\x01"
NO_HELLO = b"\x16\x03\x01\x02\x00" + b"x" * 512


@pytest.fixture
def ftp(make_site: SiteMaker) -> ftplib.FTP_TLS:
    site: Site = make_site(tls=True)
    (site.intake.prepare("acme") / "reports" / "a.txt").write_text("a report")
    return site.enter_tls()


def closed(connection: socket.socket) -> None:
    connection.close()


def half_closed(connection: socket.socket) -> None:
    connection.shutdown(socket.SHUT_WR)


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    connection.close()


def refused(ftp: ftplib.FTP_TLS) -> str:
    with pytest.raises(ftplib.Error) as caught:
        ftp.getresp()
    return str(caught.value)


@pytest.mark.parametrize("command", ["LIST", "NLST", "MLSD", "RETR /reports/a.txt", "STOR a.csv"])
@pytest.mark.parametrize("end", [closed, half_closed, reset])
@pytest.mark.parametrize("begin", [b"", HALF_A_HELLO])
def test_who_leaves_in_the_middle_is_told_426(ftp: ftplib.FTP_TLS, command: str, end, begin: bytes) -> None:
    with socket.create_connection(ftp.makepasv(), 20) as connection:
        assert ftp.sendcmd(command)[:3] in ("125", "150")
        connection.sendall(begin)
        end(connection)
        # What is reset before anybody has accepted it may as well never have come.
        expected = ("425 No data connection came", "426 ") if end is reset else "426 "
        assert refused(ftp).startswith(expected)
    assert ftp.voidcmd("NOOP").startswith("200 "), "one answer and no more"


@pytest.mark.parametrize("command", ["LIST", "STOR a.csv"])
def test_who_does_not_speak_tls_is_told_522(ftp: ftplib.FTP_TLS, command: str) -> None:
    with socket.create_connection(ftp.makepasv(), 20) as connection:
        assert ftp.sendcmd(command)[:3] in ("125", "150")
        connection.sendall(NO_HELLO)
        assert refused(ftp).startswith("522 ")
    assert ftp.voidcmd("NOOP").startswith("200 "), "one answer and no more"


@pytest.mark.parametrize("begin", [b"", HALF_A_HELLO, NO_HELLO])
def test_who_leaves_before_any_command_gets_no_answer_to_none(ftp: ftplib.FTP_TLS, begin: bytes) -> None:
    with socket.create_connection(ftp.makepasv(), 20) as connection:
        ftp.voidcmd("NOOP")
        connection.sendall(begin)
    assert ftp.voidcmd("NOOP").startswith("200 ")
    assert ftp.nlst() == ["preformatted", "reports"]


def test_who_takes_its_command_back_is_told_of_both(ftp: ftplib.FTP_TLS) -> None:
    """RFC 959, 4.1.3."""
    with socket.create_connection(ftp.makepasv(), 20):
        assert ftp.sendcmd("LIST")[:3] in ("125", "150")
        ftp.putcmd("ABOR")
        assert refused(ftp).startswith("426 ")
        assert ftp.getresp().startswith("225 ")
    assert ftp.nlst() == ["preformatted", "reports"]
