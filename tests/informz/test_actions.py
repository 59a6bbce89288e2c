"""What each action does to a brand's list, through the same queue, guard, report and undo as any file."""

from __future__ import annotations

from alp_daemon.domain.model import Evidence
from alp_daemon.services.addresses import subscribers
from alp_daemon.services.decisions import holds
from alp_daemon.services.decisions.undo import undo
from tests.files.informz.requests import field
from tests.informz.brand import Brand

ADD, REPLACE, REMOVE, UNSUBSCRIBE, RESUBSCRIBE = (
    "AddOrUpdateSubscribers",
    "ReplaceAllSubscribers",
    "RemoveSubscribers",
    "UnsubscribeSubscribers",
    "ResubscribeSubscribers",
)


def test_add_subscribes_and_gives_the_interests(brand: Brand) -> None:
    report = brand.say("A@Example.com\nb@example.com\n", interests=("News", "Events"))
    assert (report["state"], report["feed"], report["mode"]) == ("applied", "bulkupload", ADD)
    assert report["changes"]["opted_in"] == 2
    assert brand.interests() == {"a@example.com": {"News", "Events"}, "b@example.com": {"News", "Events"}}


def test_add_never_resubscribes_and_keeps_other_interests(brand: Brand) -> None:
    brand.say("a@example.com\n", interests=("Offers",))
    brand.say("a@example.com\n", action=UNSUBSCRIBE)
    report = brand.say("a@example.com\n", interests=("News",))
    assert report["changes"]["opted_in"] == report["changes"].get("resubscribed", 0) == 0
    assert brand.standing() == {"a@example.com": "unsubscribed"}
    assert brand.interests() == {"a@example.com": {"News", "Offers"}}


def test_replace_all_makes_the_membership_what_the_data_says(brand: Brand) -> None:
    brand.say("a@example.com\nb@example.com\n", interests=("News", "Events"))
    brand.say("b@example.com\nc@example.com\n", interests=("News",), action=REPLACE)
    assert brand.interests() == {
        "a@example.com": {"Events"},
        "b@example.com": {"News", "Events"},
        "c@example.com": {"News"},
    }
    assert set(brand.standing().values()) == {"opted_in"}


def test_replace_all_by_the_interests_of_each_record(brand: Brand) -> None:
    column = field("Interest", 2, "Interest")
    brand.say("a@example.com\nb@example.com\n", interests=("News", "Events"))
    brand.say("a@example.com~Offers\nb@example.com~News,Offers\n", column, action=REPLACE, delimiter="~")
    # Who says nothing of Events leaves it as it is; News and Offers are what the records say.
    assert brand.interests() == {"a@example.com": {"Events", "Offers"}, "b@example.com": {"Events", "News", "Offers"}}


def test_replace_all_without_data_empties_the_interest_and_says_so(brand: Brand) -> None:
    brand.say("".join(f"p{n}@example.com\n" for n in range(300)), interests=("News",))
    for empty in ({"data": ""}, {"data": "\n\n"}):
        report = brand.say(interests=("News",), action=REPLACE, **empty)
        assert report["state"] == "applied"
        assert any("no record" in note for note in report["notes"])
    assert set(map(len, brand.interests().values())) == {0}
    assert set(brand.standing().values()) == {"opted_in"}


def test_replace_all_that_names_nothing_empties_nothing(brand: Brand) -> None:
    brand.say("a@example.com\n", interests=("News",))
    report = brand.say("", field("Interest", 2, "Interest"), delimiter="~", action=REPLACE)
    assert (report["state"], report.get("notes", [])) == ("applied", [])
    assert brand.interests() == {"a@example.com": {"News"}}


def test_replace_all_that_loses_most_members_waits_for_a_person(brand: Brand) -> None:
    brand.say("".join(f"p{n}@example.com\n" for n in range(300)), interests=("News",))
    report = brand.say("p1@example.com\n", interests=("News",), action=REPLACE)
    assert (report["state"], [each["code"] for each in report["hold"]]) == ("held", ["omitted"])
    assert "299 of 300 opted-in members" in report["reason"]
    assert all(brand.interests().values())
    holds.release(brand.store, report["upload"], "Ann", brand.now)
    brand.work()
    assert [email for email, interests in brand.interests().items() if interests] == ["p1@example.com"]


def test_replace_all_with_nothing_but_bad_rows_waits_for_a_person(brand: Brand) -> None:
    brand.say("a@example.com\n", interests=("News",))
    report = brand.say("not an address\n", interests=("News",), action=REPLACE)
    assert {each["code"] for each in report["hold"]} >= {"no_valid_rows"}
    assert brand.interests() == {"a@example.com": {"News"}}


def test_replace_all_does_not_end_a_held_request_about_another_interest(brand: Brand) -> None:
    brand.say("".join(f"p{n}@example.com\n" for n in range(300)), interests=("News",))
    held = brand.say("p1@example.com\n", interests=("News",), action=REPLACE)
    brand.say("p2@example.com\n", interests=("Events",), action=REPLACE)
    assert brand.upload(held["upload"]).state == "held"


def test_remove_takes_out_of_the_interest_and_leaves_the_subscriber(brand: Brand) -> None:
    brand.say("a@example.com,Ann\n", field("FirstName", 2), interests=("News", "Events"))
    report = brand.say(
        "a@example.com,Zoe\nstranger@example.com,X\n", field("FirstName", 2), action=REMOVE, interests=("News",)
    )
    assert brand.people() == {"a@example.com": {"status": "opted_in", "interests": "Events", "FirstName": "Ann"}}
    assert report["notes"] == ["addresses that are not on the list, passed over: 1"]


def test_unsubscribe_also_records_those_nobody_has_heard_of(brand: Brand) -> None:
    brand.say("a@example.com\n", interests=("News",))
    report = brand.say("a@example.com\nstranger@example.com\n", action=UNSUBSCRIBE)
    assert report["changes"]["unsubscribed"] == 2
    assert brand.standing() == {"a@example.com": "unsubscribed", "stranger@example.com": "unsubscribed"}
    assert brand.interests()["a@example.com"] == {"News"}


def test_resubscribe_lifts_unsubscribed_only(brand: Brand) -> None:
    brand.say("a@example.com\nb@example.com\n", interests=("News",))
    brand.say("a@example.com\n", action=UNSUBSCRIBE)
    report = brand.say("a@example.com\nb@example.com\nstranger@example.com\n", action=RESUBSCRIBE)
    assert (report["changes"]["resubscribed"], report["changes"]["opted_in"]) == (1, 0)
    assert brand.standing() == {"a@example.com": "opted_in", "b@example.com": "opted_in"}


def test_an_interest_that_nobody_made_is_ignored_and_reported(brand: Brand) -> None:
    report = brand.say("a@example.com\n", interests=("News", "Gossip"))
    assert report["state"] == "applied"
    assert any('"Gossip" does not exist' in note for note in report["notes"])
    assert brand.interests() == {"a@example.com": {"News"}}


def test_a_column_that_holds_no_interests_is_told_of_shortly(brand: Brand) -> None:
    people = "".join(f"p{n}@example.com~Street {n:04}\n" for n in range(1000))
    report = brand.say(people + "a@example.com~Street 0999\n", field("Interest", 2, "Interest"), delimiter="~")
    assert '"Street 0999" does not exist and was ignored (2 times)' in report["notes"][0], "the most frequent first"
    assert len(report["notes"]) == 21
    assert "so were 980 other names" in report["notes"][-1]


def test_remove_and_replace_all_fail_where_no_interest_is_left(brand: Brand) -> None:
    brand.say("a@example.com\n", interests=("News",))
    for action in (REMOVE, REPLACE):
        report = brand.say("a@example.com\n", interests=("Gossip",), action=action)
        assert report["state"] == "rejected"
        assert "Gossip" in report["reason"]
    assert brand.interests() == {"a@example.com": {"News"}}


def test_the_same_interest_in_both_places_is_one_membership(brand: Brand) -> None:
    brand.say("a@example.com~News,Events\n", field("Interest", 2, "Interest"), interests=("News",), delimiter="~")
    assert brand.people()["a@example.com"]["interests"] == "Events;News"


def test_undo_takes_back_status_interests_and_attributes(brand: Brand) -> None:
    brand.say("a@example.com,Ann\nb@example.com,Bob\n", field("FirstName", 2), interests=("News",))
    before = brand.exported()
    report = brand.say(
        "a@example.com,Zoe\nc@example.com,Cy\n", field("FirstName", 2), action=REPLACE, interests=("News",)
    )
    assert brand.exported() != before
    undone = undo(brand.store, report["upload"], "Ann", brand.tick())
    assert (undone.reversed, undone.kept, undone.refused) == (3, 0, 0)
    assert brand.exported() == before


def test_the_same_request_twice_changes_nothing(brand: Brand) -> None:
    say = (
        "a@example.com,Ann,\nb@example.com,,7\n",
        field("FirstName", 2, DefaultValue="Friend"),
        field("Points", 3, DataType="Integer"),
    )
    brand.say(*say, interests=("News",))
    before = brand.exported()
    report = brand.say(*say, interests=("News",))
    assert report["changes"] == {**dict.fromkeys(report["changes"], 0), "unchanged": 2}
    assert brand.exported() == before


def test_a_request_of_another_brand_changes_nothing(brand: Brand) -> None:
    report = brand.say("a@example.com\n", interests=("News",), brand='<Brand id="1234">x</Brand>')
    assert (report["state"], brand.people()) == ("rejected", {})
    assert "1234" in report["reason"]


def test_a_request_cut_anywhere_changes_nothing(brand: Brand) -> None:
    from tests.files.informz.requests import request

    whole = request("a@example.com\nb@example.com\n", interests=("News",), action=REPLACE).encode()
    for end in range(len(whole.rstrip()) - 60, len(whole.rstrip())):
        assert brand.drop(whole[:end])["state"] == "rejected"
    assert brand.people() == {}
    assert brand.drop(whole, evidence=Evidence.cut)["evidence"] == "proven"


def test_the_list_of_numbers_stays_apart(brand: Brand) -> None:
    brand.say("a@example.com\n", interests=("News",))
    brand.process("numbers.csv", "+12125550001,vip\n")
    assert brand.list() == {"+12125550001": ("opted_in", "vip")}
    assert list(brand.people()) == ["a@example.com"]


def test_an_interest_made_meanwhile_is_seen_by_the_same_request(brand: Brand) -> None:
    say = {"interests": ("News", "Gossip")}
    first = brand.say("a@example.com\n", **say)
    again = brand.say("a@example.com\n", **say)
    assert again["notes"] == first["notes"]
    subscribers.add_interest(brand.store, brand.customer, "Gossip", "Ann", brand.tick())
    assert brand.say("a@example.com\n", **say)["changes"]["tags_added"] == 1
    assert brand.interests() == {"a@example.com": {"News", "Gossip"}}
