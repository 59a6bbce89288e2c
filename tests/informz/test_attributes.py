"""Fields of subscribers: made when new, filled, replaced, blanked; demographics with their target groups."""

from __future__ import annotations

from alp_daemon.files.informz.places import COUNTRIES, STATES
from tests.files.informz.requests import field
from tests.informz.brand import Brand


def test_a_field_is_made_by_the_first_request_that_defines_it(brand: Brand) -> None:
    brand.say("a@example.com,7\n", field("Points", 2, DataType="Integer"))
    brand.say("a@example.com,x\n", field("Points", 2, DataType="String"))
    points = brand.fields()["Points"]
    assert (points.type, points.data_type) == ("PersonalInfo", "Integer")


def test_only_defined_columns_are_kept(brand: Brand) -> None:
    brand.say("a@example.com,secret,Ann\n", field("FirstName", 3))
    assert brand.people()["a@example.com"] == {"status": "opted_in", "FirstName": "Ann"}
    brand.say("a@example.com,Ely\n", field("City", 2))
    assert brand.people()["a@example.com"] == {"status": "opted_in", "FirstName": "Ann", "City": "Ely"}


def test_every_type_in_its_canonical_form(brand: Brand) -> None:
    fields = (
        field("N", 2, DataType="Integer"),
        field("X", 3, DataType="Float"),
        field("Day", 4, DataType="Date"),
        field("S", 5, DataType="String"),
    )
    brand.say("a@example.com, 007 ,1.50,11/30/2026, two words \n", *fields)
    assert brand.people()["a@example.com"] == {
        "status": "opted_in",
        "N": "7",
        "X": "1.5",
        "Day": "2026-11-30",
        "S": "two words",
    }


def test_a_bad_value_is_a_reject_that_rejects_no_row_and_changes_no_value(brand: Brand) -> None:
    points = field("Points", 2, DataType="Integer")
    brand.say("a@example.com,7\n", points)
    report = brand.say("a@example.com,many\n", points)
    assert report["rejects"] == [{"row": 1, "column": "Points", "value": "many", "reason": "bad_integer"}]
    assert report["rows"]["rejected"] == 0
    assert brand.people()["a@example.com"]["Points"] == "7"


def test_a_default_fills_blanks_of_new_subscribers_and_of_empty_fields(brand: Brand) -> None:
    name = field("FirstName", 2, DefaultValue="Valued Customer")
    brand.say("old@example.com\nknown@example.com\n")
    brand.say("known@example.com,Ann\n", field("FirstName", 2))
    brand.say("old@example.com,\nknown@example.com,\nnew@example.com,\n", name)
    assert {email: row["FirstName"] for email, row in brand.people().items()} == {
        "old@example.com": "Valued Customer",
        "known@example.com": "Ann",
        "new@example.com": "Valued Customer",
    }


def test_a_blank_removes_a_personal_value_only_where_the_request_says_so(brand: Brand) -> None:
    brand.say("a@example.com,Ann,Ely\n", field("FirstName", 2), field("City", 3))
    brand.say("a@example.com,,\n", field("FirstName", 2), field("City", 3, DefaultValue="Bath"))
    assert brand.people()["a@example.com"] == {"status": "opted_in", "FirstName": "Ann", "City": "Ely"}
    brand.say("a@example.com,,\n", field("FirstName", 2), field("City", 3, DefaultValue="Bath"), blank_removes="1")
    assert brand.people()["a@example.com"] == {"status": "opted_in", "City": "Bath"}


def test_a_blank_never_removes_what_is_no_personal_value(brand: Brand) -> None:
    fields = (field("ID", 2, "ID"), field("Source", 3, "Source"), field("Club", 4, "Demographic"))
    brand.say("a@example.com,17,web,Gold\n", *fields)
    brand.say("a@example.com,,,\n", *fields, blank_removes="1")
    assert brand.people()["a@example.com"] == {"status": "opted_in", "ID": "17", "Source": "web", "Club": "Gold"}


def test_a_standard_demographic_has_the_target_groups_that_are_used(brand: Brand) -> None:
    club = field("Club", 2, "Demographic", DefaultValue="None")
    brand.say("a@example.com,Gold\nb@example.com,\n", club)
    brand.say("c@example.com,Silver\n", club)
    assert brand.target_groups() == {"Club": ["Gold", "None", "Silver"]}
    assert brand.fields()["Club"].demographic == "Standard"


def test_a_new_state_or_country_demographic_has_its_full_set(brand: Brand) -> None:
    fields = (
        field("Home", 2, "Demographic", DemographicType="State"),
        field("Born", 3, "Demographic", DemographicType="Country"),
    )
    brand.say("a@example.com,NY,France\n", *fields)
    groups = brand.target_groups()
    assert set(STATES) <= set(groups["Home"])
    assert set(COUNTRIES) <= set(groups["Born"])
    assert brand.people()["a@example.com"]["Home"] == "NY"


def test_the_type_matters_only_when_the_category_is_made(brand: Brand) -> None:
    brand.say("a@example.com,Gold\n", field("Club", 2, "Demographic"))
    brand.say("b@example.com,NY\n", field("Club", 2, "Demographic", DemographicType="State"))
    assert brand.target_groups() == {"Club": ["Gold", "NY"]}
    assert brand.fields()["Club"].demographic == "Standard"


def test_a_field_stays_what_it_was_made(brand: Brand) -> None:
    """A later request may spell it otherwise, and leave out its type."""
    brand.say("a@example.com,5,Red\n", field("Points", 2, DataType="Integer"), field("Colours", 3, IsMultiple="1"))
    before = brand.exported()
    again = brand.say("a@example.com,05,Red;Red\n", field("points", 2), field("COLOURS", 3))
    assert again["changes"]["unchanged"] == 1
    wrong = brand.say("a@example.com,many,Red\n", field("points", 2), field("COLOURS", 3))
    assert [(each["column"], each["reason"]) for each in wrong["rejects"]] == [("Points", "bad_integer")]
    assert brand.exported() == before
    assert set(brand.fields()) == {"Points", "Colours"}


def test_so_does_the_type_of_its_default(brand: Brand) -> None:
    brand.say("a@example.com,5\n", field("Points", 2, DataType="Integer"))
    brand.say("b@example.com,\n", field("Points", 2, DefaultValue="007"))
    assert brand.people()["b@example.com"]["Points"] == "7"
    refused = brand.say("c@example.com,\n", field("Points", 2, DefaultValue="none"))
    assert refused["state"] == "rejected"
    assert "the field Points was made as Integer. This is no whole number" in refused["reason"]


def test_several_values_where_the_field_takes_them(brand: Brand) -> None:
    brand.say("a@example.com,Red; Blue;Red\n", field("Colours", 2, "Demographic", IsMultiple="true"))
    assert brand.people()["a@example.com"]["Colours"] == "Blue;Red"
    assert brand.target_groups() == {"Colours": ["Blue", "Red"]}


def test_export_has_the_attributes_sorted_by_name(brand: Brand) -> None:
    brand.say("b@example.com,1,2\n", field("Zip", 2), field("City", 3), interests=("News",))
    brand.say("a@example.com\n")
    assert brand.exported().splitlines() == [
        "email,status,interests,City,Zip",
        "a@example.com,opted_in,,,",
        "b@example.com,opted_in,News,2,1",
    ]
    assert brand.exported("unsubscribed") == "email,status,interests\n"
