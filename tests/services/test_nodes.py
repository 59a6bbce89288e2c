"""Several nodes on one database: who may be there, who is dead, and what three that do the same at once make of it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from alp_daemon.customers import load_dir
from alp_daemon.domain.model import Evidence
from alp_daemon.errors import Unavailable
from alp_daemon.files.spool import open_spool
from alp_daemon.registry import Registry
from alp_daemon.services.decisions import approval, holds
from alp_daemon.services.logins.credentials import Credentials
from alp_daemon.services.operations import doctor, nodes
from alp_daemon.services.operations.nodes import Presence
from alp_daemon.services.processing import processes, queue
from alp_daemon.services.receiving import waiting
from alp_daemon.services.receiving.arrival import Arrival
from alp_daemon.services.receiving.intake import Intake, Sender, Verdict
from alp_daemon.services.receiving.place import Place, WaitsFor
from alp_daemon.services.reports import notify
from alp_daemon.services.reports.unworked import report_unworked
from alp_daemon.settings import Settings
from alp_daemon.store.store import stamp
from tests.services.provider import Provider, csv, feed, numbers

MINUTE = timedelta(minutes=1)
CUSTOMERS = "f" * 64


def settings_of(acme: Provider, node: str, data_dir: str = "data") -> Settings:
    return acme.settings.model_copy(update={"node": node, "data_dir": acme.folder / data_dir})


def entered(acme: Provider, node: str, role: str = "all", data_dir: str = "data") -> Presence:
    presence = Presence(acme.store, settings_of(acme, node, data_dir), role)
    presence.enter(acme.now)
    return presence


def known(acme: Provider) -> dict[tuple[str, str], nodes.Node]:
    with acme.store.read() as transaction:
        return {(node.name, node.role): node for node in nodes.known(transaction)}


def unsettled(acme: Provider, node: str) -> int:
    """A file that a node has received and not settled yet."""
    intake = Intake(acme.store, settings_of(acme, node), Registry.of(acme.customer))
    incoming = intake.begin("acme")
    incoming.file.write(csv(numbers(1)).encode())
    return intake.receive(incoming, "acme", "append.csv", "", Sender("ftp", "acme"), acme.tick())


def several(acme: Provider, do: Callable[[], Any], count: int = 3) -> list[Any]:
    """What so many nodes get that do it at the same moment."""
    results: list[Any] = []
    start = threading.Barrier(count)

    def act() -> None:
        start.wait()
        results.append(do())
        acme.store.close()

    threads = [threading.Thread(target=act) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(results) == count, "one of them failed"
    return results


class TestName:
    def test_it_is_the_hosts_on_a_shared_database_and_one_that_stays_on_a_file(self, acme: Provider) -> None:
        shared = Settings(database="postgresql://db.example.net/alp")
        assert (shared.node_name, Settings().node_name) == (os.uname().nodename, "local")
        assert settings_of(acme, "ftp-1").node_name == "ftp-1"

    @pytest.mark.parametrize(("first", "second"), [("all", "all"), ("ftp", "all"), ("all", "worker")])
    def test_two_daemons_of_one_name_and_work_are_one_too_many(self, acme: Provider, first: str, second: str) -> None:
        """Two machines that are called alike, which is what a node is called by default."""
        entered(acme, "a", first)
        acme.tick(seconds=119)
        with pytest.raises(Unavailable, match=f"a daemon of role {first} calls itself node a on this database already"):
            entered(acme, "a", second, "there")
        acme.tick(seconds=1)
        entered(acme, "a", second, "there")
        assert list(known(acme)) == [("a", second)]

    def test_one_name_may_do_different_work(self, acme: Provider) -> None:
        for role in ("ftp", "worker", "web"):
            entered(acme, "a", role)
        entered(acme, "b")
        assert set(known(acme)) == {("a", "ftp"), ("a", "worker"), ("a", "web"), ("b", "all")}

    def test_who_was_killed_may_come_back_to_its_data_dir_at_once(self, acme: Provider) -> None:
        entered(acme, "a")
        entered(acme, "a").beat(CUSTOMERS, acme.tick())
        assert known(acme)["a", "all"].seen_at == acme.now

    def test_also_as_a_new_container(self, acme: Provider) -> None:
        """It numbers its processes for itself, but two cannot have the locks of a data_dir."""
        installation, _, _ = processes.here(acme.settings.data_dir).partition(".")
        killed = {"name": "a", "role": "all", "process": f"1@1@{installation}.4026539999", "version": "1"}
        with acme.store.write() as transaction:
            transaction.run("nodes.enter", **killed, now=stamp(acme.now))
        entered(acme, "a").beat(CUSTOMERS, acme.tick())
        assert known(acme)["a", "all"].seen_at == acme.now

    def test_who_was_killed_elsewhere_may_be_cut_off_only(self, acme: Provider) -> None:
        entered(acme, "a", data_dir="there")
        with pytest.raises(Unavailable, match="If that one has died elsewhere, it counts as alive until 06:0"):
            entered(acme, "a")

    def test_who_comes_back_to_find_its_name_taken_does_not_take_it_back(
        self, acme: Provider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        frozen = entered(acme, "a")
        acme.tick(minutes=2)
        entered(acme, "a", data_dir="there")
        taken_at = acme.now
        told: list[str] = []
        monkeypatch.setattr("alp_daemon.log.error", lambda event, **_: told.append(event))
        assert not frozen.is_displaced
        frozen.beat(CUSTOMERS, acme.tick(minutes=1))
        assert frozen.is_displaced
        assert told == ["node_name_taken"]
        assert known(acme)["a", "all"].seen_at == taken_at
        frozen.leave()
        assert known(acme), "it is the other's row"


class TestPresence:
    def test_it_enters_beats_and_leaves(self, acme: Provider) -> None:
        presence = entered(acme, "a", "ftp")
        presence.beat(CUSTOMERS, acme.tick())
        node = known(acme)["a", "ftp"]
        assert (node.customers, node.seen_at) == (CUSTOMERS, acme.now)
        presence.leave()
        assert known(acme) == {}

    def test_who_stays_away_is_forgotten_after_a_week(self, acme: Provider) -> None:
        entered(acme, "gone")
        acme.tick(days=6, hours=23)
        living = entered(acme, "a")
        living.beat(CUSTOMERS, acme.now)
        assert set(known(acme)) == {("a", "all"), ("gone", "all")}
        living.beat(CUSTOMERS, acme.tick(hours=1))
        assert set(known(acme)) == {("a", "all")}


class TestOrphans:
    def test_a_start_settles_the_nodes_own_and_nobody_elses(self, acme: Provider) -> None:
        own, other = unsettled(acme, "a"), unsettled(acme, "b")
        Intake(acme.store, settings_of(acme, "a"), Registry.of(acme.customer)).upkeep.recover()
        assert acme.upload(own).evidence is Evidence.cut
        assert acme.upload(other).evidence is None

    def test_what_a_dead_node_left_is_settled_by_the_living(self, acme: Provider) -> None:
        upload, living = unsettled(acme, "dead"), entered(acme, "a")
        entered(acme, "dead")
        found = []
        for _ in range(3):
            living.beat(CUSTOMERS, acme.tick(minutes=1))
            found += living.settle_for_dead(acme.now)
        assert found == [upload]
        assert acme.upload(upload).evidence is Evidence.cut
        assert acme.upload(upload).evidence_note == "the node that took it in died before it saw how the client left"

    def test_of_one_that_lives_nothing_is_touched(self, acme: Provider) -> None:
        upload, living, other = unsettled(acme, "b"), entered(acme, "a"), entered(acme, "b", "ftp")
        for _ in range(5):
            acme.tick(minutes=1)
            other.beat(CUSTOMERS, acme.now)
            living.beat(CUSTOMERS, acme.now)
            assert living.settle_for_dead(acme.now) == []
        assert acme.upload(upload).evidence is None

    @pytest.mark.parametrize("wrong", [timedelta(minutes=-10), timedelta(minutes=10)])
    def test_whose_clock_is_wrong_is_not_dead_for_that(self, acme: Provider, wrong: timedelta) -> None:
        upload, living, other = unsettled(acme, "b"), entered(acme, "a"), entered(acme, "b", "ftp")
        for _ in range(5):
            acme.tick(minutes=1)
            other.beat(CUSTOMERS, acme.now + wrong)
            living.beat(CUSTOMERS, acme.now)
            assert living.settle_for_dead(acme.now) == []
        found = []
        for _ in range(2):
            living.beat(CUSTOMERS, acme.tick(minutes=1))
            found += living.settle_for_dead(acme.now)
        assert found == [upload], "but for its silence"

    def test_workers_that_live_settle_nothing_for_the_ftp_server_beside_them(self, acme: Provider) -> None:
        upload, worker = unsettled(acme, "a"), entered(acme, "a", "worker")
        entered(acme, "a", "ftp")
        for _ in range(3):
            worker.beat(CUSTOMERS, acme.tick(minutes=1))
        assert worker.settle_for_dead(acme.now) == [upload]

    def test_who_was_away_itself_waits_until_the_others_can_be_heard(self, acme: Provider) -> None:
        """The database was away for a quarter of an hour: everybody looks dead, and nobody is."""
        upload, first, second = unsettled(acme, "b"), entered(acme, "a"), entered(acme, "b")
        acme.tick(minutes=15)
        first.beat(CUSTOMERS, acme.now)
        assert first.settle_for_dead(acme.now) == []
        acme.tick(seconds=5)
        second.beat(CUSTOMERS, acme.now)
        for _ in range(4):
            acme.tick(minutes=1)
            first.beat(CUSTOMERS, acme.now)
            second.beat(CUSTOMERS, acme.now)
            assert first.settle_for_dead(acme.now) == []
        assert acme.upload(upload).evidence is None

    def test_the_first_evidence_stands_for_one_that_was_cut_off_only(self, acme: Provider) -> None:
        upload, living = unsettled(acme, "frozen"), entered(acme, "a")
        for _ in range(3):
            living.beat(CUSTOMERS, acme.tick(minutes=1))
        living.settle_for_dead(acme.now)
        acme.intake.settle({upload: Verdict(Evidence.proven)})
        assert acme.upload(upload).evidence is Evidence.cut


class TestQueue:
    def test_a_customer_is_offered_once_its_oldest_file_is_settled(self, acme: Provider) -> None:
        upload = unsettled(acme, "b")
        acme.send("append.csv", numbers(2))
        assert queue.due_customers(acme.store, acme.now) == []
        acme.intake.settle({upload: Verdict(Evidence.proven)})
        assert queue.due_customers(acme.store, acme.now) == ["acme"]

    def test_nor_while_a_worker_of_any_node_has_one_of_its_files(self, acme: Provider) -> None:
        acme.send("append.csv", numbers(1))
        acme.send("append.csv", numbers(2))
        assert queue.claim(acme.store, acme.settings, "acme", "1@1@b", acme.now)
        assert queue.due_customers(acme.store, acme.now) == []
        acme.wait(seconds=acme.settings.lease.total_seconds())
        assert queue.due_customers(acme.store, acme.now) == ["acme"]


class TestAtOnce:
    """What comes round on every node, at the same moment."""

    def test_an_upload_that_nobody_worked_is_told_of_once(self, acme: Provider) -> None:
        for name in ("x.csv", "y.csv", "z.csv"):
            acme.receive(name, numbers(1))
        acme.intake.upkeep.tick(acme.tick(minutes=2))
        customers = {"acme": acme.customer}
        told = several(acme, lambda: report_unworked(acme.store, acme.settings, customers, acme.now))
        assert sum(told) == 3
        assert len(acme.mails()) == 3

    def test_a_report_of_a_worker_is_not_overwritten(self, acme: Provider) -> None:
        held = acme.process("append.csv", numbers(1), evidence=Evidence.cut)
        stored = acme.rows("reports.get", upload=held["upload"])
        with acme.store.write() as transaction:
            assert transaction.run("reports.add", upload=held["upload"], json="{}", rejects=b"", read_with=None) == 0
        assert acme.rows("reports.get", upload=held["upload"]) == stored

    def test_a_held_file_is_reminded_of_once_a_day(self, acme: Provider) -> None:
        acme.process("append.csv", numbers(1), evidence=Evidence.cut)
        before = len(acme.mails())
        acme.tick(days=1)
        told = several(acme, lambda: holds.remind(acme.store, acme.settings, {"acme": acme.customer}, acme.now))
        assert sum(told) == 1
        assert len(acme.mails()) == before + 2  # the customer's, and the operators'

    def test_each_mail_is_sent_by_one(self, acme: Provider) -> None:
        with acme.store.write() as transaction:
            for number in range(12):
                notify.tell(transaction, ["a@b.example"], f"mail {number}", "", acme.now)

        def claim_all() -> list[int]:
            return [int(mail["id"]) for mail in iter(lambda: notify._claim(acme.store, acme.now), None)]

        claimed = sorted(mail for mails in several(acme, claim_all) for mail in mails)
        assert len(claimed) == len(set(claimed)) == 12

    def test_a_mail_whose_sender_died_is_sent_by_another(self, acme: Provider) -> None:
        with acme.store.write() as transaction:
            notify.tell(transaction, ["a@b.example"], "hello", "", acme.now)
        mail = notify._claim(acme.store, acme.now)
        assert mail is not None
        until = acme.now + notify.CLAIM
        assert notify._claim(acme.store, until - timedelta(seconds=1)) is None
        again = notify._claim(acme.store, until)
        assert again is not None
        assert (again["id"], again["attempts"]) == (mail["id"], 0)

    def test_a_wait_is_ended_once_and_a_rename_that_was_quicker_holds(self, acme: Provider) -> None:
        upload = acme.receive("unknown.csv", numbers(1))
        (stale,) = acme.rows("uploads.get", id=upload)
        acme.tick(minutes=2)
        assert acme.intake.own.rename(upload, "acme", "append.csv", "", acme.now)
        with acme.store.write() as transaction:  # the slow node, with what it had read
            waiting._end(transaction, Registry.of(acme.customer), [stale], acme.now)
        assert acme.upload(upload).state == "received"
        assert acme.work()["state"] == "applied"

    def test_two_approvals_issue_one_login(self, acme: Provider) -> None:
        for each in Credentials(acme.store).list("acme"):
            Credentials(acme.store).revoke("acme", each.user, "Ann", acme.now)
        issued = several(acme, lambda: approval.first_login(acme.store, acme.customer, "Ann", acme.now))
        assert len([each for each in issued if each is not None]) == 1
        live = [each for each in Credentials(acme.store).list("acme") if each.revoked_at is None]
        assert len(live) == 1

    def test_what_waited_for_an_approval_goes_on_once(self, acme: Provider) -> None:
        approved = acme.customer
        acme.configure({"append": feed("append", phones=["Mobile"])})
        assert acme.process("append.csv", numbers(1))["state"] == "held"
        requeued = several(acme, lambda: holds.requeue_valid_again(acme.store, approved, acme.now))
        assert sorted(map(len, requeued)) == [0, 0, 1]


class TestPickUps:
    def test_those_of_other_nodes_wait_for_them(self, acme: Provider) -> None:
        """Each node sees its own drop folder only: a file that is not in it says nothing about another's."""
        upload = pick_up(acme, "b")
        here = Intake(acme.store, settings_of(acme, "a"), Registry.of(acme.customer))
        there = Intake(acme.store, settings_of(acme, "b"), Registry.of(acme.customer))
        assert here.upkeep.finish_pick_ups(acme.tick()) == []
        assert acme.upload(upload).waits_for == "pick_up"
        there.upkeep.finish_pick_ups(acme.tick())
        assert acme.rows("uploads.get", id=upload) == [], "its own: the file had never left the folder"


def pick_up(acme: Provider, node: str) -> int:
    """A record of a file that is on its way out of the node's drop folder."""
    arrival = Arrival("acme", "x.csv", "", Sender("drop", "root"), acme.tick(), Place(None, WaitsFor.pick_up), None)
    with acme.store.write() as transaction:
        return int(arrival.record(transaction, open_spool(acme.settings).new_object("acme"), 3, node)["id"])


class TestDoctor:
    def said(self, acme: Provider, text: str, **settings: Any) -> list[str]:
        loaded = load_dir(acme.settings.customers_dir)
        found = doctor.examine(acme.store, acme.settings.model_copy(update=settings), loaded, acme.now)
        return [each.severity for each in found if text in each.message]

    def test_lists_the_living_and_warns_of_the_dead(self, acme: Provider) -> None:
        living = entered(acme, "a")
        entered(acme, "b", "worker")
        assert self.said(acme, "node b (worker, version 0.1.0) was seen 0 s ago") == ["info"]
        for _ in range(2):
            living.beat(CUSTOMERS, acme.tick(minutes=1))
        assert self.said(acme, "node a (all, version 0.1.0) was seen 0 s ago") == ["info"]
        assert self.said(acme, "node b (worker, version 0.1.0) has not been seen since 2026-11-21") == ["warning"]

    def test_warns_of_a_clock_that_is_ahead(self, acme: Provider) -> None:
        entered(acme, "a")
        acme.now -= timedelta(seconds=10)
        assert self.said(acme, "its clock is") == []
        acme.now -= timedelta(seconds=1)
        assert self.said(acme, "node a (all, version 0.1.0): its clock is 11 s ahead of this one") == ["warning"]

    def test_warns_of_nodes_that_work_by_different_rules(self, acme: Provider) -> None:
        first, second = entered(acme, "a"), entered(acme, "b")
        first.beat(CUSTOMERS, acme.now)
        assert self.said(acme, "different customers' files") == [], "b has just started"
        second.beat(CUSTOMERS, acme.now)
        assert self.said(acme, "different customers' files") == []
        second.beat("e" * 64, acme.now)
        told = "different customers' files: a (all) has ffffffffffff, b (all) has eeeeeeeeeeee"
        assert self.said(acme, told) == ["warning"]

    def test_warns_of_files_that_only_a_dead_node_can_see(self, acme: Provider) -> None:
        pick_up(acme, "b")
        living = entered(acme, "b")
        shared = {"database": "postgresql://db.example.net/alp"}
        told = "1 file(s) that node b was taking out of its drop folder wait until it is back"
        assert self.said(acme, told, **shared) == []
        living.leave()
        assert self.said(acme, told, **shared) == ["warning"]
