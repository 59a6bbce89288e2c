"""Reports where the customer finds them, whole and as the upload stands; and files forgotten on time."""

from __future__ import annotations

import fcntl
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from alp_daemon.domain.model import Evidence
from alp_daemon.services.decisions import holds
from alp_daemon.services.decisions.undo import undo
from alp_daemon.services.processing import queue
from alp_daemon.services.processing.finish import Work
from alp_daemon.services.processing.process import _ended
from alp_daemon.services.reports import publish, reporttext
from alp_daemon.services.reports.publish import Reports
from alp_daemon.services.safekeeping import retention
from alp_daemon.store.sql import queries
from alp_daemon.store.store import moment, stamp
from tests import databases
from tests.services.provider import Provider, feed, number, numbers


def reports(acme: Provider) -> Path:
    return acme.settings.drop_dir / "acme" / "reports"


def bring(acme: Provider) -> int:
    return Reports(acme.store, acme.settings.drop_dir).bring_up_to_date("acme", acme.now)


def published(acme: Provider) -> dict[str, str]:
    bring(acme)
    return {path.name: path.read_text() for path in sorted(reports(acme).iterdir())}


@contextmanager
def locked_by_another(*folders: Path) -> Iterator[None]:
    """As anybody may who may read them."""
    descriptors = [os.open(folder, os.O_RDONLY) for folder in folders]
    try:
        for descriptor in descriptors:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        for descriptor in descriptors:
            os.close(descriptor)


class TestPublish:
    def test_text_json_and_rejects(self, acme: Provider) -> None:
        report = acme.process("append.csv", f"Phone,Tags\n{number(1)},a\nbad,b\n")
        found = published(acme)
        assert list(found) == [
            "000001-append.csv.rejects.csv",
            "000001-append.csv.report.json",
            "000001-append.csv.report.txt",
        ]
        assert found["000001-append.csv.rejects.csv"].splitlines() == [
            "row,column,value,reason",
            "3,Phone,bad,not_a_number",
        ]
        assert json.loads(found["000001-append.csv.report.json"]) == report
        assert "Upload 1 (append.csv) was applied." in found["000001-append.csv.report.txt"]

    def test_the_text_speaks_to_the_customer(self, acme: Provider) -> None:
        held = acme.process("append.csv", numbers(1), evidence=Evidence.cut)
        text = published(acme)["000001-append.csv.report.txt"]
        assert f"  - {held['reason']}\n\nYour provider can release or discard it: call them" in text
        assert "alp-daemon" not in text
        assert "alp-daemon release 1 --by NAME --though-cut" in reporttext.text(held), "operators have their command"

    def test_without_rejects_there_is_no_such_file(self, acme: Provider) -> None:
        acme.process("append.csv", numbers(1))
        assert not any("rejects" in name for name in published(acme))

    def test_each_is_written_once(self, acme: Provider) -> None:
        acme.process("append.csv", numbers(1))
        assert [bring(acme), bring(acme)] == [1, 0]

    def test_every_node_has_all_of_them(self, acme: Provider, tmp_path: Path) -> None:
        acme.process("append.csv", numbers(1))
        acme.process("append.csv", numbers(2))
        here, there = acme.settings.drop_dir, tmp_path / "another node"
        assert [Reports(acme.store, folder).bring_up_to_date("acme", acme.now) for folder in (here, there)] == [2, 2]
        names = [[path.name for path in sorted((folder / "acme/reports").iterdir())] for folder in (here, there)]
        assert names[0] == names[1]
        acme.process("append.csv", numbers(3))
        assert Reports(acme.store, there).bring_up_to_date("acme", acme.now) == 1

    def test_a_listing_brings_what_ended_since_the_last_one(self, acme: Provider) -> None:
        acme.process("append.csv", numbers(1))
        here = Reports(acme.store, acme.settings.drop_dir)
        assert here.bring_up_to_date("acme", acme.tick()) == 1
        (old,) = reports(acme).glob("*.txt")
        acme.tick(hours=2)
        acme.process("append.csv", numbers(2))
        assert here.bring_up_to_date("acme", acme.tick()) == 1
        old.with_name(old.name.replace(".txt", ".json")).unlink()
        assert here.bring_up_to_date("acme", acme.tick()) == 0, "it does not go through all of them"

    def test_an_old_report_comes_by_its_name(self, acme: Provider) -> None:
        acme.process("append.csv", numbers(1))
        acme.tick(days=400)
        here = Reports(acme.store, acme.settings.drop_dir)
        assert here.bring_up_to_date("acme", acme.now) == 0
        strange = ["000002-append.csv.report.txt", "000001-append.csv", f"{'9' * 30}-a.report.txt", "notes.txt"]
        assert [here.bring("acme", name) for name in strange] == [0] * 4
        assert here.bring("school", "000001-append.csv.report.txt") == 0, "another customer's"
        assert here.bring("acme", "000001-append.csv.report.txt") == 1
        assert (reports(acme) / "000001-append.csv.report.txt").is_file()

    def test_what_somebody_has_deleted_is_back_for_who_looks(self, acme: Provider) -> None:
        acme.process("append.csv", numbers(1))
        name, *_ = published(acme)
        (reports(acme) / name).unlink()
        assert name in published(acme)

    def test_a_file_bears_the_time_of_its_uploads_end(self, acme: Provider) -> None:
        report = acme.process("append.csv", numbers(1))
        published(acme)
        (text,) = reports(acme).glob("*.txt")
        assert datetime.fromtimestamp(text.stat().st_mtime, UTC) == moment(acme.upload(report["upload"]).finished_at)

    def test_what_has_ended_lately_is_written_where_the_customer_has_a_folder(self, acme: Provider) -> None:
        acme.process("append.csv", numbers(1))
        here = Reports(acme.store, acme.settings.drop_dir)
        assert here.publish_recent(acme.tick()) == 0, "nobody looks for it here"
        acme.intake.prepare("acme")
        assert Reports(acme.store, acme.settings.drop_dir).publish_recent(acme.tick()) == 1
        assert here.publish_recent(acme.tick()) == 0
        acme.process("append.csv", numbers(2))
        here.publish("acme", 2)
        assert here.publish_recent(acme.tick()) == 0

    @pytest.mark.parametrize("look", ["listing", "round"])
    def test_what_was_long_in_work_is_found_at_its_end(self, acme: Provider, look: str) -> None:
        """It is told by when it was taken up, before the last look."""
        acme.intake.prepare("acme")
        here, taken_up_at = Reports(acme.store, acme.settings.drop_dir), acme.tick()
        looks = {
            "listing": lambda: here.bring_up_to_date("acme", acme.tick(hours=2)),
            "round": lambda: here.publish_recent(acme.tick(hours=2)),
        }
        acme.send("append.csv", numbers(3))
        upload = queue.claim(acme.store, acme.settings, "acme", "worker", taken_up_at)
        assert upload is not None
        assert [looks[look](), looks[look]()] == [0, 0]
        _ended(Work(acme.store, acme.settings, acme.customer, upload, "worker", taken_up_at, began=0))
        assert [looks[look](), looks[look]()] == [1, 0]

    def test_a_round_does_not_go_through_all_that_ended_in_an_hour(self, acme: Provider) -> None:
        acme.intake.prepare("acme")
        acme.process("append.csv", numbers(1))
        here = Reports(acme.store, acme.settings.drop_dir)
        assert here.publish_recent(acme.tick()) == 1
        assert here.publish_recent(acme.tick(minutes=10)) == 0
        (reports(acme) / "000001-append.csv.report.json").unlink()
        assert here.publish_recent(acme.tick()) == 0, "thousands may have ended since"
        assert here.bring_up_to_date("acme", acme.tick()) == 1, "who looks gets it all the same"

    @databases.sqlite_only
    def test_a_round_does_not_go_through_all_uploads_there_are(self, acme: Provider) -> None:
        with acme.store.read() as transaction:
            statement = queries("sqlite")["uploads.reported_since"]
            plan = transaction._connection.execute(f"EXPLAIN QUERY PLAN {statement}", {"since": "2026"}).fetchall()
        steps = [step[3] for step in plan]
        assert not any(step.startswith("SCAN u") for step in steps), steps

    def test_a_report_keeps_up_with_its_upload(self, acme: Provider) -> None:
        held = acme.process("append.csv", numbers(3), evidence=Evidence.cut)
        name = "000001-append.csv.report.txt"
        assert "is held: nothing was changed" in published(acme)[name]
        holds.release(acme.store, held["upload"], "Ann", acme.now, though_cut=True)
        acme.work()
        text = published(acme)[name]
        assert "was applied" in text
        released_at = acme.upload(1).released_at
        assert f"  released   by Ann at {released_at}\n" in text
        assert "It had been held because:\n  - the upload may be cut short" in text
        told = json.loads(published(acme)[name.replace(".txt", ".json")])
        assert (told["released_by"], told["released_at"]) == ("Ann", released_at)

    @pytest.mark.parametrize("how", ["discarded", "superseded"])
    def test_of_what_was_held_once(self, acme: Provider, how: str) -> None:
        held = acme.process("append_tags.csv", numbers(3), evidence=Evidence.cut)
        published(acme)
        if how == "discarded":
            holds.discard(acme.store, held["upload"], "Ann", acme.tick())
        else:
            acme.process("append_tags.csv", numbers(2))
        text = published(acme)["000001-append_tags.csv.report.txt"]
        assert "was discarded: nothing was changed" in text
        assert {"discarded": "discarded by Ann", "superseded": "superseded by 2"}[how] in text
        assert f"  discarded  at {acme.upload(1).finished_at}\n" in text
        assert "It had been held because:" in text
        assert "alp-daemon release" not in text

    def test_what_went_on_while_it_was_written_is_written_again(self, acme: Provider) -> None:
        held = acme.process("append.csv", numbers(3), evidence=Evidence.cut)
        slow = acme.rows("uploads.with_report", id=held["upload"])[0]
        holds.release(acme.store, held["upload"], "Ann", acme.now, though_cut=True)
        acme.work()
        publish._write(reports(acme), slow)
        assert bring(acme) == 1

    def test_of_what_was_released_there_is_the_old_one_until_its_end(self, acme: Provider) -> None:
        held = acme.process("append.csv", numbers(3), evidence=Evidence.cut)
        bring(acme)
        holds.release(acme.store, held["upload"], "Ann", acme.now, though_cut=True)
        assert bring(acme) == 0
        assert len(published(acme)) == 2

    @pytest.mark.parametrize("look", ["listing", "round", "name"])
    def test_an_undo_is_told_too(self, acme: Provider, look: str) -> None:
        acme.process("append.csv", numbers(3))
        name = "000001-append.csv.report"
        acme.intake.prepare("acme")
        here = Reports(acme.store, acme.settings.drop_dir)
        looks = {
            "listing": lambda: here.bring_up_to_date("acme", acme.now),
            "round": lambda: here.publish_recent(acme.now),
            "name": lambda: here.bring("acme", f"{name}.txt"),
        }
        assert looks[look]() == 1
        assert "undone" not in (reports(acme) / f"{name}.txt").read_text()
        undo(acme.store, 1, "Ann", acme.tick(days=7))
        acme.tick()
        assert [looks[look](), looks[look]()] == [1, 0]
        text = (reports(acme) / f"{name}.txt").read_text()
        assert "Upload 1 (append.csv) was applied, and has been undone" in text
        assert "undone by  Ann at 2026-11-28" in text
        told = json.loads((reports(acme) / f"{name}.json").read_text())
        assert (told["state"], told["undone_by"], told["undone_at"]) == ("applied", "Ann", acme.upload(1).undone_at)

    def test_so_is_a_sidecar_that_contradicts_it_later(self, acme: Provider) -> None:
        acme.configure({"list": feed("append", "list", sidecar="sha256")})
        acme.approve("list")
        acme.receive("list.csv", numbers(3))
        acme.intake.upkeep.tick(acme.tick(minutes=11))
        holds.release(acme.store, 1, "Ann", acme.now)
        acme.work()
        assert "SHA-256" not in published(acme)["000001-list.csv.report.txt"]
        acme.receive("list.csv.sha256", f"{'0' * 64}  list.csv\n")
        acme.intake.upkeep.tick(acme.tick(minutes=11))
        text = published(acme)["000001-list.csv.report.txt"]
        assert "assumed: list.csv.sha256, which came at 2026-11-21" in text
        assert "holds another SHA-256" in text

    def test_odd_names_stay_in_the_folder(self, acme: Provider) -> None:
        acme.configure({"any": {"match": "*", "mode": "append", "phones": ["Phone"]}})
        acme.process("../../-rf %s\n\t….csv", numbers(1))
        assert list(published(acme)) == [
            "000001-.._.._-rf__s___.csv.report.json",
            "000001-.._.._-rf__s___.csv.report.txt",
        ]

    def test_a_folder_that_cannot_be_written_costs_nobody_else_a_report(self, acme: Provider) -> None:
        acme.process("append.csv", numbers(1))
        reports(acme).parent.mkdir(parents=True)
        reports(acme).write_text("in the way")
        here = Reports(acme.store, acme.settings.drop_dir)
        assert here.bring_up_to_date("acme", acme.now) == 0
        reports(acme).unlink()
        assert here.bring_up_to_date("acme", acme.tick(hours=3)) == 1

    def test_who_locks_a_customers_folders_keeps_no_report_back(self, acme: Provider) -> None:
        acme.process("append.csv", numbers(1))
        home, written = acme.intake.prepare("acme"), []
        writer = threading.Thread(target=lambda: written.append(bring(acme)), daemon=True)
        with locked_by_another(acme.settings.drop_dir, home, reports(acme)):
            writer.start()
            writer.join(60)
            assert written == [1]
        (locks,) = acme.settings.data_dir.glob("drop-locks")
        assert locks.stat().st_mode & 0o077 == 0, "nobody else may open it"

    def test_two_who_write_the_same_report_take_turns(self, acme: Provider) -> None:
        for count in (1, 2):
            acme.process("append.csv", numbers(count))
        here, written = Reports(acme.store, acme.settings.drop_dir), []
        names = [f"00000{upload}-append.csv.report.txt" for upload in (1, 2)]
        with here._alone(1):
            writers = [
                threading.Thread(target=lambda name=name: written.append((name, here.bring("acme", name))))
                for name in names
            ]
            for writer in writers:
                writer.start()
            writers[1].join(60)
            writers[0].join(0.1)
            assert written == [(names[1], 1)]
        writers[0].join(60)
        assert written == [(names[1], 1), (names[0], 1)]

    def test_nothing_half_written_is_left(self, acme: Provider) -> None:
        acme.process("append.csv", f"Phone,Tags\n{number(1)},a\nbad,b\n")
        published(acme)
        assert [path.name for path in reports(acme).iterdir() if path.name.startswith(".")] == []


class TestRetention:
    def test_the_file_goes_and_its_story_stays(self, acme: Provider) -> None:
        acme.process("append.csv", numbers(2))
        upload = acme.upload(1)
        content = acme.settings.spool_dir / upload.object
        acme.tick(days=30, seconds=-1)
        assert retention.erase_old_files(acme.store, acme.settings, acme.now) == 0
        assert content.exists()
        acme.tick(seconds=2)
        assert retention.erase_old_files(acme.store, acme.settings, acme.now) == 1
        assert retention.erase_old_files(acme.store, acme.settings, acme.now) == 0
        assert not content.exists()
        after = acme.upload(1)
        assert (after.sha256, after.never_seen, after.state) == (upload.sha256, 2, "applied")
        assert after.erased_at == stamp(acme.now)
        assert len(acme.history(number(0))) == 1
        assert len(acme.rows("reports.get", upload=1)) == 1

    def test_what_still_waits_is_kept(self, acme: Provider) -> None:
        acme.send("append.csv", numbers(2))
        acme.tick(days=300)
        assert retention.erase_old_files(acme.store, acme.settings, acme.now) == 0
        assert acme.work()["state"] == "applied"

    def test_a_file_that_is_gone_already_is_no_trouble(self, acme: Provider) -> None:
        acme.process("append.csv", numbers(2))
        (acme.settings.spool_dir / acme.upload(1).object).unlink()
        acme.tick(days=31)
        assert retention.erase_old_files(acme.store, acme.settings, acme.now) == 1
