"""The story of one upload: applied once, held or rejected with nothing changed, and tried again after a trouble."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta

import pytest

from alp_daemon.domain.model import Evidence
from alp_daemon.errors import TryAgain
from alp_daemon.procstat import started
from alp_daemon.services.decisions import holds
from alp_daemon.services.processing import process, processes, queue
from alp_daemon.services.processing.assess import Assessment, assess, assess_few
from alp_daemon.services.processing.finish import LeaseLost, Read, Work
from alp_daemon.services.processing.rules import rules_for
from alp_daemon.services.processing.source import Source, read_source
from alp_daemon.store.lists import open_list
from alp_daemon.store.store import Store, Transaction, stamp
from tests import databases
from tests.services.provider import MODES, Provider, csv, feed, number, numbers


def another(acme: Provider) -> str:
    """A process of this place that lives."""
    return f"{os.getppid()}@{started(os.getppid())}@{processes.here(acme.settings.data_dir)}"


def dead(acme: Provider) -> str:
    """One that had our number before us."""
    return f"{os.getpid()}@1@{processes.here(acme.settings.data_dir)}"


def version(acme: Provider) -> int:
    with acme.store.read() as transaction:
        head = open_list(transaction, "acme")
    return head.version if head else 0


def claim(acme: Provider, owner: str = "worker") -> Work:
    """The first half of ``work_next``."""
    upload = queue.claim(acme.store, acme.settings, "acme", owner, acme.now)
    assert upload is not None
    return Work(acme.store, acme.settings, acme.customer, upload, owner, acme.now, began=0.0)


class TestApplied:
    def test_the_record_tells_what_was_done(self, acme: Provider) -> None:
        content = csv({number(1): "north|board", number(2): ""})
        report = acme.process("append.csv", content)
        upload = acme.upload(report["upload"])
        assert (upload.state, upload.feed, upload.mode) == ("applied", "append", "append")
        assert upload.sha256 == hashlib.sha256(content.encode()).hexdigest() == report["sha256"]
        assert upload.config == rules_for(acme.customer, "append").fingerprint
        assert upload.version == version(acme) == 1
        assert upload.never_seen == 2
        assert upload.lease_owner is None
        assert acme.list() == {number(1): ("opted_in", "board;north"), number(2): ("opted_in", "")}

    def test_every_row_is_in_one_bucket(self, acme: Provider) -> None:
        rows = f"Phone,Tags\n{number(1)},a\n{number(1)},b\n,\nnonsense,c\n{number(2)},d\n"
        report = acme.process("append.csv", rows)
        assert report["rows"] == {
            "read": 5, "listed": 2, "duplicate": 1, "rejected": 1, "filtered": 0, "blank": 1, "numbers": 2,
        }  # fmt: skip
        assert report["rejects"] == [{"row": 5, "column": "Phone", "value": "nonsense", "reason": "not_a_number"}]
        assert acme.list()[number(1)] == ("opted_in", "a;b")

    def test_the_same_file_again_changes_nothing(self, acme: Provider) -> None:
        for mode in MODES:
            rows = numbers(3) | {number(4): "x|y"}
            acme.process(f"{mode}.csv", rows)
            before, listed = version(acme), acme.list()
            report = acme.process(f"{mode}.csv", rows)
            assert report["state"] == "applied"
            assert report["changes"]["unchanged"] == 4
            assert (version(acme), acme.list()) == (before, listed)
            assert acme.upload(report["upload"]).version is None

    def test_never_seen_before_is_counted_once(self, acme: Provider) -> None:
        assert acme.process("soft_opt_out.csv", numbers(3))["changes"]["never_seen_before"] == 3
        assert acme.process("soft_opt_out.csv", numbers(1))["changes"]["suspended"] == 2
        back = acme.process("soft_opt_out.csv", numbers(4))["changes"]
        assert (back["reactivated"], back["opted_in"], back["never_seen_before"]) == (2, 1, 1)

    def test_who_only_said_stop_has_been_seen(self, acme: Provider) -> None:
        acme.text(number(1), "STOP")
        changes = acme.process("append.csv", numbers(2))["changes"]
        assert (changes["never_seen_before"], changes["blocked_opted_out"]) == (1, 1)

    def test_one_customers_files_go_in_the_order_of_arrival(self, acme: Provider) -> None:
        sent = [acme.send("append_tags.csv", {number(1): tag}) for tag in "abc"]
        assert [report["upload"] for report in acme.drain()] == sent
        assert acme.list() == {number(1): ("opted_in", "c")}

    def test_an_unsettled_file_keeps_those_behind_it_waiting(self, acme: Provider) -> None:
        first, second = acme.send("append.csv", numbers(1)), acme.send("append.csv", numbers(2))
        with acme.store.write() as transaction:
            transaction._connection.execute(f"UPDATE uploads SET evidence = NULL WHERE id = {first}")
        assert acme.work() is None
        with acme.store.write() as transaction:
            transaction.run("uploads.settle", id=first, evidence="assumed", note="")
        assert [report["upload"] for report in acme.drain()] == [first, second]


class TestRejected:
    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            ("Telephone,Tags\n+12125550001,a\n", 'no column "Phone"'),
            ("row,column,value,reason\n2,Phone,x,invalid\n", "send the full list"),
            ("", "empty"),
            ("%PDF-1.4\n", "PDF"),
        ],
    )
    def test_a_file_as_a_whole(self, acme: Provider, content: str, reason: str) -> None:
        acme.process("soft_opt_out.csv", numbers(3))
        report = acme.process("soft_opt_out.csv", content)
        assert report["state"] == "rejected"
        assert reason in report["reason"]
        assert acme.list() == dict.fromkeys(numbers(3), ("opted_in", ""))

    def test_a_feed_that_is_gone(self, acme: Provider) -> None:
        upload = acme.send("append.csv", numbers(1))
        acme.configure({"other": feed("append", "other")})
        report = acme.work()
        assert (report["upload"], report["state"]) == (upload, "rejected")
        assert "it has: other, preformatted" in report["reason"]

    def test_a_rejected_file_does_not_stop_the_queue(self, acme: Provider) -> None:
        acme.send("append.csv", "%PDF-1.4\n")
        acme.send("append.csv", numbers(1))
        assert [report["state"] for report in acme.drain()] == ["rejected", "applied"]


class TestStopWins:
    """A STOP that arrives while a file is being planned or is held."""

    @pytest.mark.parametrize(
        ("mode", "planner"), [*((mode, assess) for mode in MODES), ("append", assess_few), ("append_tags", assess_few)]
    )
    def test_while_a_file_is_planned(self, acme: Provider, mode: str, planner: Callable[..., Assessment]) -> None:
        acme.process(f"{mode}.csv", {number(1): "a", number(2): "a"})
        acme.send(f"{mode}.csv", {number(1): "b", number(2): "b", number(3): "b", number(4): "b"})
        work = claim(acme)
        rules = rules_for(acme.customer, mode)
        source = Source(acme.settings.spool_dir / work.upload.object, work.upload.name, Evidence.assumed)
        reading = read_source(source, acme.customer, rules, None)
        with acme.store.read() as transaction:
            planned = planner(transaction, reading, source, rules)

        acme.text(number(1), "STOP")  # known and opted in
        acme.text(number(3), "STOP")  # never seen until now
        report = process._apply_or_hold(work, Read(source, rules, None), "", planned)

        assert report["state"] == "applied"
        assert report["changes"]["blocked_opted_out"] == 2
        listed = acme.statuses()
        assert [listed[number(i)] for i in (1, 2, 3, 4)] == ["opted_out", "opted_in", "opted_out", "opted_in"]
        assert acme.history(number(1))[-1]["source"] == "end_user"

    def test_while_a_file_is_held(self, acme: Provider) -> None:
        held = acme.process("append.csv", numbers(3), evidence=Evidence.cut)
        acme.text(number(1), "STOP")
        with acme.store.write() as transaction:
            transaction.run("uploads.requeue", id=held["upload"], waived='{"cut": 0}', by="Ann", at=stamp(acme.now))
        assert acme.work()["state"] == "applied"
        assert acme.statuses()[number(1)] == "opted_out"

    def test_a_command_that_changes_nothing_does_not_disturb_the_planner(self, acme: Provider) -> None:
        """It names a new set of tags, and so does the plan under way."""
        acme.process("append.csv", {number(1): "a|b"})
        acme.send("append.csv", {number(2): "c"})
        work = claim(acme)
        rules = rules_for(acme.customer, "append")
        source = Source(acme.settings.spool_dir / work.upload.object, work.upload.name, Evidence.assumed)
        reading = read_source(source, acme.customer, rules, None)
        with acme.store.read() as transaction:
            planned = assess(transaction, reading, source, rules)

        assert not acme.command("opt_in", number(1), ["b"]).changed
        assert process._apply_or_hold(work, Read(source, rules, None), "", planned)["state"] == "applied"
        assert acme.list() == {number(1): ("opted_in", "a;b"), number(2): ("opted_in", "c")}


class Overtaken:
    """A store whose first write comes after something that somebody else does."""

    def __init__(self, store: Store, other: Callable[[], object]) -> None:
        self._store = store
        self._others = [other]
        self.name, self.read, self.alone, self.close = store.name, store.read, store.alone, store.close

    def write(self, *, lasting: bool = True) -> AbstractContextManager[Transaction]:
        while self._others:
            self._others.pop()()
        return self._store.write(lasting=lasting)


class TestApprovedMeanwhile:
    """The worker has seen that the feed is not approved, and has not held the file yet."""

    @pytest.fixture
    def work(self, acme: Provider) -> Work:
        acme.configure({"members": feed("append", "members"), "other": feed("append", "other")})
        acme.send("members.csv", numbers(1))
        return claim(acme)

    def test_the_file_goes_on(self, acme: Provider, work: Work) -> None:
        late = replace(work, store=Overtaken(acme.store, lambda: acme.approve("members")))
        assert process._worked(late)["state"] == "applied"

    def test_another_feeds_approval_lets_nothing_go_on(self, acme: Provider, work: Work) -> None:
        late = replace(work, store=Overtaken(acme.store, lambda: acme.approve("other")))
        assert process._worked(late)["state"] == "held"
        assert acme.upload(work.upload.id).state == "held"


class TestLease:
    def test_two_workers_never_have_one_customer(self, acme: Provider) -> None:
        acme.send("append.csv", numbers(1))
        acme.send("append.csv", numbers(2))
        assert claim(acme, another(acme)).upload.id == 1
        assert queue.claim(acme.store, acme.settings, "acme", "two", acme.now) is None
        acme.wait(minutes=2, seconds=1)
        taken = queue.claim(acme.store, acme.settings, "acme", "two", acme.now)
        assert taken is not None
        assert taken.id == 1

    def test_a_renewed_lease_holds(self, acme: Provider) -> None:
        acme.send("append.csv", numbers(1))
        claim(acme, another(acme))
        acme.wait(minutes=1)
        queue.renew(acme.store, acme.settings, another(acme), acme.now)
        acme.wait(minutes=1, seconds=1)
        assert queue.claim(acme.store, acme.settings, "acme", "two", acme.now) is None

    def test_who_lost_the_lease_commits_nothing(self, acme: Provider) -> None:
        acme.send("append.csv", numbers(2))
        late = claim(acme, "late")
        acme.wait(minutes=3)
        quick = claim(acme, "quick")
        with pytest.raises(LeaseLost):
            process._worked(late)
        assert (version(acme), acme.list()) == (0, {})
        assert acme.rows("reports.get", upload=1) == []
        assert acme.mails() == []
        assert process._worked(quick)["state"] == "applied"
        with pytest.raises(LeaseLost):
            process._worked(late)
        assert version(acme) == 1
        assert len(acme.list()) == 2

    def test_a_dead_processes_lease_is_freed(self, acme: Provider) -> None:
        acme.send("append.csv", numbers(1))
        claim(acme, dead(acme))
        assert queue.free_dead_leases(acme.store, acme.settings) == [1]
        assert acme.upload(1).lease_owner is None

    def test_a_dead_processes_lease_keeps_nobody_waiting(self, acme: Provider) -> None:
        acme.send("append.csv", numbers(1))
        claim(acme, dead(acme))
        assert acme.work()["state"] == "applied"

    def test_another_places_lease_is_not_before_its_end(self, acme: Provider) -> None:
        acme.send("append.csv", numbers(1))
        claim(acme, dead(acme) + "0")
        assert queue.free_dead_leases(acme.store, acme.settings) == []
        assert acme.work() is None
        acme.wait(minutes=3)
        assert acme.work()["state"] == "applied"

    def test_nor_that_of_another_machine_that_is_called_alike(self, acme: Provider) -> None:
        acme.send("append.csv", numbers(1))
        there = acme.settings.model_copy(update={"data_dir": acme.folder / "there"})
        claim(acme, queue.owner(there).replace(f"{os.getpid()}@", "999999999@"))
        assert queue.free_dead_leases(acme.store, acme.settings) == []
        assert queue.free_dead_leases(acme.store, there) == [1]

    def test_nor_that_of_a_container_with_numbers_of_its_own(self, acme: Provider) -> None:
        acme.send("append.csv", numbers(1))
        installation, _, _ = processes.here(acme.settings.data_dir).partition(".")
        claim(acme, f"{os.getpid()}@1@{installation}.4026539999")
        assert queue.free_dead_leases(acme.store, acme.settings) == []

    def test_who_could_not_give_a_lease_back_does_so_before_its_next_turn(self, acme: Provider) -> None:
        """Else it would be renewed for as long as the worker has other customers' files."""
        upload, owner = acme.send("append.csv", numbers(1)), queue.owner(acme.settings)
        claim(acme, owner)  # and then the database was away
        with queue.leases_kept(acme.store, acme.settings, owner, lambda: acme.now):
            assert (acme.upload(upload).lease_owner, acme.upload(upload).attempts) == (None, 0)
            claim(acme, owner)
        assert acme.upload(upload).lease_owner == owner

    def test_and_of_others_it_lets_go_of_nothing(self, acme: Provider) -> None:
        upload = acme.send("append.csv", numbers(1))
        claim(acme, another(acme))
        with queue.leases_kept(acme.store, acme.settings, queue.owner(acme.settings), lambda: acme.now):
            assert acme.upload(upload).lease_owner == another(acme)

    def test_a_living_processes_lease_is_not(self, acme: Provider) -> None:
        acme.send("append.csv", numbers(1))
        claim(acme, queue.owner(acme.settings))
        assert queue.free_dead_leases(acme.store, acme.settings) == []


class TestTrouble:
    def test_a_file_that_kills_its_worker_is_given_up(self, acme: Provider) -> None:
        acme.send("append.csv", numbers(1))
        acme.send("append.csv", numbers(2))
        for _ in range(process.MAX_ATTEMPTS):
            claim(acme)  # and dies
            acme.wait(minutes=3)
        report = acme.work()
        assert (report["upload"], report["state"]) == (1, "held")
        assert "stopped its worker 3 times" in report["reason"]
        assert acme.work()["state"] == "applied"

    def test_and_tried_again_when_a_person_says_so(self, acme: Provider) -> None:
        upload = acme.send("append.csv", numbers(1))
        for _ in range(process.MAX_ATTEMPTS):
            claim(acme)
            acme.wait(minutes=3)
        assert acme.work()["state"] == "held"
        holds.release(acme.store, upload, "Ann", acme.now)
        assert acme.work()["state"] == "applied"

    def test_a_passing_trouble_is_no_attempt(self, acme: Provider) -> None:
        acme.send("append.csv", numbers(1))
        for _ in range(process.MAX_ATTEMPTS + 1):
            work = claim(acme)
            queue.give_back(acme.store, work.upload.id, work.owner)
        assert acme.work()["state"] == "applied"

    def test_a_locked_database_leaves_everything_as_it_was(self, acme: Provider) -> None:
        acme.process("append.csv", numbers(1))
        acme.send("append.csv", numbers(2))
        work = claim(acme)
        impatient = databases.waiting(acme.settings.database_address, 0.1)
        other = databases.waiting(acme.settings.database_address, 60)
        locked = Work(impatient, work.settings, work.customer, work.upload, work.owner, work.now, began=0.0)
        with other.write() as transaction:
            transaction.lock("list", "acme")
            with pytest.raises(TryAgain, match="try again"):
                process._worked(locked)
        assert len(acme.list()) == 1
        assert acme.upload(work.upload.id).state == "received"
        assert process._worked(work)["state"] == "applied"

    def test_a_bug_ends_one_upload_and_not_the_queue(self, acme: Provider) -> None:
        broken = acme.send("append.csv", numbers(1))
        acme.send("append.csv", numbers(2))
        content = acme.settings.spool_dir / acme.upload(broken).object
        content.unlink()
        content.symlink_to(content)
        reports = acme.drain()
        assert [report["state"] for report in reports] == ["failed", "applied"]
        assert "OSError" in reports[0]["reason"]
        assert f"`alp-daemon release {broken} --by NAME`" in reports[0]["reason"]
        to_customer, to_operators = acme.mails()[:2]
        assert (to_customer["recipients"], to_operators["recipients"]) == (
            '["reports@acme.example"]',
            '["ops@provider.example"]',
        )
        assert f"`alp-daemon release {broken} --by NAME`" in to_operators["body"]
        assert "alp-daemon" not in to_customer["body"]
        assert f"call them, and say that it is upload {broken}" in to_customer["body"]

    @pytest.mark.parametrize("content", [None, b"Phone\n"])
    def test_a_file_that_is_lost_ends_its_upload(self, acme: Provider, content: bytes | None) -> None:
        broken = acme.send("append.csv", numbers(1))
        acme.send("append.csv", numbers(2))
        path = acme.settings.spool_dir / acme.upload(broken).object
        path.unlink() if content is None else path.write_bytes(content)
        reports = acme.drain()
        assert [report["state"] for report in reports] == ["failed", "applied"]
        assert "ask for it to be sent again" in reports[0]["reason"]

    def test_a_spool_that_is_not_mounted_loses_no_upload(self, acme: Provider) -> None:
        upload = acme.send("append.csv", numbers(1))
        mounted = acme.settings.spool_dir / "acme"
        aside = mounted.rename(acme.folder / "aside")
        for _ in range(process.MAX_ATTEMPTS + 1):
            with pytest.raises(TryAgain, match="storage of uploaded files is away"):
                acme.work()
        assert (acme.upload(upload).state, acme.upload(upload).attempts) == ("received", 0)
        aside.rename(mounted)
        assert acme.work()["state"] == "applied"

    def test_what_failed_is_tried_again_when_the_fault_is_mended(self, acme: Provider) -> None:
        upload = acme.send("append.csv", numbers(1))
        content = acme.settings.spool_dir / acme.upload(upload).object
        aside = content.rename(content.with_name("aside"))
        assert acme.work()["state"] == "failed"
        aside.rename(content)
        holds.release(acme.store, upload, "Ann", acme.now)
        assert acme.work()["state"] == "applied"
        assert acme.statuses() == dict.fromkeys(numbers(1), "opted_in")


class TestClock:
    """A clock that is set back while files wait: their order stays that of their arrival."""

    def test_what_came_later_is_applied_later(self, acme: Provider) -> None:
        acme.send("soft_opt_out.csv", numbers(1))
        acme.now -= timedelta(hours=1)
        acme.send("soft_opt_out.csv", numbers(1, 1))
        acme.drain()
        assert acme.statuses() == {number(0): "suspended", number(1): "opted_in"}

    def test_a_rename_stands_behind_what_waits(self, acme: Provider) -> None:
        early = acme.receive("soft_opt_out.csv.part", numbers(1))
        acme.send("soft_opt_out.csv", numbers(1, 1))
        acme.now -= timedelta(hours=1)
        assert acme.intake.own.rename(early, "acme", "soft_opt_out.csv", "", acme.tick())
        acme.drain()
        assert acme.statuses() == {number(0): "opted_in", number(1): "suspended"}
