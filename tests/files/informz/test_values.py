"""What cells stand for."""

from __future__ import annotations

import math
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alp_daemon.domain.subscribers import Value
from alp_daemon.files.informz.values import REASONS, BadValue, DataType, parser


@pytest.mark.parametrize(
    ("data_type", "text", "value"),
    [
        (DataType.string, "  Ann Lee ", "Ann Lee"),
        (DataType.string, "007", "007"),
        (DataType.integer, " 007 ", 7),
        (DataType.integer, "-12", -12),
        (DataType.integer, "+999999999999999999", 10**18 - 1),
        (DataType.integer, "1000000000000000000", BadValue.integer),
        (DataType.integer, "1,250", BadValue.integer),
        (DataType.integer, "1.0", BadValue.integer),
        (DataType.integer, "٣", BadValue.integer),
        (DataType.integer, "1_000", BadValue.integer),
        (DataType.float, "1250.50", 1250.5),
        (DataType.float, ".5", 0.5),
        (DataType.float, "3.", 3.0),
        (DataType.float, "-1e3", -1000.0),
        (DataType.float, "1e999", BadValue.float),
        (DataType.float, "nan", BadValue.float),
        (DataType.float, "inf", BadValue.float),
        (DataType.float, "1.250,5", BadValue.float),
        (DataType.date, "2024-02-29", "2024-02-29"),
        (DataType.date, "2/29/2024", "2024-02-29"),
        (DataType.date, "02/09/2024", "2024-02-09"),
        (DataType.date, "2023-02-29", BadValue.date),
        (DataType.date, "29/2/2024", BadValue.date),
        (DataType.date, "2/9/24", BadValue.date),
        (DataType.date, "0000-01-01", BadValue.date),
        (DataType.date, "20240229", BadValue.date),
        *((data_type, blank, None) for data_type in DataType for blank in ("", " ", "\t\u00a0")),
    ],
)
def test_single_values(data_type: DataType, text: str, value: Value | BadValue | None) -> None:
    found = parser(data_type)(text)
    assert found == value
    assert type(found) is type(value)


def test_a_negative_zero_is_zero() -> None:
    zero = parser(DataType.float)("-0.0")
    assert isinstance(zero, float)
    assert math.copysign(1, zero) == 1


@pytest.mark.parametrize(
    ("data_type", "text", "value"),
    [
        (DataType.string, "Dog; Cat ;;Dog", ("Cat", "Dog")),
        (DataType.string, "Korea, Republic of", ("Korea, Republic of",)),
        (DataType.integer, "2;01;1", ("1", "2")),
        (DataType.integer, "2;x", BadValue.integer),
        (DataType.date, "7/4/1976;2024-01-01", ("1976-07-04", "2024-01-01")),
        (DataType.string, " ; ", None),
        (DataType.string, "", None),
    ],
)
def test_several_values(data_type: DataType, text: str, value: Value | BadValue | None) -> None:
    found = parser(data_type, multiple=True)(text)
    assert found == value
    assert type(found) is type(value)


def test_every_reason_has_its_sentence() -> None:
    assert set(REASONS) == {reason.value for reason in BadValue}


@given(st.dates())
def test_both_ways_to_write_a_date_mean_the_same(day: date) -> None:
    parse = parser(DataType.date)
    assert parse(day.isoformat()) == parse(f"{day.month}/{day.day}/{day.year:04}") == day.isoformat()


@given(st.sampled_from(DataType), st.booleans(), st.text(st.sampled_from("0123456789-/.;eE+ ab"), max_size=12))
def test_a_canonical_value_stays_what_it_is(data_type: DataType, multiple: bool, text: str) -> None:
    parse = parser(data_type, multiple=multiple)
    value = parse(text)
    if value is not None and type(value) is not BadValue:
        again = ";".join(value) if isinstance(value, tuple) else str(value)
        assert parse(again) == value
