"""The numbers in refused rows and cells: not listed, and known to stand in the file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alp_daemon.domain import nanp, phone
from alp_daemon.files.blocks import NumberedRow, RowsBlock, Widths
from alp_daemon.files.fieldmap import FieldMap
from alp_daemon.files.judge import Judge
from alp_daemon.files.phonecells import PhoneCells

from .conftest import ReadFile

HEAD = "Phone,Name,Tag\n2125550123,Ann,a\n"
N = 12125550124


@pytest.mark.parametrize(
    "row",
    [
        "2125550124,Bob,b,too many",
        "2125550124",
        "2125550124,Bob,b,too many,2125550124",
        ",2125550124,Bob,b",
        "(212) 555-0124,Jr,Bob,b",
        "2125550124 x9,Bob,b",
        "+1 212 555 0124 ext. 9,Bob,b",
        "Bob,b,12 Main St,Springfield,IL,2125550124",
        "+1 212 555 0124,20101130,1044372000123456,40.712776",
        '2125550123,"Bob,b\n2125550124,Ann,a\n2125550123,Joe",a,c',
        '"2125550123,Bob\r\n2125550124,Ann,a\n"',
        '"2125550123","Bob\n"2125550124","Ann","a"',
    ],
)
def test_of_a_refused_row(reading: ReadFile, row: str) -> None:
    found = reading(f"{HEAD}{row}\n2125550123,Ann,a\n")
    assert found.buckets.rejected == 1
    assert found.listed.keys.tolist() == [12125550123]
    assert set(found.unusable.tolist()) - {12125550123} == {N}


def test_what_of_it_cannot_be_a_number_is_not_parsed() -> None:
    """A delimiter too many in each of a million rows, with an account and a date in each, took minutes."""
    cells = PhoneCells("US")
    rows = [("20101130", f"10443720001{n}", f"2010-11-30 12:34:{n}", f"40.712{n}", "Ann") for n in range(10, 60)]
    found = cells.named_in({"2125550124", *(cell for row in rows for cell in row)})
    assert found.tolist() == [N]
    assert cells.verdict.cache_info().misses <= 1


def test_nor_a_second_time_what_stands_in_the_column_of_numbers() -> None:
    cells = PhoneCells("GB")
    rows = [NumberedRow(row, [f"07400 1234{row}", "Ann", "a", "too many"]) for row in range(10, 60)]
    judged = Judge(FieldMap((0,), ("Phone",), (), (), ()), cells).judge(RowsBlock(rows, Widths(3, 3)))
    assert len(judged.ragged) == len(judged.unusable) == 50
    asked = cells.verdict.cache_info()
    assert asked.hits + asked.misses == 50


@pytest.mark.parametrize(
    ("cell", "key"),
    [
        ("(555) 555-0123", 15555550123),
        ("800-555-0199", 18005550199),
        ("+44 20 7946 0018", 442079460018),
        ("n/a", None),
        ("2.12556E+09", None),
        ("12", 112),
        ("99999999999999999", None),
    ],
)
def test_of_a_refused_cell(reading: ReadFile, cell: str, key: int | None) -> None:
    """A number may have come to the list in another way, or when its line was another one."""
    found = reading(f"{HEAD}{cell},Bob,b\n2125550123,Ann,a\n")
    assert found.buckets.rejected == 1
    assert [key for key in found.unusable.tolist() if key > 10**6] == ([key] if key and key > 10**6 else [])


def test_of_a_row_with_a_delimiter_far_too_often(reading: ReadFile) -> None:
    """Each row is looked at as far as it goes, and the ones around it no further: it would take minutes."""
    others = "".join(f"{2125550200 + n},Ann,a\n" for n in range(8000))
    found = reading(f"{HEAD}{'x,' * 300_000}2125550124\n{others}")
    assert (found.buckets.rejected, found.buckets.listed) == (1, 8001)
    assert found.unusable.tolist() == [N]


def test_of_a_bad_cell_beside_a_good_one(reading: ReadFile) -> None:
    found = reading("A,B\n2125550123,8005550199\n", phones=["A", "B"])
    assert (found.listed.keys.tolist(), found.unusable.tolist()) == ([12125550123], [18005550199])


def test_what_line_types_refuse(reading: ReadFile, write, tmp_path) -> None:
    from alp_daemon.files.reader import read

    from .conftest import feed

    path = write("Phone\n2125550123\n2125550124\n")
    found = read(path, feed(), region="US", takes_texts=lambda keys: keys != N)
    assert (found.listed.keys.tolist(), found.unusable.tolist()) == ([12125550123], [N])


@pytest.mark.parametrize(
    "row",
    ["2125550124,Bob,b", ",2125550124,b", "n/a,2125550124,b", ",,"],
    ids=["a good one", "blank", "no number", "empty"],
)
def test_there_are_none_in_other_rows_and_columns(reading: ReadFile, row: str) -> None:
    """Whoever has taken a number out of its column means it."""
    assert reading(f"{HEAD}{row}\n2125550123,Ann,a\n").unusable.tolist() == []


def test_there_are_none_in_rows_that_the_filter_leaves_out(reading: ReadFile) -> None:
    found = reading(f"{HEAD}8005550199,Bob,b\n2125550123,Ann,a\n", only={"Tag": ["a"]})
    assert (found.buckets.filtered, found.unusable.tolist()) == (1, [])


@given(st.integers(2_000_000_000, 9_999_999_999), st.sampled_from(["US", "CA", "BM", "PR"]))
def test_the_table_means_the_same_as_the_parser(digits: int, region: str) -> None:
    nanp.table()
    cells = PhoneCells(region)
    (verdict,) = cells.verdicts([str(digits)]).tolist()
    assert verdict > 0 or cells.meant(cells.verdicts([str(digits)])).tolist() == [phone.meant(str(digits), region)]
