"""Whose number a message came from: as gateways and people write it, by one region's habits and by those of several."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from alp_daemon.domain import senders


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("447911123456", 447911123456),  # as many gateways write it
        ("12125550123", 12125550123),
        ("2125550123", 12125550123),
        ("+447911123456", 447911123456),
        ("+15555550123", 15555550123),  # of a range that libphonenumber does not know
        ("15555550123", 15555550123),
        (" 447000000000 ", 447000000000),
        ("4792345678", 14792345678),  # and no number of Norway
        # Of ranges that libphonenumber does not know, as people and gateways write them.
        ("+1 999 555 1234", 19995551234),
        ("+1-999-555-1234", 19995551234),
        ("+1 (999) 555-1234", 19995551234),
        ("\u202a+1 999-555-1234\u202c", 19995551234),
        ("９９９５５５１２３４", 19995551234),
        ("011 1 999 555 1234", 19995551234),
        ("0019995551234", 19995551234),
        ("001-999-555-1234", 19995551234),
        ("9995551234", 19995551234),
        ("9995551234.0", 19995551234),
        ("(999) 555-1234", 19995551234),
        ("999-555-1234", 19995551234),
        ("5555550123", 15555550123),  # a mobile number of Brazil has more digits
        ("00447911123456", 447911123456),
        ("+49 30 12345", 493012345),
    ],
)
def test_a_sender_is_known_with_and_without_the_plus(text: str, key: int) -> None:
    assert senders.parse(text, "US") == key


@pytest.mark.parametrize(
    "text",
    [
        "55512",
        "0",
        "447911",
        "4479111234567890",
        "5365550123",  # either of an unknown range of the United States, or Cuba's
        "5550123",
        "999 555 123",
        "+1 999 555 123",
        "+1 999 555 12345",
        "011 1 999 555 123",
        "001999555123",
        "9.995551234e+09",
        "+1 999 555 1234 ext. 5",
        "999FLOWERS",  # such names of senders exist
        "9995551234 Joe",
        "9995551234 9995551235",
        "+49 123456789012345",
        "+",
        "00",
        "",
    ],
)
def test_digits_that_are_no_number_stay_none(text: str) -> None:
    assert isinstance(senders.parse(text, "US"), str)


def test_a_code_is_no_number_where_landlines_may_be_as_short() -> None:
    assert isinstance(senders.parse("55512", "DE"), str)
    assert senders.parse("0155 12345678", "DE") == 4915512345678


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("+19995551234", {"US": 19995551234, "GB": 19995551234}),
        ("0019995551234", {"US": 19995551234, "GB": 19995551234}),
        ("9175550123", {"US": 19175550123, "DE": 19175550123}),  # or a landline in Germany
        ("7400123456", {"US": 447400123456, "GB": 447400123456}),  # or of an unknown range in the United States
        ("9995551234", {"US": 19995551234, "GB": 449995551234}),
        ("3015550123", {"US": 13015550123, "CO": 573015550123}),  # mobile in both
    ],
)
def test_a_sender_as_several_regions_read_it(text: str, keys: dict[str, int]) -> None:
    assert senders.parse_by_region(text, list(keys)) == keys


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("3015550123", {"US": 13015550123, "CO": 573015550123}),  # nor is it a landline of Great Britain then
        ("55512", {}),
    ],
)
def test_a_region_for_which_it_is_doubtful_is_left_out(text: str, keys: dict[str, int]) -> None:
    assert senders.parse_by_region(text, ["US", "CO", "GB"]) == keys


@given(st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True), st.lists(st.sampled_from(["US", "GB", "DE", "IT", "BR"])))
@example("+390612345678", ["US", "IT"])
def test_what_has_its_plus_is_one_number_everywhere(text: str, regions: list[str]) -> None:
    assert len(set(senders.parse_by_region(text, regions).values())) == min(1, len(regions))


@given(st.from_regex(r"[0-9]{4,15}", fullmatch=True), st.sampled_from(["US", "GB", "DE", "BR"]))
def test_one_region_reads_as_it_does_by_itself(text: str, region: str) -> None:
    verdict = senders.parse(text, region)
    assert senders.parse_by_region(text, [region]) == ({region: verdict} if isinstance(verdict, int) else {})
