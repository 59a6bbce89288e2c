"""Links and pipes that somebody has put into a customer's folder: they lead nowhere, and stop nobody."""

from __future__ import annotations

import ftplib
import io
import os
import stat
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from alp_daemon.channels.ftp.folder import CustomerFolder, tree
from alp_daemon.domain.model import Evidence
from alp_daemon.services.receiving.intake import Sender
from tests.ftp.site import Site, Wire

SECRET = b"the neighbour's numbers"


def home(site: Site) -> Path:
    return site.intake.prepare("acme")


def elsewhere(site: Site) -> Path:
    """A folder that is not the customer's, with a file in it."""
    folder = site.settings.data_dir / "elsewhere"
    folder.mkdir()
    (folder / "secret.csv").write_bytes(SECRET)
    return folder


def plant(site: Site, folder: str) -> None:
    """A link in the place of one of the customer's folders."""
    path = home(site) / folder
    path.rmdir()
    path.symlink_to(elsewhere(site))


def read(ftp: ftplib.FTP, path: str) -> bytes:
    into = io.BytesIO()
    ftp.retrbinary(f"RETR {path}", into.write)
    return into.getvalue()


def open_beneath(folder: Path) -> list[Path]:
    """What this process has open in a folder, and the folder itself."""
    found = []
    for each in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            found.append(each.readlink())
    return [path for path in found if path.is_relative_to(folder)]


def test_a_report_is_read(site: Site) -> None:
    (home(site) / "reports" / "a.txt").write_bytes(b"report")
    ftp = site.enter()
    assert "a.txt" in " ".join(ftp.nlst("/reports"))
    assert read(ftp, "/reports/a.txt") == b"report"


@pytest.mark.parametrize("folder", ["reports", "preformatted"])
def test_a_linked_folder_shows_nothing(site: Site, folder: str) -> None:
    ftp = site.enter()
    plant(site, folder)
    with capture_logs() as logs:
        for command in (f"NLST /{folder}", f"RETR /{folder}/secret.csv", f"SIZE /{folder}/secret.csv"):
            with pytest.raises(ftplib.Error, match="451 The folder cannot be read"):
                ftp.makepasv()
                ftp.voidcmd(command)
    assert f"{folder} is a link or a file, not a folder" in logs[0]["reason"]


@pytest.mark.parametrize("folder", ["reports", "preformatted"])
def test_whose_folder_is_a_link_is_not_let_in_until_it_is_one(site: Site, folder: str) -> None:
    plant(site, folder)
    wire = Wire(site)
    with capture_logs() as logs:
        reply = wire.ask(f"USER {site.login.user}", f"PASS {site.login.password}")
    assert reply.startswith("451 Your folder is not available")
    assert "not a folder" in next(line["reason"] for line in logs if line["event"] == "ftp_unavailable")
    (home_of(site) / folder).unlink()  # it is made anew
    wire.log_in(site)


def home_of(site: Site) -> Path:
    return site.settings.drop_dir / "acme"


def test_the_operator_may_have_linked_the_customer_s_own_folder(site: Site) -> None:
    site.settings.drop_dir.mkdir(parents=True, exist_ok=True)
    home_of(site).symlink_to(elsewhere(site))
    assert "secret.csv" in site.enter().nlst()


def test_what_is_no_regular_file_is_not_opened(site: Site) -> None:
    reports = home(site) / "reports"
    os.mkfifo(reports / "pipe")
    (reports / "folder").mkdir()
    (reports / "link").symlink_to(elsewhere(site) / "secret.csv")
    ftp = site.enter()
    for name in ("pipe", "folder", "link"):
        with pytest.raises(ftplib.error_perm, match="550 No such file"):
            ftp.sendcmd(f"RETR /reports/{name}")
    assert open_beneath(reports) == []
    assert ftp.nlst("/reports") == []


def test_what_took_a_report_s_place_since_it_was_listed_is_not_opened_either(site: Site) -> None:
    path = home(site) / "reports" / "a.txt"
    path.write_bytes(b"report")
    folder = CustomerFolder(home(site), None)
    folder.tree = tree(home(site), [], "/reports/a.txt")
    with folder.open("/reports/a.txt", "rb") as file:
        assert file.read() == b"report"
    for put in (os.mkfifo, os.mkdir, lambda name: name.symlink_to("/etc/hostname")):
        path.unlink() if not path.is_dir() else path.rmdir()
        put(path)
        with pytest.raises(OSError, match=r"Not a regular file|symbolic links"):
            folder.open("/reports/a.txt", "rb")
    assert open_beneath(path.parent) == []


def test_a_report_is_not_written_through_a_link(site: Site) -> None:
    reports, victim = home(site) / "reports", elsewhere(site) / "secret.csv"
    wanted = ["000001-no-feed.dat.report.json", "000001-no-feed.dat.report.txt"]
    for name in wanted:
        (reports / name).symlink_to(victim)
        (reports / f".{name}.part").symlink_to(victim)
    write_report(site)
    assert victim.read_bytes() == SECRET
    assert sorted(path.name for path in reports.iterdir()) == wanted
    for name in wanted:
        mode = (reports / name).lstat().st_mode
        assert stat.S_ISREG(mode)
        assert not mode & 0o007, "it may hold full numbers"


def test_a_report_is_not_written_into_a_linked_folder(site: Site) -> None:
    plant(site, "reports")
    with capture_logs() as logs:
        write_report(site)
    assert [line["customer"] for line in logs if line["event"] == "report_not_written"] == ["acme"]
    assert [path.name for path in (home_of(site) / "reports").iterdir()] == ["secret.csv"]


def write_report(site: Site) -> None:
    """Of an upload that no feed takes."""
    incoming, now = site.intake.begin("acme"), datetime.now(UTC)
    incoming.write(b"Phone\n")
    site.intake.receive(incoming, "acme", "no-feed.dat", "", Sender("ftp", "acme"), now, evidence=Evidence.assumed)
    site.intake.reports.publish_recent(site.end_unworked())
