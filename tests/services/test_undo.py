"""Undo: reversed, kept or refused, address by address; what was added is off the list, and yet not new."""

from __future__ import annotations

import pytest

from alp_daemon.errors import NotFound, Refused
from alp_daemon.services.undo import Undone
from alp_daemon.services.undo import undo as undo_upload
from tests.services.provider import MODES, Provider, number, numbers


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
