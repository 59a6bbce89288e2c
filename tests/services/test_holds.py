"""Held files: released up to what was shown, discarded, superseded, reminded of, and forgotten after 30 days."""

from __future__ import annotations

import pytest

from alp_daemon.domain.model import Evidence
from alp_daemon.errors import NotFound, Refused
from alp_daemon.services.decisions import holds
from alp_daemon.services.reports import reporttext, shown
from alp_daemon.services.reports.unworked import report_unworked
from alp_daemon.services.safekeeping import retention
from alp_daemon.store.store import stamp
from tests.services.provider import Provider, feed, number, numbers

RELEASED = {"released_by", "released_at"}
GUARD = {"max_omitted": "10%", "floor": 1, "max_rejected": "50%"}


@pytest.fixture
def guarded(acme: Provider) -> Provider:
    """Feeds that hold what would suspend or opt out more than 10 % and more than one; 100 numbers on the list."""
    acme.configure({mode: feed(mode, guard=GUARD) for mode in ("append", "soft_opt_out", "hard_opt_out")})
    acme.process("append.csv", numbers(100))
    return acme


def hold_codes(report: dict) -> list[str]:
    return [reason["code"] for reason in report["hold"]]


class TestHeld:
    def test_nothing_is_changed_and_the_figures_are_shown(self, guarded: Provider) -> None:
        before = guarded.list()
        report = guarded.process("hard_opt_out.csv", numbers(60))
        assert (report["state"], hold_codes(report)) == ("held", ["omitted"])
        assert report["changes"]["opted_out"] == 40
        assert report["reason"] == "it would opt out 40 of 100 opted-in numbers (40.0%; the limit is 10%)"
        assert guarded.list() == before
        assert guarded.upload(report["upload"]).never_seen == 0

    def test_a_truncated_file_opts_nobody_out(self, guarded: Provider) -> None:
        report = guarded.process("hard_opt_out.csv", "Phone,Tags\n")
        assert hold_codes(report) == ["no_valid_rows"]
        report = guarded.process("hard_opt_out.csv", numbers(100), evidence=Evidence.cut)
        assert hold_codes(report) == ["cut"]
        assert set(guarded.statuses().values()) == {"opted_in"}

    def test_the_queue_goes_on(self, guarded: Provider) -> None:
        guarded.send("soft_opt_out.csv", numbers(1))
        guarded.send("append.csv", numbers(1))
        assert [report["state"] for report in guarded.drain()] == ["held", "applied"]


class TestLimits:
    """Each limit of a feed reaches the worker."""

    @pytest.mark.parametrize(
        ("rules", "file", "code"),
        [
            ({"completeness": "proven"}, numbers(100), "not_proven"),
            ({"guard": {"min_rows": 101}}, numbers(100), "too_few_rows"),
            ({"guard": {"max_rejected": "10%"}}, {**numbers(89), **{f"bad {i}": "" for i in range(11)}}, "rejected"),
            ({"guard": {"max_omitted": "10%", "floor": 0}}, numbers(89), "omitted"),
            ({"guard": {"max_tags_removed": "40%"}}, numbers(100), "tags_removed"),
        ],
    )
    def test_holds(self, acme: Provider, rules: dict, file: dict, code: str) -> None:
        acme.process("append.csv", dict.fromkeys(numbers(100), "a|b"))
        acme.configure({"members": feed("soft_opt_out_tags", "members", **rules)})
        acme.approve("members")
        before = acme.list()
        assert code in hold_codes(acme.process("members.csv", file))
        assert acme.list() == before

    def test_a_proven_file_is_proven(self, acme: Provider) -> None:
        acme.configure({"members": feed("append", "members", completeness="proven")})
        acme.approve("members")
        assert acme.process("members.csv", numbers(2), evidence=Evidence.proven)["state"] == "applied"


class TestRelease:
    def test_applies_what_was_shown(self, guarded: Provider) -> None:
        held = guarded.process("soft_opt_out.csv", numbers(60))
        assert holds.release(guarded.store, held["upload"], "Ann", guarded.now).state == "received"
        report = guarded.work()
        assert (report["upload"], report["state"]) == (held["upload"], "applied")
        assert report["changes"] == held["changes"]
        assert guarded.upload(held["upload"]).released_by == "Ann"

    def test_the_report_says_who_released_it_and_what_for(self, guarded: Provider) -> None:
        applied = guarded.process("soft_opt_out.csv", numbers(99))
        assert (applied.keys() & RELEASED, applied["hold"]) == (set(), [])
        held = guarded.process("soft_opt_out.csv", numbers(60))
        assert held.keys() & RELEASED == set()
        released_at = stamp(guarded.tick(days=2))
        holds.release(guarded.store, held["upload"], "Ann", guarded.now)
        told = {"released_by": "Ann", "released_at": released_at, "hold": held["hold"]}
        guarded.tick(hours=1)
        queued = shown.one(guarded.store, held["upload"])
        assert queued.items() >= {"state": "received", **told}.items()
        report = guarded.work()
        assert report.items() >= {"state": "applied", **told}.items()
        assert shown.listed(guarded.store, None, None, 1) == [report]
        text = reporttext.text(report)
        assert f"  released   by Ann at {released_at}\n" in text
        assert f"It had been held because:\n  - {held['reason']}\n" in text
        assert "alp-daemon release" not in text

    def test_nothing_is_said_of_a_time_that_was_not_kept(self, guarded: Provider) -> None:
        held = guarded.process("soft_opt_out.csv", numbers(60))
        with guarded.store.write() as transaction:
            transaction.run("uploads.requeue", id=held["upload"], waived=None, by="Ann", at=None)
        report = shown.one(guarded.store, held["upload"])
        assert (report["released_by"], report["released_at"]) == ("Ann", None)
        assert "  released   by Ann\n" in reporttext.text(report)

    def test_one_that_is_held_again_says_so(self, guarded: Provider) -> None:
        held = guarded.process("soft_opt_out.csv", numbers(60))
        guarded.process("append.csv", numbers(50, start=200))
        released_at = stamp(guarded.now)
        holds.release(guarded.store, held["upload"], "Ann", guarded.now)
        text = reporttext.text(guarded.work())
        assert f"  released   by Ann at {released_at}, and held again\n" in text
        assert "It waits for a person because:" in text

    def test_one_that_failed_after_it_tells_of_the_failure(self, guarded: Provider) -> None:
        held = guarded.process("soft_opt_out.csv", numbers(60))
        holds.release(guarded.store, held["upload"], "Ann", guarded.now)
        (guarded.settings.spool_dir / guarded.upload(held["upload"]).object).unlink()
        report = guarded.work()
        assert (report["state"], report["released_by"], report["hold"]) == ("failed", "Ann", [])
        assert "not in the spool any more" in report["reason"]

    @pytest.mark.parametrize(("more", "state"), [(2, "applied"), (3, "held")])
    def test_allows_five_percent_more(self, guarded: Provider, more: int, state: str) -> None:
        held = guarded.process("soft_opt_out.csv", numbers(60))  # 40 omitted: 42 may be
        guarded.process("append.csv", numbers(more, start=200))
        holds.release(guarded.store, held["upload"], "Ann", guarded.now)
        assert guarded.work()["state"] == state

    def test_what_is_held_again_can_be_released_again(self, guarded: Provider) -> None:
        held = guarded.process("soft_opt_out.csv", numbers(60))
        guarded.process("append.csv", numbers(50, start=200))
        holds.release(guarded.store, held["upload"], "Ann", guarded.now)
        assert guarded.work()["hold"][0]["count"] == 90
        holds.release(guarded.store, held["upload"], "Ann", guarded.now)
        assert guarded.work()["state"] == "applied"

    def test_what_was_allowed_stays_allowed(self, guarded: Provider) -> None:
        """Two reasons, of which one grows after the first release."""
        rows = "Phone,Tags\n" + "".join(f"{phone},\n" for phone in numbers(60)) + "bad,\n" * 61
        held = guarded.process("soft_opt_out.csv", rows)
        assert hold_codes(held) == ["rejected", "omitted"]
        guarded.process("append.csv", numbers(50, start=200))
        holds.release(guarded.store, held["upload"], "Ann", guarded.now)
        assert hold_codes(guarded.work()) == ["omitted"]
        holds.release(guarded.store, held["upload"], "Ann", guarded.now)
        assert guarded.work()["state"] == "applied"

    def test_waives_no_other_reason(self, guarded: Provider) -> None:
        held = guarded.process("soft_opt_out.csv", numbers(100), evidence=Evidence.cut)
        guarded.process("append.csv", numbers(50, start=200))
        holds.release(guarded.store, held["upload"], "Ann", guarded.now, though_cut=True)
        assert hold_codes(guarded.work()) == ["omitted"]

    def test_waives_nothing_under_another_configuration(self, guarded: Provider) -> None:
        """Somebody allowed 40 to be suspended, which a later file takes back. Opted out, they would be so for good."""
        guarded.configure({"list": feed("soft_opt_out", "list", guard=GUARD)})
        guarded.approve("list")
        held = guarded.process("list.csv", numbers(60))
        guarded.configure({"list": feed("hard_opt_out", "list", guard=GUARD)})
        guarded.approve("list")
        holds.release(guarded.store, held["upload"], "Ann", guarded.now)
        report = guarded.work()
        assert (report["state"], hold_codes(report)) == ("held", ["omitted"])
        assert report["reason"].startswith("it would opt out 40 of 100")
        assert set(guarded.statuses().values()) == {"opted_in"}
        holds.release(guarded.store, held["upload"], "Ann", guarded.now)
        report = guarded.work()
        assert (report["state"], report["changes"]["opted_out"]) == ("applied", 40), "now that it was shown"

    def test_waives_nothing_that_was_allowed_under_another_one_before(self, guarded: Provider) -> None:
        guarded.configure({"list": feed("soft_opt_out", "list", guard=GUARD)})
        guarded.approve("list")
        rows = "Phone,Tags\n" + "".join(f"{phone},\n" for phone in numbers(60)) + "bad,\n" * 61
        held = guarded.process("list.csv", rows)
        assert hold_codes(held) == ["rejected", "omitted"]
        holds.release(guarded.store, held["upload"], "Ann", guarded.now)
        guarded.configure({"list": feed("hard_opt_out", "list", guard={**GUARD, "floor": 100})})
        guarded.approve("list")
        assert hold_codes(guarded.work()) == ["rejected"]
        guarded.configure({"list": feed("hard_opt_out", "list", guard=GUARD)})
        holds.release(guarded.store, held["upload"], "Ann", guarded.now)
        assert hold_codes(guarded.work()) == ["omitted"]

    def test_preformatted_files_have_a_configuration_too(self, acme: Provider) -> None:
        acme.configure({}, preformatted={"minus": "reject"})
        acme.process("list.csv", "".join(f"{phone}\n" for phone in numbers(10)))
        held = acme.process("removals.csv", "".join(f"-{phone}\n" for phone in numbers(10)))
        assert hold_codes(held) == ["rejected"]
        acme.configure({}, preformatted={"minus": "opt_out"})
        cut = acme.process("cut.csv", f"-{number(1)}\n", evidence=Evidence.cut)
        acme.configure({}, preformatted={"minus": "reject"})
        holds.release(acme.store, cut["upload"], "Ann", acme.now, though_cut=True)
        assert "cut" in hold_codes(acme.work())
        assert set(acme.statuses().values()) == {"opted_in"}

    def test_an_error_in_between_changes_nothing_of_what_was_allowed(
        self, guarded: Provider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        held = guarded.process("soft_opt_out.csv", numbers(60))
        holds.release(guarded.store, held["upload"], "Ann", guarded.now)
        with monkeypatch.context() as patch:
            patch.setattr("alp_daemon.services.processing.process.read_source", lambda *_: 1 / 0)
            assert guarded.work()["state"] == "failed"
        holds.release(guarded.store, held["upload"], "Ann", guarded.now)
        assert guarded.work()["state"] == "applied"

    def test_a_cut_file_needs_a_word_more(self, guarded: Provider) -> None:
        held = guarded.process("append.csv", numbers(3), evidence=Evidence.cut)
        with pytest.raises(Refused, match="--though-cut"):
            holds.release(guarded.store, held["upload"], "Ann", guarded.now)
        assert guarded.upload(held["upload"]).state == "held"
        holds.release(guarded.store, held["upload"], "Ann", guarded.now, though_cut=True)
        assert guarded.work()["state"] == "applied"

    def test_cannot_stand_in_for_an_approval(self, guarded: Provider) -> None:
        guarded.configure({"append": feed("append", phones=["phone"])})
        held = guarded.process("append.csv", numbers(3))
        with pytest.raises(Refused, match="a release cannot cure that: approve the feed"):
            holds.release(guarded.store, held["upload"], "Ann", guarded.now)

    def test_goes_before_what_came_later(self, guarded: Provider) -> None:
        held = guarded.process("append.csv", numbers(3), evidence=Evidence.cut)
        later = guarded.send("append.csv", numbers(1))
        holds.release(guarded.store, held["upload"], "Ann", guarded.now, though_cut=True)
        assert [report["upload"] for report in guarded.drain()] == [held["upload"], later]

    def test_only_what_is_held(self, guarded: Provider) -> None:
        done = guarded.process("append.csv", numbers(3))
        with pytest.raises(Refused, match=f"upload {done['upload']} is applied, not held"):
            holds.release(guarded.store, done["upload"], "Ann", guarded.now)
        with pytest.raises(NotFound, match="there is no upload 99"):
            holds.release(guarded.store, 99, "Ann", guarded.now)


class TestApproved:
    """A worker holds a file by a configuration that was replaced while it was at it."""

    def held_by_the_old_one(self, acme: Provider, approved: bool) -> int:
        old = acme.customer
        acme.configure({"append": feed("append", phones=["Phone", "Tags"])})
        if approved:
            acme.approve("append")
        new, acme.customer = acme.customer, old
        if not approved:
            acme.customer = new
        held = acme.process("append.csv", numbers(3))
        acme.customer = new
        assert hold_codes(held) == ["not_approved"]
        return held["upload"]

    def test_it_goes_on_once_that_is_seen(self, acme: Provider) -> None:
        held = self.held_by_the_old_one(acme, approved=True)
        assert holds.requeue_approved_meanwhile(acme.store, {"acme": acme.customer}, acme.now) == [held]
        assert acme.work()["state"] == "applied"
        assert holds.requeue_approved_meanwhile(acme.store, {"acme": acme.customer}, acme.now) == []

    def test_not_what_is_not_approved(self, acme: Provider) -> None:
        held = self.held_by_the_old_one(acme, approved=False)
        assert holds.requeue_approved_meanwhile(acme.store, {"acme": acme.customer}, acme.now) == []
        assert acme.upload(held).state == "held"

    def test_not_where_the_customer_is_not_known(self, acme: Provider) -> None:
        held = self.held_by_the_old_one(acme, approved=True)
        assert holds.requeue_approved_meanwhile(acme.store, {}, acme.now) == []
        assert acme.upload(held).state == "held"


class TestDiscard:
    def test_ends_it_and_changes_nothing(self, guarded: Provider) -> None:
        held = guarded.process("soft_opt_out.csv", numbers(1))
        ended = holds.discard(guarded.store, held["upload"], "Ann", guarded.tick())
        assert (ended.state, ended.reason) == ("discarded", "discarded by Ann")
        assert "discarded_at" not in held
        report = shown.one(guarded.store, held["upload"])
        assert report["discarded_at"] == stamp(guarded.now)
        assert "discarded by Ann\n\n  customer   acme\n" in reporttext.text(report)
        assert f"  discarded  at {stamp(guarded.now)}\n" in reporttext.text(report)
        assert set(guarded.statuses().values()) == {"opted_in"}
        with pytest.raises(Refused, match="is discarded"):
            holds.release(guarded.store, held["upload"], "Ann", guarded.now)

    def test_not_what_was_applied(self, guarded: Provider) -> None:
        done = guarded.process("append.csv", numbers(3))
        with pytest.raises(Refused, match="is applied; only a held or waiting one"):
            holds.discard(guarded.store, done["upload"], "Ann", guarded.tick())

    def test_what_still_waits(self, guarded: Provider) -> None:
        waiting = guarded.send("append.csv", numbers(3))
        assert holds.discard(guarded.store, waiting, "Ann", guarded.tick()).state == "discarded"
        assert guarded.work() is None


class TestSuperseded:
    def test_by_a_later_applied_file_of_the_feed(self, guarded: Provider) -> None:
        held = guarded.process("soft_opt_out.csv", numbers(60))
        other = guarded.process("hard_opt_out.csv", numbers(60))
        later = guarded.process("soft_opt_out.csv", numbers(100))
        assert later["state"] == "applied"
        upload = guarded.upload(held["upload"])
        assert (upload.state, upload.reason) == ("discarded", f"superseded by {later['upload']}")
        assert guarded.upload(other["upload"]).state == "held"

    def test_not_by_one_that_is_held_itself(self, guarded: Provider) -> None:
        held = guarded.process("soft_opt_out.csv", numbers(60))
        guarded.process("soft_opt_out.csv", numbers(50))
        assert guarded.upload(held["upload"]).state == "held"

    def test_not_a_later_one_by_an_older_one_that_is_released(self, guarded: Provider) -> None:
        older = guarded.process("soft_opt_out.csv", numbers(60))
        later = guarded.process("soft_opt_out.csv", numbers(50))
        holds.release(guarded.store, older["upload"], "Ann", guarded.now)
        assert guarded.work()["state"] == "applied"
        assert guarded.upload(later["upload"]).state == "held"

    def test_not_one_that_was_renamed_and_so_arrived_later(self, guarded: Provider) -> None:
        renamed = guarded.receive("x.tmp", numbers(60))
        older = guarded.process("soft_opt_out.csv", numbers(50))
        guarded.intake.own.rename(renamed, "acme", "soft_opt_out.csv", "", guarded.tick())
        assert [report["state"] for report in guarded.drain()] == ["held"]
        holds.release(guarded.store, older["upload"], "Ann", guarded.now)
        assert guarded.work()["state"] == "applied"
        assert guarded.upload(renamed).state == "held"

    def test_an_older_one_that_becomes_due_later(self, acme: Provider) -> None:
        acme.configure({"list": feed("soft_opt_out", "list", sidecar="done")})
        acme.approve("list")
        older, newer = (acme.receive("list.csv", numbers(count)) for count in (1, 3))
        for upload, state in ((newer, "applied"), (older, "discarded")):
            acme.receive("list.csv.done", "")
            acme.intake.upkeep.tick(acme.tick())
            report = acme.work()
            assert (report["upload"], report["state"]) == (upload, state)
        assert report["reason"] == f"superseded by {newer}"
        assert acme.statuses() == dict.fromkeys(numbers(3), "opted_in")

    def test_append_supersedes_nothing(self, guarded: Provider) -> None:
        held = guarded.process("append.csv", numbers(3), evidence=Evidence.cut)
        assert guarded.process("append.csv", numbers(3))["state"] == "applied"
        assert guarded.upload(held["upload"]).state == "held"


class TestWaiting:
    def remind(self, acme: Provider) -> int:
        return holds.remind(acme.store, acme.settings, {"acme": acme.customer}, acme.now)

    def test_reminds_daily(self, guarded: Provider) -> None:
        held = guarded.process("soft_opt_out.csv", numbers(60))
        before = len(guarded.mails())
        guarded.tick(hours=23)
        assert self.remind(guarded) == 0
        guarded.tick(hours=1)
        assert [self.remind(guarded), self.remind(guarded)] == [1, 0]
        guarded.tick(days=1)
        assert self.remind(guarded) == 1
        mails = guarded.mails()[before:]
        assert len(mails) == 4
        to_operators, to_customer = mails[:2]
        assert to_operators["recipients"] == '["ops@provider.example"]'
        assert to_customer["recipients"] == '["reports@acme.example"]'
        assert to_operators["subject"] == to_customer["subject"] == "[acme] soft_opt_out.csv is still held"
        assert f"alp-daemon release {held['upload']} --by NAME" in to_operators["body"]
        assert f"{held['reason']}\n\nYour provider can release or discard it: call them" in to_customer["body"]
        assert "alp-daemon" not in to_customer["body"]

    def test_discards_after_30_days(self, guarded: Provider) -> None:
        held = guarded.process("soft_opt_out.csv", numbers(60))
        guarded.tick(days=29, hours=23)
        self.remind(guarded)
        assert guarded.upload(held["upload"]).state == "held"
        guarded.tick(hours=2)
        self.remind(guarded)
        upload = guarded.upload(held["upload"])
        assert (upload.state, upload.reason) == ("discarded", "held for 30 days and not released")

    def test_the_days_begin_anew_when_it_is_held_again(self, guarded: Provider) -> None:
        held = guarded.process("soft_opt_out.csv", numbers(60))
        guarded.tick(days=29)
        self.remind(guarded)
        guarded.tick(hours=23)
        guarded.process("append.csv", numbers(50, start=200))
        holds.release(guarded.store, held["upload"], "Ann", guarded.now)
        assert guarded.work()["state"] == "held"
        assert self.remind(guarded) == 0
        guarded.tick(days=2)
        assert self.remind(guarded) == 1
        assert guarded.upload(held["upload"]).state == "held"

    def test_a_held_file_is_kept_however_old(self, guarded: Provider) -> None:
        held = guarded.process("soft_opt_out.csv", numbers(60))
        guarded.tick(days=300)
        retention.erase_old_files(guarded.store, guarded.settings, guarded.now)
        assert (guarded.settings.spool_dir / guarded.upload(held["upload"]).object).exists()


class TestWithoutCustomer:
    def test_files_are_held_and_go_on_when_it_is_back(self, acme: Provider) -> None:
        sent = [acme.send("append.csv", numbers(i)) for i in (1, 2)]
        holds.hold_without_customer(acme.store, "acme", acme.tick())
        assert {acme.upload(id_).state for id_ in sent} == {"held"}
        assert hold_codes(shown.one(acme.store, sent[0])) == ["customer_missing"], "before its report is written"
        assert "customers/acme.yaml" in acme.upload(sent[0]).reason
        with pytest.raises(Refused, match="put the customer's YAML file back"):
            holds.release(acme.store, sent[0], "Ann", acme.now)
        assert holds.requeue_returned(acme.store, "acme", acme.tick()) == sent
        let_go = {(acme.upload(id_).released_by, acme.upload(id_).released_at) for id_ in sent}
        assert let_go == {("the customer's return", stamp(acme.now))}
        assert [report["upload"] for report in acme.drain()] == sent
        assert len(acme.list()) == 2

    def test_what_was_released_stays_released(self, guarded: Provider) -> None:
        held = guarded.process("soft_opt_out.csv", numbers(60))
        released_at = stamp(guarded.now)
        holds.release(guarded.store, held["upload"], "Ann", guarded.now)
        holds.hold_without_customer(guarded.store, "acme", guarded.tick())
        assert report_unworked(guarded.store, guarded.settings, {}, guarded.tick()) == 1, "told of the new reason"
        assert "customers/acme.yaml" in guarded.mails()[-1]["body"]
        holds.requeue_returned(guarded.store, "acme", guarded.now)
        assert guarded.work()["state"] == "applied"
        upload = guarded.upload(held["upload"])
        assert (upload.released_by, upload.released_at) == ("Ann", released_at)

    def test_other_held_files_stay_held(self, acme: Provider) -> None:
        held = acme.process("append.csv", numbers(1), evidence=Evidence.cut)
        assert holds.requeue_returned(acme.store, "acme", acme.now) == []
        assert acme.upload(held["upload"]).state == "held"
        assert number(0) not in acme.list()
