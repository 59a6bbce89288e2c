"""Undo: reversed, kept or refused, address by address; what was added is off the list, and yet not new."""

from __future__ import annotations

import pytest

from alp_daemon.errors import NotFound, Refused
from alp_daemon.services.addresses import importing
from alp_daemon.services.decisions.undo import Undone
from alp_daemon.services.decisions.undo import undo as undo_upload
from tests.services.provider import MODES, Provider, feed, number, numbers


def undo(acme: Provider, report: dict, **how: bool) -> Undone:
    return undo_upload(acme.store, report["upload"], "Ann", acme.tick(), **how)


@pytest.mark.parametrize("mode", MODES)
def test_the_list_is_what_it_was(acme: Provider, mode: str) -> None:
    acme.process("append.csv", {number(1): "a|b", number(2): "b", number(3): "", number(4): "c"})
    acme.command("suspend", number(3))
    acme.text(number(4), "STOP")
    before = acme.list()
    done = acme.process(f"{mode}.csv", {number(1): "c", number(3): "d", number(4): "e", number(5): "f"})
    assert acme.list() != before
    undone = undo(acme, done)
    assert (undone.kept, undone.refused) == (0, 0)
    assert undone.reversed >= 3
    assert acme.list() == before


def test_it_is_told_in_the_history(acme: Provider) -> None:
    done = acme.process("append.csv", {number(1): "a"})
    undo(acme, done)
    event = acme.history(number(1))[-1]
    assert (event["source"], event["by"], event["upload"]) == ("undo", "Ann", done["upload"])
    assert (event["status_before"], event["status_after"]) == ("opted_in", "absent")
    upload = acme.upload(done["upload"])
    assert (upload.state, upload.undone_by) == ("applied", "Ann")


def test_three_buckets(acme: Provider) -> None:
    done = acme.process("append.csv", numbers(6))
    acme.command("suspend", number(1))
    acme.command("opt_in", number(2), ["new"])
    acme.text(number(3), "STOP")
    acme.command("opt_out", number(4), source="end_user")
    assert undo(acme, done) == Undone(done["upload"], reversed=2, kept=2, refused=2)
    assert acme.list() == {
        number(1): ("suspended", ""),
        number(2): ("opted_in", "new"),
        number(3): ("opted_out", ""),
        number(4): ("opted_out", ""),
    }


def test_an_end_users_stop_on_an_opt_out_of_ours_is_respected(acme: Provider) -> None:
    acme.process("append.csv", numbers(3))
    done = acme.process("hard_opt_out.csv", numbers(1))
    acme.text(number(1), "STOP")  # changes no status
    assert undo(acme, done) == Undone(done["upload"], reversed=1, kept=0, refused=1)
    assert acme.statuses() == {number(0): "opted_in", number(1): "opted_out", number(2): "opted_in"}


def test_who_sent_the_keyword_since_has_consented_alone(acme: Provider) -> None:
    done = acme.process("append.csv", numbers(2))
    acme.text(number(1), "ACME")  # changes nothing either
    assert undo(acme, done) == Undone(done["upload"], reversed=1, kept=1, refused=0)
    assert acme.statuses() == {number(1): "opted_in"}


def test_an_operators_opt_out_since_is_kept(acme: Provider) -> None:
    acme.process("append.csv", numbers(2))
    done = acme.process("hard_opt_out.csv", numbers(1))
    acme.command("opt_out", number(1))
    assert undo(acme, done).kept == 1
    assert acme.statuses()[number(1)] == "opted_out"


def test_what_it_added_is_off_the_list_but_not_new(acme: Provider) -> None:
    done = acme.process("append.csv", numbers(2))
    undo(acme, done)
    assert acme.list() == {}
    assert len(acme.history(number(0))) == 2
    again = acme.process("append.csv", numbers(3))["changes"]
    assert (again["opted_in"], again["never_seen_before"]) == (3, 1)
    assert len(acme.list()) == 3


def test_what_is_off_the_list_is_no_longer_omitted(acme: Provider) -> None:
    undo(acme, acme.process("append.csv", numbers(2)))
    changes = acme.process("soft_opt_out.csv", {number(5): ""})["changes"]
    assert (changes["suspended"], changes["opted_in"]) == (0, 1)
    assert acme.statuses() == {number(5): "opted_in"}


def test_refused_after_a_later_file_of_the_feed(acme: Provider) -> None:
    first = acme.process("soft_opt_out.csv", numbers(2))
    second = acme.process("soft_opt_out.csv", numbers(3))
    with pytest.raises(Refused, match=f"upload {second['upload']} of the same feed was applied after"):
        undo(acme, first)
    assert len(acme.list()) == 3
    assert undo(acme, first, anyway=True).reversed == 2
    assert acme.statuses() == {number(2): "opted_in"}


def test_the_newest_first_goes_all_the_way_back(acme: Provider) -> None:
    done = [
        acme.process("soft_opt_out_tags.csv", rows) for rows in ({number(1): "a"}, {number(2): ""}, {number(1): "b"})
    ]
    for report in reversed(done):
        assert undo(acme, report).kept == 0
    assert acme.list() == {}


def test_later_is_what_was_applied_later_whatever_the_clock_said(acme: Provider) -> None:
    first = acme.process("append.csv", numbers(3))
    acme.tick(hours=-1)
    second = acme.process("append.csv", {number(1): "x"})
    same = acme.process("append.csv", {number(1): "x"})  # changed nothing, and is later all the same
    for earlier, later in ((first, second), (second, same)):
        with pytest.raises(Refused, match=f"upload {later['upload']} of the same feed was applied after"):
            undo(acme, earlier)
    for each in (same, second, first):
        undo(acme, each)
    assert acme.list() == {}


def test_a_later_file_of_another_feed_does_not_matter(acme: Provider) -> None:
    first = acme.process("append.csv", numbers(2))
    acme.process("append_tags.csv", {number(1): "x"})
    undone = undo(acme, first)
    assert (undone.reversed, undone.kept) == (1, 1)
    assert acme.list() == {number(1): ("opted_in", "x")}


def test_a_file_with_removals_made_two_changes(acme: Provider) -> None:
    acme.configure({}, preformatted={"minus": "opt_out"})
    acme.process("a.csv", f"{number(1)},t\n", folder="preformatted")
    done = acme.process("b.csv", f"-{number(1)}\n{number(2)}\n-{number(3)}\n", folder="preformatted")
    assert undo(acme, done).reversed == 3
    assert acme.list() == {number(1): ("opted_in", "t")}


def test_once_only(acme: Provider) -> None:
    done = acme.process("append.csv", numbers(2))
    undo(acme, done)
    with pytest.raises(Refused, match="was undone by Ann"):
        undo(acme, done)


def test_nothing_to_reverse(acme: Provider) -> None:
    acme.process("append.csv", numbers(2))
    same = acme.process("append.csv", numbers(2))
    assert undo(acme, same) == Undone(same["upload"], 0, 0, 0)


def test_only_what_was_applied(acme: Provider) -> None:
    rejected = acme.process("append.csv", "%PDF-1.4\n")
    with pytest.raises(Refused, match="is rejected; only an applied upload"):
        undo(acme, rejected)
    with pytest.raises(NotFound):
        undo(acme, {"upload": 99})


class TestWhatWasSaidSince:
    """An undo takes back what a file did, and not what others have said of the same addresses, in vain or not."""

    @pytest.fixture
    def wrong(self, acme: Provider) -> dict:
        """A file that has opted out ten numbers by leaving them out. Numbers are removed by name elsewhere."""
        acme.configure({"hard_opt_out": feed("hard_opt_out")}, preformatted={"minus": "opt_out"})
        acme.process("hard_opt_out.csv", numbers(30))
        done = acme.process("hard_opt_out.csv", numbers(20))
        assert done["changes"]["opted_out"] == 10
        return done

    def bring(self, acme: Provider, row: str) -> None:
        path = acme.folder / "old.csv"
        path.write_text(f"number,status,tags\n{row}\n")
        importing.import_list(acme.store, acme.customer, path, "Ann", acme.tick())

    def test_an_imported_opt_out_stands(self, acme: Provider, wrong: dict) -> None:
        self.bring(acme, f"{number(25)},opted_out,")
        assert undo(acme, wrong) == Undone(wrong["upload"], reversed=9, kept=1, refused=0)
        assert acme.statuses()[number(25)] == "opted_out"

    def test_an_import_that_could_not_lift_it_does_not_keep_it(self, acme: Provider, wrong: dict) -> None:
        self.bring(acme, f"{number(25)},opted_in,")
        assert undo(acme, wrong).kept == 0
        assert acme.statuses()[number(25)] == "opted_in"

    def test_a_removal_by_name_stands(self, acme: Provider, wrong: dict) -> None:
        acme.process("x.csv", f"-{number(25)}\n", folder="preformatted")
        assert undo(acme, wrong) == Undone(wrong["upload"], reversed=9, kept=1, refused=0)
        assert acme.statuses()[number(25)] == "opted_out"

    def test_unless_it_was_undone_itself(self, acme: Provider, wrong: dict) -> None:
        removal = acme.process("x.csv", f"-{number(25)}\n", folder="preformatted")
        assert undo(acme, removal) == Undone(removal["upload"], 0, 0, 0)
        assert acme.statuses()[number(25)] == "opted_out"
        assert undo(acme, wrong).reversed == 10
        assert acme.statuses()[number(25)] == "opted_in"

    @pytest.mark.parametrize(("command", "tags"), [("opt_in", ()), ("reactivate", ()), ("add_tags", ("t",))])
    def test_who_was_signed_up_since_stays(self, acme: Provider, command: str, tags: tuple[str, ...]) -> None:
        done = acme.process("append.csv", {number(1): "t", number(2): "t"})
        standing = acme.command(command, number(1), tags)
        assert not standing.changed
        assert "already" in standing.message
        assert undo(acme, done) == Undone(done["upload"], reversed=1, kept=1, refused=0)
        assert acme.list() == {number(1): ("opted_in", "t")}

    def test_who_was_suspended_since_stays_so(self, acme: Provider) -> None:
        acme.process("append.csv", numbers(3))
        done = acme.process("soft_opt_out.csv", numbers(1))
        acme.command("suspend", number(2))
        assert undo(acme, done).kept == 1
        assert acme.statuses() == {number(0): "opted_in", number(1): "opted_in", number(2): "suspended"}

    def test_a_command_that_was_refused_said_nothing(self, acme: Provider, wrong: dict) -> None:
        with pytest.raises(Refused):
            acme.command("opt_in", number(25))
        assert undo(acme, wrong).reversed == 10

    def test_who_was_imported_since_stays(self, acme: Provider) -> None:
        done = acme.process("append.csv", numbers(3))
        self.bring(acme, f"{number(1)},opted_in,")
        assert undo(acme, done).kept == 1
        assert acme.statuses() == {number(1): "opted_in"}

    def test_whom_another_feed_lists_stays(self, acme: Provider) -> None:
        done = acme.process("append.csv", numbers(3))
        acme.process("append_tags.csv", numbers(2))  # changes two bits, and no status
        assert undo(acme, done) == Undone(done["upload"], reversed=1, kept=2, refused=0)
        assert acme.statuses() == {number(0): "opted_in", number(1): "opted_in"}

    def test_unless_that_was_undone_too(self, acme: Provider) -> None:
        done = acme.process("append.csv", numbers(3))
        undo(acme, acme.process("append_tags.csv", numbers(2)))
        assert undo(acme, done).reversed == 3
        assert acme.list() == {}


class TestWhomTheFeedListed:
    """``omitted_scope: feed``: after an undo the feed has not listed whom only the undone file listed."""

    @pytest.fixture
    def school(self, acme: Provider) -> Provider:
        """Staff, whose feed removes whom it has listed before, and pupils."""
        acme.configure(
            {"staff": feed("hard_opt_out", "staff", omitted_scope="feed"), "pupils": feed("append", "pupils")}
        )
        acme.approve("staff", "pupils")
        acme.process("staff.csv", numbers(3))
        return acme

    def test_the_next_file_does_not_miss_who_came_by_another_feed(self, school: Provider) -> None:
        school.process("pupils.csv", numbers(10, 100))
        wrong = school.process("staff.csv", numbers(3) | numbers(10, 100))
        assert undo(school, wrong) == Undone(wrong["upload"], 0, 0, 0)
        assert school.process("staff.csv", numbers(3))["changes"]["opted_out"] == 0
        assert set(school.statuses().values()) == {"opted_in"}

    def test_it_does_where_no_undo_was(self, school: Provider) -> None:
        school.process("pupils.csv", numbers(10, 100))
        school.process("staff.csv", numbers(3) | numbers(10, 100))
        assert school.process("staff.csv", numbers(3))["changes"]["opted_out"] == 10

    def test_nor_who_consented_after_the_undo(self, school: Provider) -> None:
        wrong = school.process("staff.csv", numbers(13))
        assert undo(school, wrong).reversed == 10
        school.text(number(10), "ACME")
        school.process("staff.csv", numbers(3))
        assert school.statuses()[number(10)] == "opted_in"

    def test_nor_who_consented_before_it(self, school: Provider) -> None:
        wrong = school.process("staff.csv", numbers(13))
        school.text(number(10), "ACME")
        assert undo(school, wrong).kept == 1
        school.process("staff.csv", numbers(3))
        assert school.statuses()[number(10)] == "opted_in"

    def test_who_was_listed_before_is_missed_as_ever(self, school: Provider) -> None:
        wrong = school.process("staff.csv", {number(0): "t"} | numbers(2, 1))
        assert undo(school, wrong).reversed == 1
        assert school.process("staff.csv", numbers(2, 1))["changes"]["opted_out"] == 1
        assert school.statuses()[number(0)] == "opted_out"

    def test_who_plans_a_file_meanwhile_learns_of_it(self, school: Provider) -> None:
        school.process("pupils.csv", numbers(10, 100))
        wrong = school.process("staff.csv", numbers(3) | numbers(10, 100))
        before = school.rows("lists.all")[0]["version"]
        undo(school, wrong)
        changed = {row["key"] for row in school.rows("events.changed_keys", list=1, version=before)}
        assert changed == {int(phone) for phone in numbers(10, 100)}

    def test_it_is_in_the_history(self, school: Provider) -> None:
        school.process("pupils.csv", numbers(1, 100))
        undo(school, school.process("staff.csv", numbers(3) | numbers(1, 100)))
        event = school.history(number(100))[-1]
        assert (event["source"], event["status_before"], event["status_after"]) == ("undo", "opted_in", "opted_in")
