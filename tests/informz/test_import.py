"""Go-live of a brand, and one subscriber at a time."""

from __future__ import annotations

import pytest

from alp_daemon.errors import NotFound, UnusableFile, UsageProblem
from alp_daemon.services.addresses import subscriber, wholelist
from alp_daemon.services.addresses.optin import Sender
from tests.files.informz.requests import field
from tests.informz.brand import Brand

HAND = Sender("operator", "operator", "cli")


def bring(brand: Brand, text: str) -> object:
    path = brand.folder / "import.csv"
    path.write_text(text)
    return wholelist.bring(brand.store, brand.customer, path, "Ann", brand.tick())


def test_what_is_exported_comes_back_as_it_was(brand: Brand) -> None:
    brand.say("a@example.com,Ann\nb@example.com,\n", field("FirstName", 2), interests=("News", "Events"))
    brand.say("b@example.com\n", action="UnsubscribeSubscribers")
    subscriber.unsubscribe(brand.store, brand.customer.id, "c@example.com", HAND, brand.tick())
    exported = brand.exported()
    (brand.folder / "other").mkdir()
    other = Brand(brand.folder / "other")
    bring(other, exported)
    assert other.exported() == exported


def test_who_has_unsubscribed_on_either_side_stays_so(brand: Brand) -> None:
    brand.say("a@example.com\n", action="UnsubscribeSubscribers")
    brand.say("b@example.com\n")
    bring(brand, "email,status,interests\na@example.com,opted_in,News\nb@example.com,unsubscribed,\n")
    assert brand.standing() == {"a@example.com": "unsubscribed", "b@example.com": "unsubscribed"}


def test_an_import_makes_its_interests_and_refuses_what_is_no_row(brand: Brand) -> None:
    imported = bring(brand, "email,status,interests,City\nA@Example.com,opted_in,Club;News,Ely\nx,opted_in,,\n,,,\n")
    assert brand.people() == {"a@example.com": {"status": "opted_in", "interests": "Club;News", "City": "Ely"}}
    assert [reject.reason for reject in imported.rejects.kept] == ["bad_email", "unknown_status"]  # type: ignore[attr-defined]
    brand.say("c@example.com\n", interests=("Club",))
    assert brand.interests()["c@example.com"] == {"Club"}


@pytest.mark.parametrize("row", ["b@example.com,Unsubscribed,,", "b@example.com,STOP,,", "x,out,,", "b@example.com,,,"])
def test_a_status_that_nobody_knows_refuses_the_whole_file(brand: Brand, row: str) -> None:
    sound = "email,status,interests\na@example.com,unsubscribed,New\n"
    with pytest.raises(UnusableFile, match=r"row 3 .*; expected one of opted_in, suspended, opted_out, unsubscribed"):
        bring(brand, f"{sound}{row}\n")
    assert (brand.standing(), brand.interests()) == ({}, {})
    with brand.store.read() as transaction:
        assert [row["imported_at"] for row in transaction.all("lists.all")] == [None]
    bring(brand, sound)
    assert brand.standing() == {"a@example.com": "unsubscribed"}


def test_who_is_out_stays_out_whatever_their_interests_are_called(brand: Brand) -> None:
    rows = 'a@example.com,unsubscribed,"Club;a,b"\nb@example.com,opted_out,"a,b"\nc@example.com,opted_in,"a,b"\n'
    imported = bring(brand, f"email,status,interests\n{rows}")
    assert [reject.reason for reject in imported.rejects.kept] == ["bad_tag"] * 3  # type: ignore[attr-defined]
    assert brand.standing() == {"a@example.com": "unsubscribed", "b@example.com": "opted_out"}
    assert brand.interests()["a@example.com"] == {"Club"}


def test_a_column_that_is_missing_is_named(brand: Brand) -> None:
    with pytest.raises(UnusableFile, match="no column status, interests"):
        bring(brand, "email\na@example.com\n")


def test_numbers_are_brought_to_the_list_of_numbers(brand: Brand) -> None:
    bring(brand, "number,status,tags\n+12125550001,opted_out,\n")
    assert (brand.statuses(), brand.people()) == ({"+12125550001": "opted_out"}, {})


def test_unsubscribed_by_hand_no_file_but_one_lifts_it(brand: Brand) -> None:
    brand.say("a@example.com\n", interests=("News",))
    told = subscriber.unsubscribe(brand.store, brand.customer.id, " A@example.com", HAND, brand.tick())
    assert (told["status"], told["changed"], told["interests"]) == ("unsubscribed", True, ["News"])
    brand.say("a@example.com\n", interests=("Events",))
    brand.say("a@example.com\n", interests=("Events",), action="ReplaceAllSubscribers")
    assert brand.standing() == {"a@example.com": "unsubscribed"}
    brand.say("a@example.com\n", action="ResubscribeSubscribers")
    assert brand.standing() == {"a@example.com": "opted_in"}


def test_what_was_said_again_is_recorded(brand: Brand) -> None:
    for _ in range(2):
        told = subscriber.unsubscribe(brand.store, brand.customer.id, "new@example.com", HAND, brand.tick())
    assert not told["changed"]
    assert [event["status_after"] for event in told["history"]] == ["unsubscribed", "unsubscribed"]


def test_so_is_what_was_imported_again(brand: Brand) -> None:
    for _ in range(2):
        bring(brand, "email,status,interests\na@example.com,unsubscribed,\nb@example.com,opted_out,\n")
    told = subscriber.unsubscribe(brand.store, brand.customer.id, "b@example.com", HAND, brand.tick())
    assert [event["status_after"] for event in told["history"]] == ["opted_out"] * 3
    assert len(subscriber.story(brand.store, brand.customer.id, "a@example.com")["history"]) == 2


def test_a_story_has_attributes_and_interests_before_and_after(brand: Brand) -> None:
    brand.say("a@example.com,Ann\n", field("FirstName", 2), interests=("News",))
    brand.say("a@example.com,Zoe\n", field("FirstName", 2))
    story = subscriber.story(brand.store, brand.customer.id, "a@example.com")
    assert story["attributes"] == {"FirstName": "Zoe"}
    assert [event["attributes_before"] for event in story["history"]] == [{}, {"FirstName": "Ann"}]
    assert [event["interests_after"] for event in story["history"]] == [["News"], ["News"]]


def test_nobody_s_story(brand: Brand) -> None:
    with pytest.raises(NotFound):
        subscriber.story(brand.store, brand.customer.id, "a@example.com")
    with pytest.raises(UsageProblem):
        subscriber.story(brand.store, brand.customer.id, "nobody")


def test_an_attribute_called_like_a_column_of_the_export_keeps_its_own(brand: Brand) -> None:
    brand.say("a@example.com,Gold\n", field("status", 2))
    assert brand.exported().splitlines()[0] == "email,status,interests,status (attribute)"
    (brand.folder / "other").mkdir()
    other = Brand(brand.folder / "other")
    bring(other, brand.exported())
    assert other.exported() == brand.exported()
