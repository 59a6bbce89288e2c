"""What real clients leave behind when they are killed in the middle of an upload: never a file that looks whole."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from tests.eventually import eventually
from tests.ftp.conftest import SiteMaker
from tests.ftp.site import Site

# More than the kernel's buffers hold, so that a part of it has reached the server.
PART = b"Phone\n" + b"2125550123\n" * 100_000

FTPLIB = """\
import ftplib, ssl, sys
host, port, user, password, name, tls = sys.argv[1:]
if tls:
    ftp = ftplib.FTP_TLS(context=ssl.create_default_context(cafile=tls))
    ftp.connect(host, int(port)); ftp.login(user, password); ftp.prot_p()
else:
    ftp = ftplib.FTP(); ftp.connect(host, int(port)); ftp.login(user, password)
ftp.storbinary(f"STOR {name}", sys.stdin.buffer)
ftp.quit()
"""

Command = Callable[[Site, Path | None], list[str]]


def ftplib_client(site: Site, authority: Path | None) -> list[str]:
    where = ["localhost", str(site.server.port), site.login.user, site.login.password]
    return [sys.executable, "-c", FTPLIB, *where, "a.csv", str(authority or "")]


def curl(site: Site, authority: Path | None) -> list[str]:
    tls = ["--ssl-reqd", "--cacert", str(authority)] if authority else []
    user = f"{site.login.user}:{site.login.password}"
    return ["curl", "-sS", *tls, "-u", user, "-T", "-", f"ftp://localhost:{site.server.port}/a.csv"]


def lftp(site: Site, authority: Path | None) -> list[str]:
    tls = f"set ssl:ca-file {authority}; set ftp:ssl-force true" if authority else "set ftp:ssl-allow false"
    there = f"open -p {site.server.port} -u {site.login.user},{site.login.password} localhost"
    return ["lftp", "--norc", "-c", f"{tls}; set net:max-retries 1; {there}; put /dev/stdin -o a.csv"]


def ncftpput(site: Site, authority: Path | None) -> list[str]:
    login = ["-u", site.login.user, "-p", site.login.password, "-P", str(site.server.port)]
    return ["ncftpput", *login, "-c", "localhost", "a.csv"]


PLAIN = [ftplib_client, curl, lftp, ncftpput]
TLS = [ftplib_client, curl, lftp]


def needs(command: Command) -> None:
    program = command.__name__
    if program != "ftplib_client" and shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")


def start(arguments: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def kill_in_the_middle(site: Site, arguments: list[str], by: signal.Signals) -> None:
    """Ends when the client is dead and the server has heard so."""
    known = set(parts(site))
    with start(arguments) as client:
        assert client.stdin is not None
        client.stdin.write(PART)
        client.stdin.flush()
        eventually(lambda: [p for p in parts(site) if p not in known and p.stat().st_size], bool)
        # Again and again: Python loses a Ctrl-C that comes an instant before it blocks.
        eventually(lambda: client.send_signal(by) or client.poll(), lambda code: code is not None, pause=0.3)
    eventually(lambda: set(parts(site)) - known, lambda left: not left)


def parts(site: Site) -> Iterable[Path]:
    return list((site.settings.spool_dir / "incoming").glob("*.part"))


def kill_often(site: Site, command: Command, authority: Path | None, by: signal.Signals) -> None:
    for _ in range(2):
        kill_in_the_middle(site, command(site, authority), by)
    rows = site.settled()
    assert [row["evidence"] for row in rows] == ["cut"] * len(rows)
    assert all(row["evidence_note"] for row in rows)


SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
# On the wire ncftpput's answer to Ctrl-C is a complete upload; only the content can tell.
LOOKS_WHOLE = (ncftpput, signal.SIGINT)


@pytest.mark.parametrize(
    ("command", "by"),
    [(command, by) for command in PLAIN for by in SIGNALS if (command, by) != LOOKS_WHOLE],
    ids=lambda value: value.name if isinstance(value, signal.Signals) else value.__name__,
)
def test_a_killed_client_leaves_a_cut_file(site: Site, command: Command, by: signal.Signals) -> None:
    needs(command)
    kill_often(site, command, None, by)


@pytest.mark.parametrize("by", SIGNALS, ids=lambda s: s.name)
@pytest.mark.parametrize("command", TLS, ids=lambda c: c.__name__)
def test_a_killed_tls_client_leaves_a_cut_file(
    make_site: SiteMaker, tmp_path: Path, command: Command, by: signal.Signals
) -> None:
    needs(command)
    site = make_site(tls=True)
    authority = tmp_path / "authority.pem"
    site.authority.cert_pem.write_to_path(authority)
    kill_often(site, command, authority, by)


@pytest.mark.parametrize("command", PLAIN, ids=lambda c: c.__name__)
def test_a_client_that_lives_leaves_a_whole_file(site: Site, command: Command) -> None:
    needs(command)
    with start(command(site, None)) as client:
        client.communicate(PART, 20)
    (row,) = site.settled()
    assert row["evidence"] == "assumed"
    assert site.content(row) == PART


@pytest.mark.parametrize("command", TLS, ids=lambda c: c.__name__)
def test_a_tls_client_that_lives_proves_its_file(make_site: SiteMaker, tmp_path: Path, command: Command) -> None:
    needs(command)
    site = make_site(tls=True)
    authority = tmp_path / "authority.pem"
    site.authority.cert_pem.write_to_path(authority)
    with start(command(site, authority)) as client:
        client.communicate(PART, 20)
    (row,) = site.settled()
    assert (row["evidence"], row["channel"]) == ("proven", "ftps")
    assert site.content(row) == PART
