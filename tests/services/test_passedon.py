"""A number that somebody knows an upload by means no other one after a restore, and its report tells what is so now."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from alp_daemon.errors import Refused
from alp_daemon.files import drop
from alp_daemon.services.decisions.undo import undo
from alp_daemon.services.reports.publish import Reports
from alp_daemon.services.safekeeping.restore import Restored
from alp_daemon.store.store import stamp
from tests.databases import sqlite_only
from tests.services.backups import back_up, bring_back, contents, faults
from tests.services.provider import Provider, number, numbers

pytestmark = sqlite_only


@pytest.fixture
def newer(acme: Provider) -> Provider:
    """Uploads 2 to 4 came after the backup: the last one waits, the one before has a reject. Reports are published."""
    drop.prepare(acme.settings.drop_dir / "acme")
    acme.process("append.csv", numbers(2))
    back_up(acme)
    acme.process("append.csv", {number(7): "x"})
    acme.process("append.csv", {number(8): "", "nonsense": ""})
    acme.send("append.csv", numbers(4))
    publish(acme)
    return acme


def folder(provider: Provider) -> Path:
    return provider.settings.drop_dir / "acme" / "reports"


def publish(provider: Provider) -> None:
    """As the daemon does at its start."""
    Reports(provider.store, provider.settings.drop_dir).publish_recent(provider.tick())


def told(provider: Provider, upload: int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder(provider) / f"{upload:06}-append.csv.report.json").read_text())
    return found


def kept(done: Restored) -> Path:
    assert done.replaced is not None
    return Path(done.replaced)


def test_the_next_upload_has_a_number_that_nobody_has_seen(newer: Provider) -> None:
    assert bring_back(newer, anyway=True).given_up == (2, 3, 4)
    assert newer.send("append.csv", numbers(3)) == 5


def test_they_stay_known_as_what_they_are_now(newer: Provider) -> None:
    bring_back(newer, anyway=True)
    assert (newer.upload(1).state, newer.upload(1).feed) == ("applied", "append")
    for each in (2, 3, 4):
        upload = newer.upload(each)
        assert (upload.state, upload.feed, upload.name, upload.never_seen) == ("discarded", "append", "append.csv", 0)
        assert "brought back from a backup" in upload.reason
    with pytest.raises(Refused, match="discarded"):
        undo(newer.store, 2, "Ann", newer.tick())
    assert faults(newer) == []


def test_reports_tell_what_is_so_now_and_the_old_ones_are_kept(newer: Provider) -> None:
    assert told(newer, 3)["rows"]["rejected"] == 1
    before = {path.name: path.read_bytes() for path in folder(newer).glob("00000[23]-*")}
    assert "000003-append.csv.rejects.csv" in before
    done = bring_back(newer, anyway=True)
    assert {path.name: path.read_bytes() for path in (kept(done) / "reports" / "acme").iterdir()} == before
    publish(newer)
    assert {each: told(newer, each)["state"] for each in (1, 2, 3, 4)} == {
        1: "applied",
        2: "discarded",
        3: "discarded",
        4: "discarded",
    }
    assert told(newer, 2)["changes"]["opted_in"] == 0
    assert not (folder(newer) / "000003-append.csv.rejects.csv").exists(), "it is of a reading that is not so any more"


def test_the_report_of_what_the_backup_knows_stays(newer: Provider) -> None:
    path = folder(newer) / "000001-append.csv.report.json"
    before = path.stat()
    bring_back(newer, anyway=True)
    assert path.stat() == before


def test_who_was_told_nothing_is_told_nothing(newer: Provider) -> None:
    with newer.store.write() as transaction:
        assert transaction.one("uploads.withdraw", id=4, reason="deleted by its sender", now=stamp(newer.tick()))
    bring_back(newer, anyway=True)
    publish(newer)
    assert newer.upload(4).state == "discarded"
    assert not list(folder(newer).glob("000004-*"))


def test_a_number_stays_taken_however_often_a_backup_is_brought_back(newer: Provider) -> None:
    bring_back(newer, anyway=True)
    publish(newer)
    before = newer.upload(2), told(newer, 2)
    again = bring_back(newer)
    assert again.given_up == (), "no word of anything newer: there is nothing that could be lost"
    assert not {"uploads.csv", "reports"} & {path.name for path in kept(again).iterdir()}
    assert (newer.upload(2), told(newer, 2)) == before
    assert newer.process("append.csv", numbers(3))["upload"] == 5
    with pytest.raises(Refused, match=r"come further than the backup \(1 uploads and 1 changes"):
        bring_back(newer)
    done = bring_back(newer, anyway=True)
    with (kept(done) / "uploads.csv").open(newline="") as file:
        assert [(row["id"], row["feed"]) for row in csv.DictReader(file)] == [("5", "append")]
    assert newer.send("append.csv", numbers(3)) == 6


def test_what_a_damaged_database_had_is_told_by_the_reports(newer: Provider) -> None:
    newer.store.close()
    path = newer.settings.data_dir / "alp.db"
    path.write_bytes(path.read_bytes()[:4096] + bytes(4096 * 5))
    done = bring_back(newer)
    assert done.unreadable is not None
    assert done.given_up == (2, 3)
    publish(newer)
    assert (told(newer, 3)["state"], told(newer, 3)["name"]) == ("discarded", "append.csv")
    assert newer.send("append.csv", numbers(3)) == 4
    assert faults(newer) == []


def test_names_made_up_use_no_numbers_up(newer: Provider) -> None:
    for name in ("999999999999-x.report.json", "000077-x.csv", "77-x.report.txt"):
        (folder(newer) / name).write_text("not ours")
    (folder(newer) / "000078-x.report.txt").symlink_to("/etc/hostname")
    (newer.settings.drop_dir / "bolt").mkdir()
    (newer.settings.drop_dir / "bolt" / "reports").symlink_to(folder(newer))
    assert bring_back(newer, anyway=True).given_up == (2, 3, 4)
    assert (folder(newer) / "000077-x.csv").exists()


def test_where_nothing_came_since_nothing_is_passed_on(acme: Provider) -> None:
    acme.process("append.csv", numbers(2))
    back_up(acme)
    before = contents(acme.store)
    assert bring_back(acme).given_up == ()
    assert contents(acme.store) == before
    assert acme.send("append.csv", numbers(3)) == 2


def test_what_was_given_up_has_not_come(newer: Provider) -> None:
    """An expected file is missed again."""
    bring_back(newer, anyway=True)
    came = newer.rows("alarms.came", customer="acme", feed="append", since="")
    assert [row["id"] for row in came] == [1]
