"""Undo: reversed, kept or refused, address by address; what was added is off the list, and yet not new."""

from __future__ import annotations

from itertools import permutations

import pytest

from alp_daemon.errors import NotFound, Refused
from alp_daemon.services.addresses import importing
from alp_daemon.services.decisions.undo import Undone
from alp_daemon.services.decisions.undo import undo as undo_upload
from alp_daemon.services.reports import shown
from alp_daemon.services.safekeeping.verify import verify
from alp_daemon.services.web import uploadsearch
from alp_daemon.services.web.uploadsearch import Wanted
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


def test_it_is_found_by_the_state_that_is_shown(acme: Provider) -> None:
    done = [acme.process("append.csv", {number(index): ""}) for index in (1, 2)]
    undo(acme, done[1])
    for state, upload in (("applied", done[0]["upload"]), ("undone", done[1]["upload"])):
        assert [each["upload"] for each in shown.listed(acme.store, "acme", state, 9)] == [upload]
        found, _ = uploadsearch.find(acme.store, Wanted(state=state), 9)
        assert [each.id for each in found] == [upload]


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
    with pytest.raises(Refused, match=f"upload {same['upload']} of the same feed was applied after"):
        undo(acme, second)
    with pytest.raises(Refused, match=rf"^2 uploads .* undo them first, from the newest \(upload {same['upload']}\)"):
        undo(acme, first)
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

    def test_a_command_given_again_says_nothing_new(self, acme: Provider) -> None:
        done = acme.process("append.csv", numbers(2))
        for _ in range(3):
            assert not acme.command("opt_in", number(1)).changed
        assert [event["source"] for event in acme.history(number(1))] == ["file", "operator"]
        assert undo(acme, done).kept == 1

    def test_unless_a_file_came_in_between(self, acme: Provider) -> None:
        acme.process("append.csv", numbers(2))
        acme.command("opt_in", number(1))
        done = acme.process("append_tags.csv", {number(1): "t"})
        acme.command("opt_in", number(1))
        assert [event["source"] for event in acme.history(number(1))] == ["file", "operator", "file", "operator"]
        assert undo(acme, done).kept == 1
        assert acme.list()[number(1)] == ("opted_in", "t")

    def test_an_opt_out_given_again_is_on_record_each_time(self, acme: Provider) -> None:
        for _ in range(3):
            acme.command("opt_out", number(1))
        assert len(acme.history(number(1))) == 3

    def test_what_a_later_file_said_stands_though_it_is_what_the_undone_one_said(self, acme: Provider) -> None:
        acme.process("append.csv", {number(1): "a"})
        done = acme.process("append_tags.csv", {number(1): "b"})
        for tags in ("c", "b"):
            acme.process("soft_opt_out_tags.csv", {number(1): tags})
        assert undo(acme, done) == Undone(done["upload"], reversed=0, kept=1, refused=0)
        assert acme.list()[number(1)] == ("opted_in", "b")

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

    def test_a_later_file_has_listed_them_too(self, school: Provider) -> None:
        school.process("pupils.csv", numbers(10, 100))
        wrong, _ = (school.process("staff.csv", numbers(3) | numbers(10, 100)) for _ in range(2))
        assert undo(school, wrong, anyway=True) == Undone(wrong["upload"], 0, 0, 0)
        assert school.process("staff.csv", numbers(3) | numbers(8, 100))["changes"]["opted_out"] == 2

    def test_until_that_is_undone_as_well(self, school: Provider) -> None:
        school.process("pupils.csv", numbers(10, 100))
        wrong, later = (school.process("staff.csv", numbers(3) | numbers(10, 100)) for _ in range(2))
        undo(school, wrong, anyway=True)
        undo(school, later)
        assert school.process("staff.csv", numbers(3))["changes"]["opted_out"] == 0

    def test_a_later_file_that_removes_nobody_need_not_have_listed_them(self, school: Provider) -> None:
        staff = school.process("staff.csv", numbers(4))
        pupils = school.process("pupils.csv", numbers(4))
        school.process("pupils.csv", numbers(1, 100))
        undo(school, pupils, anyway=True)
        assert undo(school, staff).reversed == 1
        assert set(school.statuses()) == {*numbers(3), number(100)}


class TestInAnyOrder:
    """What one undo keeps for the sake of another upload goes with that one."""

    LISTED = tuple({number(index): "" for index in range(8) if index >> upload & 1} for upload in range(3))
    """Three files in which every number is or is not."""
    ORDERS = tuple(permutations(range(3)))

    def undo_all(self, acme: Provider, mode: str, order: tuple[int, ...], *tags: str) -> None:
        """Applies the three files, the second of them of another feed, and undoes them in this order."""
        base = acme.list()
        named = {phone for phone, (status, _) in base.items() if status == "opted_in"}
        feeds = (mode, "append", mode)
        done = []
        for name, rows, tag in zip(feeds, self.LISTED, tags or ("",) * 3, strict=True):
            done.append(acme.process(f"{name}.csv", dict.fromkeys(rows, tag)))
        left = set(range(3))
        for each in order:
            undo(acme, done[each], anyway=True)
            left.remove(each)
            texted = {phone for phone, status in acme.statuses().items() if status == "opted_in"}
            assert texted <= named.union(*(self.LISTED[upload] for upload in left)), "nobody else has them"
        assert acme.list() == base
        assert [fault for found in verify(acme.store) for fault in found.faults] == []

    @pytest.mark.parametrize("order", ORDERS)
    @pytest.mark.parametrize("mode", ["append_tags", "soft_opt_out", "hard_opt_out"])
    def test_all_goes_back_to_what_it_was(self, acme: Provider, mode: str, order: tuple[int, ...]) -> None:
        acme.command("opt_in", number(1), ["own"])
        acme.command("opt_in", number(2))
        acme.command("suspend", number(2))
        acme.command("opt_in", number(5))
        acme.command("opt_in", number(8))
        self.undo_all(acme, mode, order, "a", "b", "")

    @pytest.mark.parametrize("order", ORDERS)
    def test_also_where_the_second_listing_changed_nothing(self, acme: Provider, order: tuple[int, ...]) -> None:
        self.undo_all(acme, "soft_opt_out", order)

    @pytest.mark.parametrize("order", ORDERS)
    def test_what_is_left_says_who_is_on_the_list(self, acme: Provider, order: tuple[int, ...]) -> None:
        one, two, three = self.LISTED
        first_of_feed = (one, two, three.keys() - one.keys())  # as far as there is a record
        done = [
            acme.process(f"{name}.csv", rows)
            for name, rows in zip(("append", "append_tags", "append"), self.LISTED, strict=True)
        ]
        left = set(range(3))
        for each in order:
            undo(acme, done[each], anyway=True)
            left.remove(each)
            assert acme.statuses().keys() == set().union(*(first_of_feed[upload] for upload in left))

    def test_the_older_feed_first(self, acme: Provider) -> None:
        one, other = acme.process("append.csv", numbers(3)), acme.process("append_tags.csv", numbers(3))
        assert undo(acme, one) == Undone(one["upload"], reversed=0, kept=3, refused=0)
        assert undo(acme, other) == Undone(other["upload"], reversed=3, kept=0, refused=0)
        assert acme.list() == {}

    def test_who_has_consented_meanwhile_stays(self, acme: Provider) -> None:
        one, other = acme.process("append.csv", numbers(3)), acme.process("append_tags.csv", numbers(3))
        undo(acme, one)
        acme.text(number(0), "ACME")
        acme.command("opt_in", number(1))
        assert undo(acme, other).reversed == 1
        assert acme.statuses() == {number(0): "opted_in", number(1): "opted_in"}

    def test_an_omission_undone_does_not_opt_in_whom_no_file_lists(self, acme: Provider) -> None:
        acme.process("append.csv", numbers(1))
        brought = acme.process("append_tags.csv", numbers(3))
        omission = acme.process("hard_opt_out.csv", numbers(1))
        assert undo(acme, brought) == Undone(brought["upload"], reversed=0, kept=2, refused=0)
        assert undo(acme, omission).reversed == 2
        assert acme.statuses() == {number(0): "opted_in"}

    def test_tags_of_an_undone_file_do_not_come_back(self, acme: Provider) -> None:
        acme.process("append.csv", {number(1): "right"})
        wrong = acme.process("append_tags.csv", {number(1): "wrong"})
        later = acme.process("soft_opt_out_tags.csv", {number(1): "later"})
        undo(acme, wrong)
        undo(acme, later)
        assert acme.list() == {number(1): ("opted_in", "right")}
