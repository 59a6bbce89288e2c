"""What is a number: a table of what people type, and the laws against libphonenumber itself."""

from __future__ import annotations

import re

import numpy as np
import phonenumbers
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from alp_daemon.domain import nanp, phone

US, GB = "US", "GB"

TYPED = [
    # A customer in the United States.
    ("2125550123", US, 12125550123),
    ("(212) 555-0123", US, 12125550123),
    ("212.555.0123", US, 12125550123),
    ("212-555-0123", US, 12125550123),
    ("212/555/0123", US, 12125550123),
    ("212\u2013555\u20130123", US, 12125550123),
    ("+1 212 555 0123", US, 12125550123),
    ("1-212-555-0123", US, 12125550123),
    ("1 (212) 555-0123", US, 12125550123),
    ("(+1) 212 555 0123", US, 12125550123),
    ("\u00a0212\u00a0555\u00a00123\t", US, 12125550123),
    ("２１２５５５０１２３", US, 12125550123),
    ("\u202a+1 212-555-0123\u202c", US, 12125550123),  # as copied from an address book
    ("212-555-HELP", US, 12125554357),
    ("tel:+1-212-555-0123", US, 12125550123),
    ("011 44 7400 123456", US, 447400123456),
    ("+44 7400 123456", US, 447400123456),
    ("+52 55 1234 5678", US, 525512345678),
    ("+52 1 55 1234 5678", US, "invalid"),  # Mexico has given up the 1 before mobile numbers
    ("+54 9 11 2345-6789", US, 5491123456789),  # Argentina has kept its 9
    # What a column of floats renders.
    ("2125550123.0", US, 12125550123),
    (" 12125550123.0 ", US, 12125550123),
    ("2125550123.00", US, "invalid"),
    ("2125550123.5", US, "invalid"),
    ("+12125550123.0", US, "invalid"),
    ("212555012.0", US, "invalid"),
    # Spreadsheets.
    ("2.12556E+09", US, "spreadsheet_damage"),
    ("2,12556E+09", US, "spreadsheet_damage"),
    ("2.125550123E+09", US, "spreadsheet_damage"),
    ("2.12556e9", US, "spreadsheet_damage"),
    ("2E9", US, "spreadsheet_damage"),
    # What a text cannot reach.
    ("212-555-0123 x12", US, "extension"),
    ("212-555-0123 ext. 12", US, "extension"),
    ("2125550123;9175550199", US, "extension"),
    ("800-555-0123", US, "not_mobile"),
    ("500-555-0123", US, "not_mobile"),
    ("+44 20 7946 0000", US, "not_mobile"),
    ("800-555-0123 x12", US, "extension"),
    # What is no number.
    ("555-0123", US, "invalid"),
    ("112-555-0123", US, "invalid"),
    ("212-055-0123", US, "invalid"),
    ("0044 7400 123456", US, "invalid"),  # 00 does not dial abroad from the United States
    ("212-555-0123 / 917-555-0199", US, "not_a_number"),
    ("2125550123 9175550199", US, "not_a_number"),
    ("212\t555\t0123", US, "not_a_number"),
    ("n/a", US, "not_a_number"),
    ("", US, "not_a_number"),
    ("2" * 300, US, "not_a_number"),
    # A customer in Great Britain.
    ("07400 123456", GB, 447400123456),
    ("0044 7400 123456", GB, 447400123456),
    ("001 212 555 0123", GB, 12125550123),
    ("7400123456.0", GB, 447400123456),
    ("2125550123", GB, "invalid"),
]


@pytest.mark.parametrize(("text", "region", "verdict"), TYPED)
def test_what_people_type(text: str, region: str, verdict: int | str) -> None:
    assert phone.parse(text, region) == verdict


def test_every_reason_has_its_sentence() -> None:
    assert {verdict for *_, verdict in TYPED if isinstance(verdict, str)} == set(phone.REASONS)


def libphonenumber(text: str, region: str) -> int | None:
    """The E.164 digits of a valid number, extension and type aside."""
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return int(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def nanp_path(text: str) -> int | str:
    """What the reader of big files does with a text that matches SIMPLE_NANP."""
    digits = np.array([int(re.sub("[^0-9]", "", text))])
    ten = nanp.ten_digits(digits)
    verdict = nanp.Verdict(nanp.table().classify(ten)[0])
    return int(nanp.table().keys(ten)[0]) if verdict is nanp.Verdict.textable else verdict.name


numbers = st.one_of(
    st.from_regex(r"[2-9][0-9]{2}[2-9][0-9]{6}", fullmatch=True),
    st.from_regex(r"(246|264|268|876|658|849|800|900|500|521|600|212)[0-9]{7}", fullmatch=True),
    st.from_regex(r"(\+|00|011)?[1-9][0-9]{6,13}", fullmatch=True),
)
junk = st.text("0123456789+-. ()/\\\t\n\r\u00a0\u2010\u2013\u200b\u3000\uff0b２x#*~,;'\"eEab", max_size=4)


@st.composite
def hostile_texts(draw: st.DrawFn) -> str:
    """A number with anything around it and between its digits."""
    parts = list(draw(numbers))
    for _ in range(draw(st.integers(0, 4))):
        parts.insert(draw(st.integers(0, len(parts))), draw(junk))
    return draw(st.sampled_from(["", "1", "+1", "+1 ", "(", "-", "00"])) + "".join(parts)


nanp_regions = st.sampled_from(sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE[1]))
regions = st.one_of(st.sampled_from(["US", "GB", "DE", "MX", "AR", "BR", "IT", "CN", "AU"]), nanp_regions)


@given(hostile_texts(), regions)
@example("2.1255501E23", "US")
@example("tel:2125550123;phone-context=+1;ext=5", "US")
def test_the_verdict_is_libphonenumbers_apart_from_our_own_rules(text: str, region: str) -> None:
    verdict = phone.parse(text, region)
    if re.fullmatch(r"[0-9]+\.0", text.strip()):
        text = text.strip()[:-2]
    if isinstance(verdict, int):
        assert verdict == libphonenumber(text, region)
    elif verdict in ("not_a_number", "invalid"):
        assert libphonenumber(text, region) is None
    elif verdict == "spreadsheet_damage":
        assert re.search("[eE]", text)
    else:
        assert libphonenumber(text, region) is not None


@given(st.one_of(st.from_regex(phone.SIMPLE_NANP), hostile_texts()), nanp_regions)
@example("2125550120.0", "US")
@example("12125550120.0", "US")
@example("212555012.0", "US")
@example("2125550123\n", "US")
def test_the_fast_path_for_columns_is_parse(text: str, region: str) -> None:
    if re.search(phone.SIMPLE_NANP, text):
        assert nanp_path(text) == phone.parse(text, region)


@pytest.mark.parametrize(
    "text",
    [
        "2125550123",
        "(212) 555-0123",
        "212.555.0123",
        "+1 212 555 0123",
        "1-212-555-0123",
        "(212)555-0123",
        "2125550123.0",
    ],
)
def test_the_usual_ways_of_writing_take_the_fast_path(text: str) -> None:
    assert re.search(phone.SIMPLE_NANP, text)


@pytest.mark.parametrize("text", ["-2125550123", "+2125550123", "0114420794600", "212-555-0123x1", "212\t555\t0123"])
def test_what_needs_a_second_look_does_not(text: str) -> None:
    assert not re.search(phone.SIMPLE_NANP, text)


@given(hostile_texts(), nanp_regions)
@example("4641234", "AG")
@example("4641234.0", "AG")
@example("1112125550123", "US")
@example("011447400123456", "US")
@example("(212) 555-0123", "US")
@example("2125550123,5#", "US")
@example(": 212-555-0123 :", "US")
@example("2125550123 / x 5", "US")
def test_what_is_of_a_wrong_length_is_no_number(text: str, region: str) -> None:
    if phone.has_wrong_length(text, region):
        assert isinstance(phone.parse(text, region), str)
        assert (phone.meant(text, region) or 0) not in range(12000000000, 20000000000)


@pytest.mark.parametrize(
    "text", ["20101130", "2010-11-30 12:34:56", "40.712776", "104437200012345", "00000123456", "12"]
)
def test_dates_and_accounts_are(text: str) -> None:
    assert phone.has_wrong_length(text, "US")


@pytest.mark.parametrize(
    "text", ["8005550123", "+44 7400 123456", "2125550123 x9", "212-555-HELP", "２１２５５５０１２３", "n/a"]
)
def test_what_may_be_a_number_is_not(text: str) -> None:
    assert not phone.has_wrong_length(text, "US")


def test_regions() -> None:
    assert phone.is_nanp_region("US")
    assert phone.is_nanp_region("BB")
    assert not phone.is_nanp_region("GB")
    assert phone.is_region("GB")
    assert not phone.is_region("UK")


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        (12125550123, "+1212•••0123"),
        (447400123456, "+4474•••3456"),
        ("+1 (212) 555-0123", "+1212•••0123"),
        ("(212) 555-0123", "212•••0123"),
        ("２１２５５５０１２３", "212•••0123"),
        (4712345678, "+471•••5678"),
        ("555-0123", "•••23"),
        ("12345", "•••"),
        ("Jane Doe", "•••"),
    ],
)
def test_mask(number: int | str, masked: str) -> None:
    assert phone.mask(number) == masked


@given(st.one_of(st.text(), hostile_texts(), st.integers(1, 10**18)))
def test_a_mask_hides_three_digits_or_all(number: int | str) -> None:
    shown = re.sub(r"[^0-9]", "", phone.mask(number))
    digits = sum(character.isdecimal() for character in str(number))
    assert len(shown) <= max(0, digits - 3)
    assert re.fullmatch(r"\+?[0-9]*•••[0-9]*", phone.mask(number))


def test_a_key_is_written_as_e164() -> None:
    assert phone.format_key(12125550123) == "+12125550123"


@pytest.mark.parametrize(
    ("international", "key"),
    [
        ("+12125550123", 12125550123),
        ("+18005550123", 18005550123),
        ("+4407400123456", 447400123456),
        ("+1212555", None),
        ("+999", None),
        ("+", None),
    ],
)
def test_a_valid_number_of_whatever_type(international: str, key: int | None) -> None:
    assert phone.valid_key(international) == key
