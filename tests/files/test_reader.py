"""What a feed's rules make of a file's rows. Each file is written and read for real."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alp_daemon.customers import Preformatted
from alp_daemon.domain.model import Buckets, Reject
from alp_daemon.errors import UnusableFile
from alp_daemon.files.reader import read, read_preformatted

from .conftest import ReadFile, WriteFile, feed, listed

A, B, C = 12125550123, 12125550124, 12125550125


def test_numbers_and_tags_of_a_plain_file(reading: ReadFile) -> None:
    found = reading(
        "Phone,Name,Feeder\n(212) 555-0123,Ann,North\n212.555.0124,Bob,South\n",
        tags=[{"column": "feeder "}, {"value": "All"}],
    )
    assert listed(found) == {A: ("All", "North"), B: ("All", "South")}
    assert found.buckets == Buckets(read=2, listed=2, numbers=2)
    assert found.columns == ("Phone", "Name", "Feeder")
    assert (found.ends_whole, found.ends_with_newline, found.cut_reason) == (None, True, "")


def test_each_row_ends_in_one_bucket(reading: ReadFile) -> None:
    found = reading(
        "Phone,Status\n"
        "2125550123,Active\n"
        "\n"
        "2125550123,active\n"
        "2125550124,Closed\n"
        "12,Active\n"
        ",Active\n"
        " ,\t\n"
        "2125550125\n"
        "2125550125,Active,left over\n"
        "2125550125,ACTIVE,,\n",
        only={"Status": ["Active"]},
    )
    assert found.buckets == Buckets(read=10, listed=2, duplicate=1, rejected=4, filtered=1, blank=2, numbers=2)
    assert found.rejects.kept == [
        Reject(6, "Phone", "12", "invalid"),
        Reject(7, "Phone", "", "no_number"),
        Reject(9, "", "1 cells, expected 2", "ragged_row"),
        Reject(10, "", "3 cells, expected 2", "ragged_row"),
    ]


def test_a_bad_cell_beside_a_good_one_does_not_reject_the_row(reading: ReadFile) -> None:
    found = reading(
        'Home,Cell,Tag\nn/a,2125550123,ok\n2125550124,2125550124,"a,b"\n2125550124,2125550125,x\n2125550123,,y\n',
        phones=["Cell", "Home"],
        tags=[{"column": "Tag"}],
    )
    assert listed(found) == {A: ("ok", "y"), B: ("x",), C: ("x",)}
    assert found.buckets == Buckets(read=4, listed=3, duplicate=1, numbers=3)
    assert found.rejects.kept == [Reject(2, "Home", "n/a", "not_a_number"), Reject(3, "Tag", "a,b", "tag_separator")]


def test_tags_of_duplicate_rows_are_united(reading: ReadFile) -> None:
    rows = "".join(f"2125550123,{tag}\n" for tag in ("b", "a", "b", "", "c"))
    found = reading("Phone,Tag\n" + rows, tags=[{"column": "Tag"}])
    assert listed(found) == {A: ("a", "b", "c")}
    assert (found.buckets.listed, found.buckets.duplicate) == (1, 4)


def test_row_numbers_are_those_of_a_spreadsheet(reading: ReadFile) -> None:
    found = reading('Members\n"as of\ntoday"\n\nPhone,Name\n\n2125550123,"two\nlines"\nbad,x\n', file={"skip_rows": 2})
    assert [reject.row for reject in found.rejects.kept] == [7]
    assert found.buckets == Buckets(read=3, listed=1, rejected=1, blank=1, numbers=1)


def test_a_byte_order_mark_does_not_spoil_the_first_number(reading: ReadFile) -> None:
    found = reading("\ufeff2125550123\n2125550124\n", phones=["1"], file={"header": False})
    assert set(listed(found)) == {A, B}


def test_delimiters_and_quotes(reading: ReadFile) -> None:
    assert set(listed(reading("Name;Phone\nAnn, B;2125550123\n"))) == {A}
    assert set(listed(reading("Name\tPhone\nAnn\t2125550123\n", file={"delimiter": "tab"}))) == {A}
    assert set(listed(reading('Name|Phone\n"x|2125550123\n', file={"quote": "none"}))) == {A}
    assert set(listed(reading("Name,Phone\n'a,b',2125550123\n", file={"quote": "'", "delimiter": ","}))) == {A}


def test_a_file_of_one_column_has_no_delimiter(reading: ReadFile) -> None:
    assert set(listed(reading("Phone\n2125550123\n2125550124\n"))) == {A, B}


def test_columns_by_number_and_letter(reading: ReadFile) -> None:
    found = reading("x,2125550123,North\n", phones=["B"], tags=[{"column": "3"}], file={"header": False})
    assert listed(found) == {A: ("North",)}
    assert found.columns == ("A", "B", "C")


def test_a_header_without_a_mapped_column_refuses_the_file(reading: ReadFile) -> None:
    with pytest.raises(UnusableFile) as error:
        reading("Phone,Name,Feeder\n2125550123,Ann,North\n", tags=[{"column": "Fedder"}, {"column": "Zone"}])
    assert error.value.code == "missing_column"
    assert str(error.value) == (
        'members.csv: row 1 (the header) has no column "Fedder" (did you mean "Feeder"?), "Zone". '
        "The file has: Phone, Name, Feeder. Send the file with that column, or correct the field map."
    )


def test_two_columns_of_one_mapped_name_refuse_the_file(reading: ReadFile) -> None:
    with pytest.raises(UnusableFile) as error:
        reading("Phone,Name,phone \n2125550123,Ann,2125550124\n")
    assert error.value.code == "duplicate_column"
    assert 'several columns "Phone": A, C.' in str(error.value)
    assert set(listed(reading("Phone,Name,phone\n2125550123,Ann,2125550124\n", phones=["A", "C"]))) == {A, B}


def test_a_number_where_the_header_should_be_refuses_the_file(reading: ReadFile) -> None:
    with pytest.raises(
        UnusableFile, match=r"row 1 should name the columns, but column A holds a phone number\."
    ) as error:
        reading("2125550123,Ann\n2125550124,Bob\n", phones=["A"])
    assert error.value.code == "no_header"
    assert "2125550123" not in str(error.value)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("parts", [{}, {"file": {"header": False}, "phones": ["3"]}, {"file": {"skip_rows": 1}}])
def test_a_report_of_rejects_is_no_list(reading: ReadFile, delimiter: str, parts: dict[str, object]) -> None:
    text = '\ufeffrow,column,"value",reason\r\n7,Phone,2125550123,invalid\r\n8,Phone,2125550123,invalid\r\n'
    with pytest.raises(UnusableFile) as error:
        reading(text.replace(",", delimiter), **parts)
    assert error.value.code == "rejects_file"
    assert str(error.value) == (
        "members.csv: this is a report of rejects (row, column, value, reason), not a list. Correct the source and "
        "send the full list, or put the corrected numbers into preformatted/."
    )


def test_tags_are_split_mapped_and_prefixed(reading: ReadFile) -> None:
    found = reading(
        "Phone,Zone,Groups\n2125550123,n,a| b ||a\n2125550124,N,\n2125550125,Q,c;d\n",
        tags=[
            {"column": "Zone", "map": {"N": "North"}, "prefix": "Zone "},
            {"column": "Groups", "split": "|"},
        ],
    )
    assert listed(found) == {A: ("Zone North", "a", "b"), B: ("Zone North",), C: ()}
    assert found.rejects.kept == [
        Reject(4, "Zone", "Q", "unknown_tag"),
        Reject(4, "Groups", "c;d", "tag_separator"),
    ]
    assert found.buckets == Buckets(read=3, listed=3, numbers=3)


def test_a_reject_shows_no_more_than_the_beginning_of_an_essay(reading: ReadFile) -> None:
    found = reading("Phone,Name\n" + "x" * 5000 + ",Ann\n")
    assert found.rejects.kept[0].value == "x" * 200 + "…"


def test_a_nul_is_a_fault_of_its_cell(reading: ReadFile) -> None:
    found = reading("Phone,Tag\n2125550123,a\0\n2125550\x00124,b\n2125550125,c\n", tags=[{"column": "Tag"}])
    assert listed(found) == {A: (), C: ("c",)}
    assert [reject.reason for reject in found.rejects.kept] == ["tag_control_character", "not_a_number"]


@pytest.mark.parametrize(
    ("content", "row"),
    [
        ("x" * 10_000_000, 1),
        ('2125550123,"' + "x\n" * 1_000_000, 1),
        ("2125550123,a\n" * 3 + "x" * 2**21 + "\n", 4),
        ("2125550123,a\n" * 20_000 + "x" * 2**21, 20_001),
        ("2125550123,a\n" * 20_000 + '"' + "x\n" * 2**20, 20_001),
    ],
)
def test_an_endless_row_refuses_the_file(reading: ReadFile, content: str, row: int) -> None:
    with pytest.raises(UnusableFile, match=rf"row {row} is longer than 1,048,576 bytes") as error:
        reading(content, phones=["1"], file={"header": False})
    assert error.value.code == "row_too_long"


@pytest.mark.parametrize("content", ["", "\n", " \n,,\n", "\ufeff"])
def test_a_file_without_rows_is_refused(reading: ReadFile, content: str) -> None:
    with pytest.raises(UnusableFile) as error:
        reading(content)
    assert error.value.code == "empty_file"


def test_a_header_alone_is_an_empty_list_and_no_error(reading: ReadFile) -> None:
    found = reading("Phone,Name\n")
    assert found.buckets == Buckets()
    assert len(found.listed.keys) == 0
    assert found.rejects.total == 0


def test_numbers_of_another_country(reading: ReadFile) -> None:
    found = reading("Phone\n07400 123456\n00491512 3456789\n+1 212 555 0123\n", region="GB")
    assert set(listed(found)) == {447400123456, 4915123456789, A}


def test_preformatted(write: WriteFile) -> None:
    path = write("2125550123,b,a\n2125550124\n\n2125550125,,c,\n-2125550126,x\nPhone,Tag\n")
    found = read_preformatted(path, Preformatted(), region="US")
    assert listed(found) == {A: ("a", "b"), B: (), C: ("c",)}
    assert found.buckets == Buckets(read=6, listed=3, rejected=2, blank=1, numbers=3)
    assert found.rejects.kept == [
        Reject(5, "A", "-2125550126", "minus_means_remove"),
        Reject(6, "A", "Phone", "not_a_number"),
    ]
    assert found.ends_whole is None


@pytest.mark.parametrize("minus", ["-", " - ", "\u2212", "\u2013"])
def test_a_minus_may_ask_for_an_opt_out_and_beats_a_listing(write: WriteFile, minus: str) -> None:
    path = write(f"2125550123,a\n{minus}2125550123\n{minus}2125550124,a\n{minus}12\n2125550125,a\n")
    found = read_preformatted(path, Preformatted(minus="opt_out"), region="US")
    assert listed(found) == {C: ("a",)}
    assert found.removed.tolist() == [A, B]
    assert found.buckets == Buckets(read=5, listed=4, rejected=1, numbers=3)


@pytest.mark.parametrize("number", ["-2125550123", "\u22122125550123", " -2125550123"])
def test_a_number_behind_a_minus_is_never_listed(write: WriteFile, number: str) -> None:
    found = read_preformatted(write(f"{number}\n" * 9000), Preformatted(), region="US")
    assert len(found.listed.keys) == 0
    assert found.rejects.by_reason == {"minus_means_remove": 9000}


def test_the_message_calls_the_file_what_the_customer_called_it(write: WriteFile) -> None:
    with pytest.raises(UnusableFile, match=r"^June list\.csv: row 1"):
        read(write("a,b\n"), feed(), region="US", name="June list.csv")


cells = st.sampled_from(["2125550123", "2125550124", "(212) 555-0125", "12", "", " ", "North", "a,b", '"', "\n"])


@given(rows=st.lists(st.lists(cells, max_size=4), max_size=12), only=st.booleans())
def test_rows_are_conserved(tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], only: bool) -> None:
    quoted = "".join(",".join('"' + cell.replace('"', '""') + '"' for cell in row) + "\n" for row in rows)
    path: Path = tmp_path_factory.mktemp("rows") / "f.csv"
    path.write_text("Phone,Tag,Cell\n" + quoted)
    rules = feed(phones=["Cell", "Phone"], tags=[{"column": "Tag"}], only={"Tag": ["North"]} if only else {})
    found = read(path, rules, region="US")
    counts = found.buckets
    assert counts.read == len(rows)
    assert counts.read == counts.listed + counts.duplicate + counts.rejected + counts.filtered + counts.blank
    assert counts.numbers == len(found.listed.keys)
    assert np.all(np.diff(found.listed.keys) > 0)
