"""Files sent: what is kept, what is shown, what is refused."""

from __future__ import annotations

import contextlib
import ftplib
import io
import socket
import sqlite3
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from alp_daemon.errors import AlpError
from alp_daemon.services.receiving.intake import Received, Verdict
from tests.eventually import eventually
from tests.ftp.conftest import ACME, SiteMaker
from tests.ftp.site import Site, Wire

FILE = b"Phone\r\n2125550123\r\n"


@pytest.fixture
def ftp(site: Site) -> ftplib.FTP:
    return site.enter()


def incoming(site: Site) -> list[Path]:
    return list((site.settings.spool_dir / "incoming").iterdir())


def put(ftp: ftplib.FTP, name: str, data: bytes = FILE) -> str:
    return ftp.storbinary(f"STOR {name}", io.BytesIO(data))


def test_an_upload_is_kept_and_recorded(site: Site, ftp: ftplib.FTP) -> None:
    assert put(ftp, "members.csv") == "226 Received as upload 1."
    ftp.quit()
    (row,) = site.settled()
    assert site.content(row) == FILE
    assert (row["customer"], row["feed"], row["name"], row["folder"]) == ("acme", "members", "members.csv", "")
    assert (row["channel"], row["actor"], row["ip"], row["size"]) == ("ftp", "acme", "127.0.0.1", len(FILE))
    assert row["evidence"] == "assumed"


def test_two_files_of_one_name_do_not_touch_each_other(site: Site) -> None:
    first, second = Wire(site), Wire(site)
    for wire in (first, second):
        wire.log_in(site)
    one, two = first.passive(), second.passive()
    first.ask("STOR a.csv")
    second.ask("STOR a.csv")
    for _ in range(50):
        one.sendall(b"1" * 1000)
        two.sendall(b"2" * 1000)
    one.close()
    two.close()
    assert first.reply().startswith("226 ")
    assert second.reply().startswith("226 ")
    assert sorted(site.content(row) for row in site.uploads()) == [b"1" * 50_000, b"2" * 50_000]


@pytest.mark.parametrize(
    "data", [FILE, b"a\rb\nc\r\n\r", b"\xef\xbb\xbfPhone\r", b""], ids=["crlf", "mixed", "bom", "empty"]
)
def test_text_mode_changes_no_byte(site: Site, data: bytes) -> None:
    wire = Wire(site)
    wire.log_in(site)
    wire.ask("TYPE A")
    assert wire.store("a.csv", data).startswith("226 ")
    assert wire.ask("SIZE a.csv") == f"213 {len(data)}"
    assert wire.ask("TYPE I", "SIZE a.csv") == f"213 {len(data)}"
    (row,) = site.uploads()
    assert site.content(row) == data


def test_a_scheduler_can_verify_what_it_sent(site: Site, ftp: ftplib.FTP) -> None:
    put(ftp, "members.csv")
    assert ftp.size("members.csv") == len(FILE)
    sent = datetime.strptime(ftp.sendcmd("MDTM members.csv"), "213 %Y%m%d%H%M%S").replace(tzinfo=UTC)
    assert abs((datetime.now(UTC) - sent).total_seconds()) < 60
    assert sorted(ftp.nlst()) == ["members.csv", "preformatted", "reports"]
    assert ftp.nlst("members.csv") == ["members.csv"]
    facts = dict(ftp.mlsd())["members.csv"]
    assert (facts["type"], facts["size"]) == ("file", str(len(FILE)))
    lines: list[str] = []
    ftp.retrlines("LIST", lines.append)
    assert any(line.startswith("-rw-r--r--") and line.endswith(" members.csv") for line in lines)
    assert "members.csv" in ftp.sendcmd("MLST members.csv")
    assert "members.csv" in ftp.sendcmd("STAT /")
    assert ftp.sendcmd("MFMT 20261121070000 members.csv") == "213 Modify=20261121070000; /members.csv"


def test_the_newest_upload_of_a_name_is_shown_in_another_session_too(site: Site, ftp: ftplib.FTP) -> None:
    put(ftp, "members.csv", FILE)
    put(ftp, "members.csv", FILE * 2)
    assert site.enter().size("members.csv") == len(FILE) * 2


def test_the_preformatted_folder(site: Site, ftp: ftplib.FTP) -> None:
    ftp.cwd("preformatted")
    assert ftp.pwd() == "/preformatted"
    put(ftp, "list.csv")
    assert ftp.nlst() == ["list.csv"]
    ftp.sendcmd("CDUP")
    assert ftp.nlst("preformatted") == ["list.csv"]
    (row,) = site.uploads()
    assert (row["folder"], row["feed"]) == ("preformatted", "preformatted")


def test_files_of_other_programs_are_listed_but_not_read(site: Site, ftp: ftplib.FTP) -> None:
    home = site.settings.drop_dir / "acme"
    (home / "dropped.csv").write_bytes(FILE)
    (home / "link.csv").symlink_to("/etc/passwd")
    (home / "bad\nname.csv").write_bytes(FILE)
    assert sorted(ftp.nlst()) == ["dropped.csv", "preformatted", "reports"]
    assert ftp.size("dropped.csv") == len(FILE)
    for command in ("RETR dropped.csv", "DELE dropped.csv", "RNFR dropped.csv"):
        with pytest.raises(ftplib.error_perm, match="550"):
            ftp.retrbinary(command, print) if command.startswith("RETR") else ftp.sendcmd(command)


def test_reports_are_read_and_nothing_else(site: Site, ftp: ftplib.FTP) -> None:
    reports = site.settings.drop_dir / "acme" / "reports"
    (reports / "1.txt").write_bytes(b"all is well\n")
    (reports / "secret.txt").symlink_to("/etc/passwd")
    seen: list[bytes] = []
    ftp.retrbinary("RETR reports/1.txt", seen.append)
    assert b"".join(seen) == b"all is well\n"
    put(ftp, "members.csv")
    for name in ("members.csv", "reports/secret.txt", "reports/none.txt", "reports", "../../etc/passwd"):
        with pytest.raises(ftplib.error_perm, match="550"):
            ftp.retrbinary(f"RETR {name}", seen.append)
    with pytest.raises(ftplib.error_perm, match="553 Files can be put into"):
        put(ftp, "reports/x.csv")
    with pytest.raises(ftplib.error_perm, match="550"):
        ftp.delete("reports/1.txt")


def test_a_unique_name(site: Site) -> None:
    wire = Wire(site)
    wire.log_in(site)
    with wire.passive() as connection:
        name = wire.ask("STOU").split("FILE: ")[1]
        connection.sendall(FILE)
    assert wire.reply().startswith("226 ")
    assert wire.ask(f"SIZE {name}") == f"213 {len(FILE)}"


@pytest.mark.parametrize("name", ["members .csv", "-rf", "%s.csv", "Größe ✓.csv", "a;b'c\".csv", " lead.csv"])
def test_any_printable_name(site: Site, ftp: ftplib.FTP, name: str) -> None:
    put(ftp, name)
    assert ftp.size(name) == len(FILE)
    assert site.uploads()[0]["name"] == name


def test_what_is_aborted_is_not_kept(site: Site) -> None:
    wire = Wire(site)
    wire.log_in(site)
    with wire.passive() as connection:
        wire.ask("STOR a.csv")
        connection.sendall(FILE * 100_000)
        eventually(lambda: [part.stat().st_size for part in incoming(site)], any)
        # Telnet's "interrupt process" and "synch" before it, as RFC 959 wants it. PWD waits for its turn.
        wire.send(b"\xff\xf4\xff\xf2ABOR", "PWD")
        assert [wire.reply()[:3] for _ in range(3)] == ["426", "226", "257"]
    assert site.uploads() == []
    assert incoming(site) == []


def test_a_client_that_never_connects_is_told_so_and_goes_on(site: Site) -> None:
    wire = Wire(site)
    wire.log_in(site)
    wire.ask("PASV")
    assert wire.ask("STOR a.csv").startswith("150 ")
    assert wire.store("b.csv", FILE).startswith("226 ")
    assert [row["name"] for row in site.uploads()] == ["b.csv"]


def test_commands_during_a_transfer_wait_for_its_end(site: Site) -> None:
    wire = Wire(site)
    wire.log_in(site)
    with wire.passive() as connection:
        wire.ask("STOR a.csv")
        connection.sendall(FILE)
        wire.send("PWD", "SIZE a.csv")
        assert wire.ask("NOOP").startswith("200 "), "asks at once whether we are there"
    assert [wire.reply()[:3] for _ in range(3)] == ["226", "257", "213"]


def test_a_file_too_large_is_refused_and_not_kept(make_site: SiteMaker) -> None:
    site = make_site(max_file_size=100_000)
    ftp = site.enter()
    with pytest.raises((ftplib.error_perm, OSError)):
        put(ftp, "large.csv", b"x" * 5_000_000)
    ftp = site.enter()
    put(ftp, "small.csv", b"x" * 100_000)
    assert [row["name"] for row in site.uploads()] == ["small.csv"]
    assert incoming(site) == []


@contextlib.contextmanager
def small_disk(folder: Path, size: str) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], capture_output=True).returncode:
        pytest.skip("cannot mount a small disk here (needs root)")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


@pytest.mark.parametrize("size", [3_000_000, 20_000_000], ids=["at the end", "on the way"])
def test_a_full_disk_is_said_so_and_the_session_lives(make_site: SiteMaker, tmp_path: Path, size: int) -> None:
    with small_disk(tmp_path / "data" / "spool", "2m"):
        site = make_site(free_space_floor="0")
        wire = Wire(site)
        wire.log_in(site)
        with wire.passive() as connection, contextlib.suppress(OSError):
            wire.ask("STOR a.csv")
            connection.sendall(b"x" * size)
        assert wire.reply().startswith("452 There is no room")
        assert site.uploads() == []
        assert incoming(site) == []
        assert wire.store("b.csv", FILE).startswith("226 ")


MORE_THAN_THERE_IS = "999999999GiB"


def test_below_the_floor_no_upload_begins(make_site: SiteMaker) -> None:
    site = make_site(free_space_floor=MORE_THAN_THERE_IS)
    wire = Wire(site)
    wire.log_in(site)
    with wire.passive(), capture_logs() as lines:
        assert wire.ask("STOR a.csv").startswith("452 There is no room")
    assert "free_space_floor" in next(line for line in lines if line["event"] == "ftp_upload_refused")["reason"]
    assert site.uploads() == []
    assert incoming(site) == []


def test_a_customer_may_have_a_floor_of_its_own(make_site: SiteMaker) -> None:
    site = make_site(free_space_floor=MORE_THAN_THERE_IS, customer=f"{ACME}limits: {{free_space_floor: 0}}\n")
    wire = Wire(site)
    wire.log_in(site)
    assert wire.store("a.csv", FILE).startswith("226 ")


def test_an_upload_that_runs_into_the_floor_ends_and_leaves_nothing(make_site: SiteMaker, tmp_path: Path) -> None:
    with small_disk(tmp_path / "data" / "spool", "64m"):
        site = make_site(free_space_floor="32MiB")
        wire = Wire(site)
        wire.log_in(site)
        assert wire.store("fits.csv", b"x" * 20 * 2**20).startswith("226 ")
        with wire.passive() as connection, contextlib.suppress(OSError):
            wire.ask("STOR a.csv")
            connection.sendall(b"x" * 40 * 2**20)
        assert wire.reply().startswith("452 There is no room")
        assert [row["name"] for row in site.uploads()] == ["fits.csv"]
        assert incoming(site) == []
        assert wire.store("b.csv", FILE).startswith("226 ")


@pytest.mark.parametrize(("own", "size", "code"), [("10", 11, "552"), ("10", 10, "226"), ("1MiB", 2000, "226")])
def test_a_customer_may_have_a_limit_of_its_own(make_site: SiteMaker, own: str, size: int, code: str) -> None:
    site = make_site(max_file_size=1000, customer=f"{ACME}limits: {{max_file_size: {own}}}\n")
    wire = Wire(site)
    wire.log_in(site)
    assert wire.store("a.csv", b"x" * size)[:3] == code


def test_a_locked_database_is_said_so_and_nothing_is_kept(make_site: SiteMaker) -> None:
    site = make_site(busy_seconds=0.2)
    wire = Wire(site)
    wire.log_in(site)
    other = sqlite3.connect(site.store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert wire.store("a.csv", FILE).startswith(
        "451 The file could not be kept just now: the database has been locked for long; nothing was kept"
    )
    other.execute("ROLLBACK")
    assert site.uploads() == []
    assert [p for p in site.settings.spool_dir.rglob("*") if p.is_file()] == []
    assert wire.store("a.csv", FILE).startswith("226 ")


def test_who_comes_behind_does_not_wait_for_a_locked_database_anew(
    make_site: SiteMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are told before their programs hang up: the second has waited for the first one's commit already."""
    site = make_site(busy_seconds=0.2)
    first, second = Wire(site), Wire(site)
    for wire in (first, second):
        wire.log_in(site)
    keeper, receive_all = site.server._listener.keeper, site.intake.receive_all
    commits: list[int] = []

    def once_somebody_waits(received: Sequence[Received], verdicts: Mapping[int, Verdict]) -> list[int | AlpError]:
        commits.append(len(received))
        eventually(lambda: len(keeper._next.files), lambda waiting: waiting == 1)
        return receive_all(received, verdicts)

    lock = sqlite3.connect(site.store.path, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    with monkeypatch.context() as slowly:
        slowly.setattr(site.intake, "receive_all", once_somebody_waits)
        for wire, name in ((first, "a.csv"), (second, "b.csv")):
            with wire.passive() as connection:
                assert wire.ask(f"STOR {name}").startswith("1")
                connection.sendall(FILE)
        for wire in (first, second):
            assert wire.reply().startswith("451 The file could not be kept just now: the database has been locked")
    lock.execute("ROLLBACK")
    assert commits == [1]
    assert incoming(site) == []
    assert second.store("b.csv", FILE).startswith("226 ")
    assert [row["name"] for row in site.uploads()] == ["b.csv"]


def test_the_loop_goes_round_while_the_database_is_locked(make_site: SiteMaker) -> None:
    site = make_site(busy_seconds=2)
    waiting, other = Wire(site), Wire(site)
    for wire in (waiting, other):
        wire.log_in(site)
    lock = sqlite3.connect(site.store.path, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    with waiting.passive() as connection:
        waiting.ask("STOR a.csv")
        connection.sendall(FILE)
    assert other.ask("PWD").startswith("257 ")
    assert other.ask("SIZE a.csv").startswith("550 "), "readers do not wait for a writer"
    lock.execute("ROLLBACK")
    assert waiting.reply().startswith("226 ")


def test_a_reader_that_is_too_slow_for_it_gets_the_whole_report(make_site: SiteMaker) -> None:
    site = make_site(tls=True)
    report = b"0123456789" * 1_000_000
    ftp = site.enter_tls()
    (site.settings.drop_dir / "acme" / "reports" / "1.txt").write_bytes(report)
    ftp.voidcmd("TYPE I")
    connection, _ = ftp.ntransfercmd("RETR reports/1.txt")
    connection.settimeout(20)
    received = b""
    while chunk := connection.recv(65536):
        received += chunk
    assert received == report
    socket.socket.close(connection)
    assert ftp.voidresp().startswith("226")
