"""What belongs to a feed beside its mode: its scope, its first upload, and files in the standard format."""

from __future__ import annotations

from alp_daemon.services.decisions.undo import undo
from tests.services.provider import Provider, feed, number, numbers

NOBODY_NEW = {"a": feed("append", "a", guard={"max_new": "0%"})}


class TestScope:
    def test_omission_is_taken_literally_by_default(self, acme: Provider) -> None:
        acme.process("append.csv", numbers(2))
        acme.process("soft_opt_out.csv", {number(5): ""})
        assert acme.statuses() == {number(0): "suspended", number(1): "suspended", number(5): "opted_in"}

    def test_a_feed_can_be_limited_to_what_it_has_listed(self, acme: Provider) -> None:
        limited = {"omitted_scope": "feed"}
        acme.configure(
            {"staff": feed("soft_opt_out", "staff", **limited), "pupils": feed("hard_opt_out", "pupils", **limited)}
        )
        acme.approve("staff", "pupils")
        acme.command("opt_in", number(9))
        acme.process("staff.csv", {number(1): "", number(2): ""})
        acme.process("pupils.csv", {number(2): "", number(3): ""})
        assert set(acme.statuses().values()) == {"opted_in"}

        acme.process("staff.csv", {number(7): ""})
        assert acme.statuses() == {
            number(1): "suspended",
            number(2): "suspended",  # both have listed it, and this feed takes its word back
            number(3): "opted_in",
            number(7): "opted_in",
            number(9): "opted_in",
        }
        acme.process("pupils.csv", {number(2): ""})
        assert acme.statuses()[number(2)] == "opted_in"
        assert acme.statuses()[number(3)] == "opted_out"

    def test_the_guards_share_is_of_the_scope(self, acme: Provider) -> None:
        guard = {"max_omitted": "50%", "floor": 0}
        acme.configure({"staff": feed("soft_opt_out", "staff", omitted_scope="feed", guard=guard)})
        acme.approve("staff")
        acme.process("preformatted.csv", "".join(f"{phone}\n" for phone in numbers(20)), folder="preformatted")
        acme.process("staff.csv", numbers(4))
        report = acme.process("staff.csv", numbers(1))
        assert report["hold"][0]["message"].startswith("it would suspend 3 of 4 opted-in numbers")


class TestFirstUpload:
    def test_it_may_bring_any_number_of_people(self, acme: Provider) -> None:
        acme.configure(NOBODY_NEW)
        acme.approve("a")
        assert acme.process("a.csv", numbers(1_001))["state"] == "applied"

    def test_a_later_one_may_not(self, acme: Provider) -> None:
        acme.configure(NOBODY_NEW)
        acme.approve("a")
        acme.process("a.csv", numbers(1))
        assert acme.process("a.csv", numbers(1_001, start=1))["hold"][0]["code"] == "new"

    def test_one_that_was_undone_does_not_count(self, acme: Provider) -> None:
        acme.configure(NOBODY_NEW)
        acme.approve("a")
        wrong = acme.process("a.csv", numbers(1))
        undo(acme.store, wrong["upload"], "Ann", acme.tick())
        assert acme.process("a.csv", numbers(1_001, start=1))["state"] == "applied"


class TestPreformatted:
    def send(self, acme: Provider, content: str) -> dict:
        return acme.process("group.csv", content, folder="preformatted")

    def test_needs_no_approval(self, acme: Provider) -> None:
        report = self.send(acme, f"{number(1)},a,b\n{number(2)}\n")
        assert (report["feed"], report["mode"], report["state"]) == ("preformatted", "preformatted", "applied")
        assert acme.list() == {number(1): ("opted_in", "a;b"), number(2): ("opted_in", "")}

    def test_a_minus_is_never_an_opt_in(self, acme: Provider) -> None:
        report = self.send(acme, f"-{number(1)}\n{number(2)}\n")
        assert [reject["reason"] for reject in report["rejects"]] == ["minus_means_remove"]
        assert acme.statuses() == {number(2): "opted_in"}

    def test_a_minus_can_opt_out(self, acme: Provider) -> None:
        acme.configure({}, preformatted={"minus": "opt_out"})
        self.send(acme, f"{number(1)},a\n{number(2)}\n")
        report = self.send(acme, f"-{number(1)}\n{number(3)}\n-{number(4)}\n")
        assert report["state"] == "applied"
        assert (report["changes"]["opted_out"], report["changes"]["opted_in"]) == (2, 1)
        assert acme.list() == {
            number(1): ("opted_out", "a"),
            number(2): ("opted_in", ""),
            number(3): ("opted_in", ""),
            number(4): ("opted_out", ""),
        }

    def test_a_file_of_removals_only_is_applied(self, acme: Provider) -> None:
        acme.configure({}, preformatted={"minus": "opt_out"})
        self.send(acme, f"{number(1)}\n")
        assert self.send(acme, f"-{number(1)}\n")["state"] == "applied"
        assert acme.statuses() == {number(1): "opted_out"}

    def test_a_number_both_listed_and_removed_is_removed(self, acme: Provider) -> None:
        acme.configure({}, preformatted={"minus": "opt_out"})
        report = self.send(acme, f"{number(1)},a\n-{number(1)}\n")
        assert acme.list() == {number(1): ("opted_out", "")}
        assert report["changes"]["opted_in"] == 0

    def test_removing_many_is_held(self, acme: Provider) -> None:
        acme.configure({}, preformatted={"minus": "opt_out"})
        self.send(acme, "".join(f"{phone}\n" for phone in numbers(101)))
        report = self.send(acme, "".join(f"-{phone}\n" for phone in numbers(101)))
        assert [reason["code"] for reason in report["hold"]] == ["omitted"]

    def test_more_than_200_unknown_tags_look_like_an_unformatted_file(self, acme: Provider) -> None:
        def named(count: int) -> str:
            return "".join(f"{phone},Name {i}\n" for i, phone in enumerate(numbers(count)))

        report = self.send(acme, named(201))
        assert report["state"] == "held"
        assert [reason["code"] for reason in report["hold"]] == ["unformatted"]
        assert "it looks like an unformatted file" in report["reason"]
        assert self.send(acme, named(200))["state"] == "applied"
        assert self.send(acme, named(400))["state"] == "applied"  # half of them are known by now

    def test_it_does_not_supersede_a_held_one(self, acme: Provider) -> None:
        held = self.send(acme, "".join(f"{phone},Name {i}\n" for i, phone in enumerate(numbers(201))))
        assert self.send(acme, f"{number(1)}\n")["state"] == "applied"
        assert acme.upload(held["upload"]).state == "held"
