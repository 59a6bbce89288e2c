"""Line types: whole numbers before prefixes, longer prefixes before shorter ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alp_daemon.domain.line_type import LineType, LineTypeRow, LineTypes, parse_row


def line_types(rows: list[LineTypeRow]) -> LineTypes:
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    return LineTypes.of(*columns)


@pytest.mark.parametrize(
    ("number", "type_name", "row"),
    [
        ("+12125550123", "mobile", LineTypeRow(12125550123, True, LineType.mobile)),
        ("(212) 555-0123", "landline", LineTypeRow(12125550123, True, LineType.landline)),
        ("1-212-555-0123", "wireless", LineTypeRow(12125550123, True, LineType.mobile)),
        ("212", "landline", LineTypeRow(1212, False, LineType.landline)),
        ("212-555", "tollFree", LineTypeRow(1212555, False, LineType.toll_free)),
        ("1212555", "Toll Free", LineTypeRow(1212555, False, LineType.toll_free)),
        ("+1212555", "toll_free", LineTypeRow(1212555, False, LineType.toll_free)),
        ("2125550", "nonFixedVoip", LineTypeRow(12125550, False, LineType.voip)),
        ("+447400", "cellular", LineTypeRow(447400, False, LineType.mobile)),
        ("+447400123456", "mobile", LineTypeRow(447400123456, True, LineType.mobile)),
        ("+44 (0)7400 123456", "mobile", LineTypeRow(447400123456, True, LineType.mobile)),
        ("+33612345678", "pager", LineTypeRow(33612345678, True, LineType.other)),
        ("+1", "unknown", LineTypeRow(1, False, LineType.unknown)),
    ],
)
def test_rows(number: str, type_name: str, row: LineTypeRow) -> None:
    assert parse_row(number, type_name) == row


@pytest.mark.parametrize("type_name", ["moblie", "", "+12125550123"])
def test_a_wrong_type_names_the_right_ones_and_is_not_repeated(type_name: str) -> None:
    assert parse_row("212", type_name) == "expected a line type: unknown, mobile, landline, voip, toll_free, other"


@pytest.mark.parametrize(
    "number", ["", "+", "0123", "+0123", "212x", "2.12556E+09", "1" * 12, "2" * 11, "+" + "4" * 16, "２１２"]
)
def test_a_wrong_number_says_what_was_expected_and_does_not_repeat_it(number: str) -> None:
    assert parse_row(number, "mobile") == (
        "expected a number or prefix: up to 15 digits, with + and the country code outside +1"
    )


PORTED = line_types(
    [
        LineTypeRow(1212, False, LineType.landline),
        LineTypeRow(1212555, False, LineType.voip),
        LineTypeRow(12125550123, True, LineType.mobile),
        LineTypeRow(447400, False, LineType.mobile),
    ]
)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (12125550123, LineType.mobile),  # the ported number itself
        (12125550124, LineType.voip),  # the longer prefix
        (12124440124, LineType.landline),  # the shorter prefix
        (13125550123, LineType.unknown),
        (447400123456, LineType.mobile),
        (121, LineType.unknown),  # shorter than every prefix
    ],
)
def test_lookup(key: int, expected: LineType) -> None:
    assert PORTED.lookup(np.array([key])).tolist() == [expected]


def test_unknown_is_for_the_customer_to_decide() -> None:
    keys = np.array([12125550123, 12125550124, 13125550123])
    assert PORTED.textable(keys, "accept").tolist() == [True, False, True]
    assert PORTED.textable(keys, "reject").tolist() == [True, False, False]


def test_no_data_knows_nothing() -> None:
    assert line_types([]).lookup(np.array([12125550123])).tolist() == [LineType.unknown]


def test_a_whole_number_is_not_a_prefix_of_a_longer_one() -> None:
    types = line_types([LineTypeRow(4930123456, True, LineType.landline)])
    assert types.lookup(np.array([4930123456, 49301234567])).tolist() == [LineType.landline, LineType.unknown]


def test_a_number_said_to_be_unknown_is_not_judged_by_its_prefix() -> None:
    types = line_types([LineTypeRow(1212, False, LineType.landline), LineTypeRow(12125550123, True, LineType.unknown)])
    assert types.lookup(np.array([12125550123])).tolist() == [LineType.unknown]


def one_by_one(rows: list[LineTypeRow], key: int) -> LineType:
    """The reference: the later of two equal rows; the number itself, else the longest prefix."""
    known = {(row.digits, row.whole): row.line_type for row in rows}
    text = str(key)
    heads = [(key, True), *((int(text[:length]), False) for length in range(len(text), 0, -1))]
    return next((known[head] for head in heads if head in known), LineType.unknown)


few_digits = st.from_regex(r"[12][12]{0,4}", fullmatch=True).map(int)
rows = st.builds(LineTypeRow, few_digits, st.booleans(), st.sampled_from(LineType))


@given(st.lists(rows), st.lists(few_digits))
def test_columns_are_looked_up_as_one_by_one(data: list[LineTypeRow], keys: list[int]) -> None:
    found = line_types(data).lookup(np.array(keys, np.int64))
    assert found.tolist() == [one_by_one(data, key) for key in keys]
