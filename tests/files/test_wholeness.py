"""How a file ends, and what that says about a transfer that was cut."""

from __future__ import annotations

import gzip

import pytest

from alp_daemon.domain.model import Buckets

from .conftest import ReadFile, listed

HEAD = "Phone,Name,Tag\n2125550123,Ann,a\n"
COUNTED = {"file": {"trailer": {"starts_with": "TRL", "count_column": "B"}}}
PLAIN = {"file": {"trailer": {"starts_with": "TRL"}}}


@pytest.mark.parametrize("end", ["TRL,1,\n", "TRL,0001\n", "TRL , 1 \n\n\n", '"TRL",1,,\n,,\n'])
def test_a_trailer_with_the_right_count_proves_the_file_whole(reading: ReadFile, end: str) -> None:
    found = reading(HEAD + end, **COUNTED)
    assert (found.ends_whole, found.cut_reason) == (True, "")
    assert found.buckets.listed == 1
    assert found.rejects.total == 0


def test_the_trailer_counts_rows_of_data_and_not_blank_ones(reading: ReadFile) -> None:
    found = reading(HEAD + "\n12,Bob,b\nTRL,2\n", **COUNTED)
    assert found.ends_whole is True
    assert found.buckets == Buckets(read=3, listed=1, rejected=1, blank=1, numbers=1)


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        ("", 'the last row should be a trailer that starts with "TRL"'),
        ("2125550124,Bob\n", 'the last row should be a trailer that starts with "TRL"'),
        ("TRL,1,\n2125550124,Bob,b\n", 'the last row should be a trailer that starts with "TRL"'),
        ("TRL,2,\n", "the trailer (row 3) announces 2 rows, the file has 1"),
        ("TRL,,\n", "the trailer (row 3) should hold the number of rows, but it holds ''"),
        ("TRL", "the trailer (row 3) should hold the number of rows, but it holds ''"),
        ("TRL,1x,\n", "the trailer (row 3) should hold the number of rows, but it holds '1x'"),
    ],
)
def test_a_missing_or_wrong_trailer_is_a_cut(reading: ReadFile, end: str, reason: str) -> None:
    found = reading(HEAD + end, **COUNTED)
    assert (found.ends_whole, found.cut_reason) == (False, reason)


def test_a_trailer_without_a_count_is_proof_enough_where_none_is_promised(reading: ReadFile) -> None:
    assert reading(HEAD + "TRL\n", **PLAIN).ends_whole is True


@pytest.mark.parametrize("end", ["2125550124", "2125550124,Bo", "2125550124,Bob\n\n"])
def test_a_short_last_row_is_a_cut(reading: ReadFile, end: str) -> None:
    found = reading(HEAD + end)
    assert found.ends_whole is False
    assert found.cut_reason.startswith("the last row (3) has ")
    assert "expected 3" in found.cut_reason
    assert set(listed(found)) == {12125550123}
    assert found.buckets.rejected == 1


def test_a_short_row_elsewhere_is_a_reject_only(reading: ReadFile) -> None:
    found = reading("Phone,Name\n2125550124\n2125550123,Ann\n")
    assert found.ends_whole is None
    assert found.rejects.by_reason == {"ragged_row": 1}


def test_an_open_quote_at_the_end_is_a_cut(reading: ReadFile) -> None:
    found = reading(HEAD + '2125550124,Bob,"b')
    assert (found.ends_whole, found.cut_reason) == (False, "the file ends inside a quoted cell of row 3")
    assert reading(HEAD + '2125550124,Bob,"b"').ends_whole is None


def test_every_cut_of_a_file_with_a_trailer_is_seen(reading: ReadFile) -> None:
    whole = HEAD + '2125550124,"Bob, Jr",b\nTRL,2,\n'
    for length in range(len(HEAD), len(whole) - 3):
        assert reading(whole[:length], **COUNTED).ends_whole is False, whole[:length]


def test_the_last_line_end_is_reported(reading: ReadFile) -> None:
    assert reading(HEAD).ends_with_newline
    assert reading(HEAD.replace("\n", "\r")).ends_with_newline
    assert not reading(HEAD.rstrip()).ends_with_newline
    assert not reading(HEAD.rstrip().encode("utf-16")).ends_with_newline


def test_the_checksum_of_an_archive_proves_the_file_whole(reading: ReadFile) -> None:
    assert reading(gzip.compress(HEAD.encode())).ends_whole is True
    assert reading(gzip.compress(HEAD.encode() + b"2125550124")).ends_whole is False
