"""What a client may do to a file it has sent: give it its final name, or take it back."""

from __future__ import annotations

import ftplib
import io
from datetime import UTC, datetime, timedelta

import pytest

from alp_daemon.store.store import Store, stamp
from tests.eventually import eventually
from tests.ftp.conftest import SiteMaker
from tests.ftp.site import Site, Wire

FILE = b"Phone\n2125550123\n"


@pytest.fixture
def ftp(site: Site) -> ftplib.FTP:
    return site.enter()


def put(ftp: ftplib.FTP, name: str) -> None:
    ftp.storbinary(f"STOR {name}", io.BytesIO(FILE))


def pick_up(store: Store, upload: int) -> bool:
    """As a worker does that has seen it in the queue. Whether it has it now."""
    now = datetime.now(UTC)
    with store.write() as transaction:
        taken = transaction.run(
            "uploads.lease",
            id=upload,
            owner="a worker",
            seen=None,
            until=stamp(now + timedelta(minutes=1)),
            now=stamp(now),
        )
    return bool(taken)


@pytest.mark.parametrize("temporary", ["a.csv.tmp", ".a.csv", "upload_17", "a.csv"])
def test_a_rename_is_the_arrival(site: Site, ftp: ftplib.FTP, temporary: str) -> None:
    put(ftp, temporary)
    assert ftp.rename(temporary, "members.csv") == "250 Renamed."
    (row,) = site.settled()
    assert (row["name"], row["feed"], row["waits_for"]) == ("members.csv", "members", None)
    assert row["arrived_at"] > row["received_at"]
    assert ftp.size("members.csv") == len(FILE)


def test_a_rename_into_another_folder(site: Site, ftp: ftplib.FTP) -> None:
    put(ftp, "list.tmp")
    ftp.rename("list.tmp", "/preformatted/list.csv")
    assert site.uploads()[0]["feed"] == "preformatted"


def test_rnfr_directly_after_the_upload_is_in_time(site: Site) -> None:
    wire = Wire(site)
    wire.log_in(site)
    wire.store("a.csv", FILE)
    assert wire.ask("RNFR a.csv").startswith("350 ")
    assert site.uploads()[0]["waits_for"] == "rename"
    assert wire.ask("RNTO b.csv").startswith("250 ")
    assert site.settled()[0]["waits_for"] is None


@pytest.mark.parametrize("command", ["RNFR a.csv", "DELE a.csv"])
def test_what_is_taken_back_at_once_is_never_due(make_site: SiteMaker, command: str) -> None:
    def quick_worker(store: Store) -> None:
        with store.read() as transaction:
            due = transaction.one("uploads.next", customer="acme")
        if due is not None and due["evidence"]:
            pick_up(store, due["id"])

    site = make_site(on_due=quick_worker)
    wire = Wire(site)
    wire.log_in(site)
    wire.store("a.csv", FILE)
    assert wire.ask(command).startswith(("350 ", "250 "))


@pytest.mark.parametrize("leave", ["NOOP", "QUIT", "STAT", "RNTO reports", "RNFR nothing.csv"])
def test_rnfr_without_rnto_puts_it_back(site: Site, leave: str) -> None:
    wire = Wire(site)
    wire.log_in(site)
    wire.store("a.csv", FILE)
    wire.ask("RNFR a.csv")
    wire.ask(leave)
    eventually(lambda: site.uploads()[0], lambda row: row["waits_for"] is None and row["evidence"] == "assumed")
    assert site.uploads()[0]["name"] == "a.csv"


def test_rnfr_and_a_hang_up_put_it_back(site: Site) -> None:
    wire = Wire(site)
    wire.log_in(site)
    wire.store("a.csv", FILE)
    wire.ask("RNFR a.csv")
    wire.close()
    eventually(lambda: site.uploads()[0], lambda row: row["waits_for"] is None)


def test_what_was_picked_up_stays(site: Site, ftp: ftplib.FTP) -> None:
    put(ftp, "a.csv")
    site.settled()
    pick_up(site.store, 1)
    for command in ("RNFR a.csv", "DELE a.csv"):
        with pytest.raises(ftplib.error_perm, match="550 It was picked up for processing already"):
            ftp.sendcmd(command)


def test_no_worker_picks_it_up_between_the_two_commands(site: Site, ftp: ftplib.FTP) -> None:
    put(ftp, "a.csv")
    site.settled()
    ftp.sendcmd("RNFR a.csv")
    assert not pick_up(site.store, 1)
    assert ftp.sendcmd("RNTO b.csv") == "250 Renamed."


def test_what_is_picked_up_once_its_minute_is_over_stays(site: Site, ftp: ftplib.FTP) -> None:
    put(ftp, "a.csv")
    site.settled()
    ftp.sendcmd("RNFR a.csv")
    with site.store.write() as transaction:
        transaction.run("uploads.place", id=1, feed="members", waits_for=None, wait_until=None)
    assert pick_up(site.store, 1)
    with pytest.raises(ftplib.error_perm, match="550 It was picked up"):
        ftp.sendcmd("RNTO b.csv")
    assert site.uploads()[0]["name"] == "a.csv"


def test_a_delete_takes_it_back(site: Site, ftp: ftplib.FTP) -> None:
    put(ftp, "a.csv")
    assert ftp.delete("a.csv") == "250 Deleted."
    assert site.uploads()[0]["state"] == "discarded"
    assert "a.csv" not in ftp.nlst()


def test_another_customers_uploads_are_out_of_reach(site: Site, ftp: ftplib.FTP) -> None:
    (site.settings.customers_dir / "other.yaml").write_text("name: Other\nkeyword: OTHER\nfeeds: {}\n")
    site.registry.reload(datetime.now(UTC))
    login = site.credentials.issue("other", "ftp", "a test", datetime.now(UTC))
    put(ftp, "a.csv")
    other = site.connect()
    other.login(login.user, login.password)
    assert sorted(other.nlst()) == ["preformatted", "reports"]
    for command in ("RNFR a.csv", "DELE /a.csv", "DELE ../acme/a.csv", "SIZE a.csv"):
        with pytest.raises(ftplib.error_perm, match="550"):
            other.sendcmd(command)


def test_a_name_that_fits_no_feed_is_decided_when_the_session_ends(site: Site, ftp: ftplib.FTP) -> None:
    put(ftp, "unknown.dat")
    assert site.uploads()[0]["waits_for"] == "match"
    ftp.quit()
    eventually(lambda: site.uploads()[0]["state"], lambda state: state == "rejected")
