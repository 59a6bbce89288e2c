"""Blank rows are counted, wherever they stand and however many there are, and cost nobody memory or a number."""

from __future__ import annotations

import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from alp_daemon.customers import FixedColumn
from alp_daemon.errors import UnusableFile
from alp_daemon.files.blocks import FilledRows, NumberedRow, RowBlocks, is_blank
from alp_daemon.files.csvrows import CsvRows, Dialect
from alp_daemon.files.fixedwidth import FixedRows
from alp_daemon.files.lines import MAX_ROW

from .conftest import ReadFile

COMMA = Dialect(",", '"')
DIALECTS = [
    COMMA,
    Dialect("\t", '"'),
    Dialect(" ", '"'),
    Dialect(";", None),
    Dialect(",", " "),
    Dialect(",", "\t"),
    Dialect("\u2013", '"'),
    Dialect("\u00a6", None),
]
# The en quad begins with the bytes of the en dash, and is a blank; the circled digit has the same ones, and is none.
SIGNS = [*"a,; \t\"'\n", "\n\n\n", "\r\n", "\r", "\x0b", "\x1c", "\u00a0", "\u2000", "\u24d3", "\u2013", "\u00a6"]


def filled(text: str, dialect: Dialect, size: int) -> tuple[list[NumberedRow], int]:
    """The rows that are not blank, and how many are, of a text that comes in pieces."""
    content = text.encode()
    rows = FilledRows(CsvRows((content[at : at + size] for at in range(0, len(content), size)), dialect, "members.csv"))
    return list(rows), rows.blank


@pytest.mark.parametrize("dialect", DIALECTS, ids=repr)
def test_they_are_those_of_the_csv_module(dialect: Dialect) -> None:
    @given(st.lists(st.sampled_from(SIGNS), max_size=40).map("".join), st.sampled_from([1, 2, 7, 2**20]))
    @example('a\n\n"x\n\n\ny"\n\n', 2**20)
    @example("a\n" + "\n" * 200 + "b", 7)
    def law(text: str, size: int) -> None:
        rows = list(dialect.reader(iter(io.StringIO(text, newline=""))))
        expected = [NumberedRow(number, cells) for number, cells in enumerate(rows, 1) if not is_blank(cells)]
        assert filled(text, dialect, size) == (expected, len(rows) - len(expected))

    law()


def test_no_block_holds_them() -> None:
    blocks = RowBlocks(CsvRows(iter([b"a\n", b"\n" * 300_000, b",,\n" * 300_000, b"b\nc\n"]), COMMA, ""), None)
    assert [len(block) for block in blocks] == [2]
    assert (blocks.blank, blocks.last) == (600_000, NumberedRow(600_003, ["c"]))


def test_nor_of_a_fixed_width_file() -> None:
    columns = (FixedColumn(name="Phone", start=1, width=10),)
    blocks = RowBlocks(FixedRows(iter([b"2125550123\n", b" \n" * 300_000, b"x\n"]), columns, ""), None)
    assert [len(block) for block in blocks] == [1]
    assert (blocks.blank, blocks.last) == (300_000, NumberedRow(300_002, ["x", "x"]))


@pytest.mark.parametrize("blank", ["\n", ",\n", "\r\n", " , \n", '"",""\n', "\u00a0,\n"])
@pytest.mark.parametrize("times", [3, 100_000], ids=["a few", "many"])
def test_rows_behind_them_keep_their_numbers(reading: ReadFile, blank: str, times: int) -> None:
    above = "".join(f"{2125550000 + n},x\n" for n in range(9000))
    found = reading(f"Phone,Name\n{above}{blank * times}bad,x\n{blank * times}worse,x\n")
    assert [reject.row for reject in found.rejects.kept] == [9002 + times, 9003 + 2 * times]
    counts = found.buckets
    assert (counts.read, counts.listed, counts.rejected, counts.blank) == (9002 + 2 * times, 9000, 2, 2 * times)


def test_a_blank_row_too_long_to_be_one_is_refused(reading: ReadFile) -> None:
    for length in (MAX_ROW, MAX_ROW + 1):
        text = f"Phone\n2125550123\n\n{' ' * (length - 1)}\n2125550124\n"
        if length <= MAX_ROW:
            assert reading(text).buckets.blank == 2
        else:
            with pytest.raises(UnusableFile) as error:
                reading(text)
            assert error.value.code == "row_too_long"
