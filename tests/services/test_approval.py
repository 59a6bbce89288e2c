"""From a sample to a working feed: a preview changes nothing, an approval frees what waited for it."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from alp_daemon.domain.model import Evidence
from alp_daemon.errors import NotFound, Refused, UnusableFile, UsageProblem
from alp_daemon.services.decisions import approval, holds, preview
from alp_daemon.services.decisions.approval import Approved
from tests.services.provider import Provider, csv, feed, number, numbers


@pytest.fixture
def fresh_feed(acme: Provider) -> Provider:
    """A feed ``members`` that nobody has approved yet."""
    acme.configure({"members": feed("append_tags", "members")})
    return acme


def sample(acme: Provider, content: str | None = None) -> Path:
    path = acme.folder / "members.csv"
    path.write_text(csv({number(1): "a|b", number(2): ""}) if content is None else content)
    return path


def approve(acme: Provider, content: str | None = None) -> Approved:
    return approval.approve(
        acme.store, acme.settings, acme.customer, "members", sample(acme, content), "Ann", acme.tick()
    )


class TestPreview:
    def test_shows_the_effect_on_the_live_list_and_changes_nothing(self, fresh_feed: Provider) -> None:
        fresh_feed.text(number(1), "STOP")
        before = fresh_feed.list()
        found = preview.preview(
            fresh_feed.store, fresh_feed.settings, fresh_feed.customer, "members", sample(fresh_feed)
        )
        assert (found.report["state"], found.report["upload"]) == ("planned", None)
        assert found.report["changes"]["opted_in"] == 1
        assert found.report["changes"]["blocked_opted_out"] == 1
        assert fresh_feed.list() == before
        assert fresh_feed.rows("uploads.list", customer=None, state=None, limit=10) == []

    def test_the_standard_format_says_the_same_as_the_file(self, fresh_feed: Provider) -> None:
        found = preview.preview(
            fresh_feed.store, fresh_feed.settings, fresh_feed.customer, "members", sample(fresh_feed)
        )
        out = io.StringIO()
        preview.write_standard_format(found.listed, out)
        assert out.getvalue() == f"{number(1)},a,b\n{number(2)}\n"
        fresh_feed.process("x.csv", out.getvalue(), folder="preformatted")
        assert fresh_feed.list() == {number(1): ("opted_in", "a;b"), number(2): ("opted_in", "")}

    def test_an_unusable_file(self, fresh_feed: Provider) -> None:
        with pytest.raises(UnusableFile, match='no column "Phone"'):
            preview.preview(
                fresh_feed.store, fresh_feed.settings, fresh_feed.customer, "members", sample(fresh_feed, "a,b\n1,2\n")
            )
        with pytest.raises(NotFound):
            preview.preview(
                fresh_feed.store, fresh_feed.settings, fresh_feed.customer, "members", Path("/nowhere/x.csv")
            )


class TestDryRun:
    def dry_run(self, acme: Provider, content: str | None = None) -> dict:
        return preview.dry_run(acme.store, acme.settings, acme.customer, "members", sample(acme, content))

    def test_says_what_would_be_done_and_does_nothing(self, fresh_feed: Provider) -> None:
        fresh_feed.approve("members")
        report = self.dry_run(fresh_feed)
        assert (report["state"], report["upload"], report["dry_run"]) == ("applied", None, True)
        assert report["changes"]["opted_in"] == 2
        assert fresh_feed.list() == {}

    def test_without_an_approval_it_would_be_held(self, fresh_feed: Provider) -> None:
        report = self.dry_run(fresh_feed)
        assert (report["state"], [each["code"] for each in report["hold"]]) == ("held", ["not_approved"])
        assert report["reason"] == fresh_feed.process("members.csv", numbers(1))["reason"]

    def test_the_approved_sample_counts(self, fresh_feed: Provider) -> None:
        fresh_feed.approve("members")  # by a sample that ends with a line end
        report = self.dry_run(fresh_feed, csv(numbers(2)).rstrip("\n"))
        assert [each["code"] for each in report["hold"]] == ["cut"]


class TestApprove:
    def test_until_then_files_are_held_and_not_lost(self, fresh_feed: Provider) -> None:
        sent = [fresh_feed.send("members.csv", {number(1): tag}) for tag in "abc"]
        reports = fresh_feed.drain()
        assert [report["state"] for report in reports] == ["held"] * 3
        assert reports[0]["reason"].startswith("feed members is not approved yet")
        assert approve(fresh_feed).requeued == tuple(sent)
        assert [report["upload"] for report in fresh_feed.drain()] == sent
        assert fresh_feed.list() == {number(1): ("opted_in", "c")}

    def test_frees_only_what_waited_for_it(self, fresh_feed: Provider) -> None:
        approve(fresh_feed)
        cut = fresh_feed.process("members.csv", numbers(2), evidence=Evidence.cut)
        assert approve(fresh_feed).requeued == ()
        assert fresh_feed.upload(cut["upload"]).state == "held"

    def test_a_changed_configuration_asks_again(self, fresh_feed: Provider) -> None:
        approve(fresh_feed)
        fresh_feed.configure({"members": feed("append", "members")})
        report = fresh_feed.process("members.csv", numbers(1))
        assert report["state"] == "held"
        assert report["reason"].startswith("feed members was changed after Ann approved it on 2026-11-21")
        with pytest.raises(Refused):
            holds.release(fresh_feed.store, report["upload"], "Ann", fresh_feed.now)
        approve(fresh_feed)
        assert fresh_feed.work()["state"] == "applied"

    def test_the_guard_and_the_recipients_need_no_new_approval(self, fresh_feed: Provider) -> None:
        approve(fresh_feed)
        changed = feed("append_tags", "members", guard={"min_rows": 1})
        fresh_feed.configure({"members": changed}, report_to=["other@acme.example"])
        assert fresh_feed.process("members.csv", numbers(1))["state"] == "applied"

    def test_the_first_log_in_is_issued_once(self, acme: Provider) -> None:
        rows = acme.rows("credentials.list", customer="acme")
        assert [row["user"] for row in rows] == ["acme"]
        acme.configure({"members": feed("append", "members")})
        assert approve(acme).issued is None

    def test_a_sample_that_lists_nobody_cannot_be_meant(self, fresh_feed: Provider) -> None:
        with pytest.raises(Refused, match=r"finds no valid number in it \(1 of 1 rows rejected\)"):
            approve(fresh_feed, "Phone,Tags\nbad,a\n")

    def test_preformatted_needs_none(self, acme: Provider) -> None:
        with pytest.raises(UsageProblem, match="needs no approval"):
            approval.approve(acme.store, acme.settings, acme.customer, "preformatted", sample(acme), "Ann", acme.now)

    def test_a_sample_with_a_last_line_end_makes_one_without_look_cut(self, fresh_feed: Provider) -> None:
        approve(fresh_feed)
        report = fresh_feed.process("members.csv", csv(numbers(2)).rstrip("\n"))
        assert (report["state"], report["evidence"]) == ("held", "cut")
        assert "its last line has no line end" in report["reason"]

    def test_a_sample_without_one_does_not(self, fresh_feed: Provider) -> None:
        content = csv(numbers(2)).rstrip("\n")
        approve(fresh_feed, content)
        assert fresh_feed.process("members.csv", content)["state"] == "applied"


class TestChooseFeed:
    def test_by_name_by_pattern_or_the_only_one(self, fresh_feed: Provider) -> None:
        customer = fresh_feed.customer
        assert preview.choose_feed(customer, Path("x.csv"), "preformatted") == "preformatted"
        assert preview.choose_feed(customer, Path("members.csv"), None) == "members"
        assert preview.choose_feed(customer, Path("november.csv"), None) == "members"

    def test_not_one_that_does_not_exist(self, acme: Provider) -> None:
        with pytest.raises(NotFound, match="has no feed 'appended'; it has: append, "):
            preview.choose_feed(acme.customer, Path("append.csv"), "appended")

    def test_not_by_guessing(self, acme: Provider) -> None:
        with pytest.raises(UsageProblem, match=r"say --feed \(one of: append, .*, preformatted\)"):
            preview.choose_feed(acme.customer, Path("november.csv"), None)


def test_a_feed_put_back_as_it_was_approved_needs_no_new_approval(acme: Provider) -> None:
    acme.configure({"append": feed("append") | {"match": "other.csv"}, "append_tags": feed("append_tags")})
    assert acme.process("other.csv", numbers(1))["state"] == "held"
    assert holds.requeue_valid_again(acme.store, acme.customer, acme.now) == []
    acme.configure({"append": feed("append"), "append_tags": feed("append_tags")})
    assert holds.requeue_valid_again(acme.store, acme.customer, acme.now) == [1]
    assert [report["state"] for report in acme.drain()] == ["applied"]
