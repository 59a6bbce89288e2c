"""Data connections that must resume their control connection's TLS session: a neighbour behind one address cannot."""

from __future__ import annotations

import ftplib
import io
import shlex
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.eventually import eventually
from tests.ftp.conftest import SiteMaker
from tests.ftp.site import Site

FILE = b"Phone\n2125550123\n"
_REFUSED = "522 The data connection must resume"


class Resuming(ftplib.FTP_TLS):
    """ftplib's own data connections begin a session of their own."""

    def ntransfercmd(self, cmd: str, rest: int | str | None = None) -> tuple[socket.socket, int | None]:
        connection, size = ftplib.FTP.ntransfercmd(self, cmd, rest)
        assert isinstance(self.sock, ssl.SSLSocket)
        wrapped = self.context.wrap_socket(connection, server_hostname=self.host, session=self.sock.session)
        return wrapped, size


@pytest.fixture
def site(make_site: SiteMaker) -> Site:
    return make_site(tls=True, required=True, reuse=True)


def enter(site: Site, client: Callable[..., ftplib.FTP_TLS] = Resuming) -> ftplib.FTP_TLS:
    ftp = client(context=context(site), timeout=20)
    ftp.connect("127.0.0.1", site.server.port)
    ftp.host = "localhost"
    ftp.login(site.login.user, site.login.password)
    ftp.prot_p()
    return ftp


def context(site: Site) -> ssl.SSLContext:
    found = ssl.create_default_context()
    site.authority.configure_trust(found)
    return found


def break_in(own: ssl.SSLContext, address: tuple[str, int], session: ssl.SSLSession | None = None) -> ssl.SSLSocket:
    """A data connection that is not the client's."""
    return own.wrap_socket(socket.create_connection(address, 20), server_hostname="localhost", session=session)


def send(ftp: ftplib.FTP, name: str = "a.csv") -> str:
    return ftp.storbinary(f"STOR {name}", io.BytesIO(FILE))


def test_a_client_that_resumes_sends_and_lists(site: Site) -> None:
    ftp = enter(site)
    for name in ("a.csv", "b.csv"):
        assert send(ftp, name).startswith("226 ")
    assert "a.csv" in ftp.nlst()
    ftp.quit()
    assert [row["evidence"] for row in site.settled(2)] == ["proven", "proven"]


def test_one_that_begins_a_session_of_its_own_is_told_so(site: Site) -> None:
    ftp = enter(site, ftplib.FTP_TLS)
    for command in ("STOR a.csv", "LIST"):
        with suppress(OSError):  # its data connection is closed before it has written all
            ftp.transfercmd(command).close()
        with pytest.raises(ftplib.error_perm, match=_REFUSED):
            ftp.getresp()
    assert site.uploads() == []


def test_without_the_setting_it_is_served(make_site: SiteMaker) -> None:
    assert send(enter(make_site(tls=True), ftplib.FTP_TLS)).startswith("226 ")


@pytest.mark.parametrize("comes", ["before the command", "behind it"])
@pytest.mark.parametrize("has", ["nothing", "a session of its own"])
def test_an_intruder_from_the_same_address_brings_nothing_in(site: Site, comes: str, has: str) -> None:
    ftp, other = enter(site), enter(site)
    assert isinstance(other.sock, ssl.SSLSocket)
    intruders, stolen = (context(site), None) if has == "nothing" else (other.context, other.sock.session)
    address = ftp.makepasv()
    if comes == "behind it":
        assert ftp.sendcmd("STOR a.csv").startswith("150 ")
    with capture_logs() as logs, suppress(OSError), break_in(intruders, address, stolen) as intruder:
        intruder.sendall(b"+12125550188,neighbour\n")
        intruder.unwrap()
    eventually(lambda: [line["event"] for line in logs], lambda found: "ftp_data_connection_refused" in found)
    with pytest.raises(ftplib.Error, match=r"522 |425 "):
        if comes == "behind it":
            ftp.getresp()
        else:
            ftp.sendcmd("STOR a.csv")
    assert send(ftp).startswith("226 "), "the session goes on"
    assert [site.content(row) for row in site.settled()] == [FILE]


def test_reports_and_listings_are_for_the_client_only(site: Site) -> None:
    ftp = enter(site)
    address = ftp.makepasv()
    assert ftp.sendcmd("LIST").startswith("150 ")
    heard = b""
    with suppress(OSError), break_in(context(site), address) as intruder:
        heard = intruder.recv(100)
    assert heard == b""
    with pytest.raises(ftplib.error_perm, match=_REFUSED):
        ftp.getresp()


def test_a_renewed_certificate_does_not_end_what_is_resumed(site: Site) -> None:
    ftp = enter(site)
    site.server.reload_certificate()
    assert send(ftp).startswith("226 ")
    assert send(enter(site), "b.csv").startswith("226 ")


def test_a_client_that_does_not_begin_its_handshake_burns_no_core(make_site: SiteMaker) -> None:
    stalled = make_site(tls=True)
    ftp = enter(stalled, ftplib.FTP_TLS)
    with socket.create_connection(ftp.makepasv(), 20):
        assert ftp.sendcmd("LIST")[:3] in ("125", "150")
        assert stalled.turns_of_a_second() < 100


@pytest.mark.parametrize("tool", ["curl", "lftp"])
def test_what_clients_do(site: Site, tmp_path: Path, tool: str) -> None:
    if shutil.which(tool) is None:
        pytest.skip(f"needs {tool}")
    file, authority = tmp_path / "members.csv", tmp_path / "ca.pem"
    file.write_bytes(FILE)
    site.authority.cert_pem.write_to_path(str(authority))
    user, password, port = site.login.user, site.login.password, site.server.port
    address = f"ftp://localhost:{port}"
    commands = {
        "curl": f"curl -sS --ssl-reqd --cacert {authority} --user {user}:{password} -T {file} {address}"
        f" -T {file} {address}/preformatted/",
        "lftp": f"lftp -u {user},{password} {address} -e"
        f" 'set ssl:ca-file {authority}; set ftp:ssl-force yes; put {file}; cls; bye'",
    }
    done = subprocess.run(shlex.split(commands[tool]), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert {site.content(row) for row in site.settled()} == {FILE}
