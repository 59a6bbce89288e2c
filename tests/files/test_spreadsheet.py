"""Spreadsheets, written by other people's libraries."""

from __future__ import annotations

import datetime as dt
import random
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
import xlsxwriter
import xlwt
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table, TableCell, TableRow
from odf.text import P
from xlwt.CompoundDoc import XlsDoc

from alp_daemon.domain.model import Buckets, Reject
from alp_daemon.errors import UnusableFile
from alp_daemon.files.reader import read
from alp_daemon.files.table import open_table

from .conftest import feed, listed

Sheet = list[list[object]]

MEMBERS: Sheet = [
    ["Phone", "Tag"],
    [2125550123, "North"],
    ["(212) 555-0124", 7],
    [12125550125.0, 1.5],
    [2125550123, "South"],
    [],
    ["n/a", "x"],
    [None, "x"],
]


def write_xlsx(path: Path, rows: Sheet, *, left: int = 0, top: int = 0) -> None:
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("Members")
        for number, row in enumerate(rows):
            sheet.write_row(top + number, left, row)
        book.add_worksheet("Notes").write(0, 0, "nothing")


def write_xls(path: Path, rows: Sheet) -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("Members")
    for number, row in enumerate(rows):
        for column, value in enumerate(row):
            sheet.write(number, column, value)
    book.save(str(path))


def write_ods(path: Path, rows: Sheet) -> None:
    book = OpenDocumentSpreadsheet()
    table = Table(name="Members")
    for row in rows:
        line = TableRow()
        for value in row or [None]:
            if isinstance(value, int | float):
                line.addElement(TableCell(valuetype="float", value=str(value)))
            else:
                cell = TableCell(valuetype="string") if value else TableCell()
                if value:
                    cell.addElement(P(text=str(value)))
                line.addElement(cell)
        table.addElement(line)
    book.spreadsheet.addElement(table)
    book.save(str(path))


WRITERS: dict[str, Callable[[Path, Sheet], None]] = {"xlsx": write_xlsx, "xls": write_xls, "ods": write_ods}
rules = feed(tags=[{"column": "Tag"}])


@pytest.mark.parametrize("kind", WRITERS)
def test_a_spreadsheet_is_read_like_a_csv_file(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "members"  # the name says nothing; the content decides
    WRITERS[kind](path, MEMBERS)
    found = read(path, rules, region="US")
    assert listed(found) == {12125550123: ("North", "South"), 12125550124: ("7",), 12125550125: ("1.5",)}
    assert found.buckets == Buckets(read=7, listed=3, duplicate=1, rejected=2, blank=1, numbers=3)
    assert found.rejects.kept == [Reject(7, "Phone", "n/a", "not_a_number"), Reject(8, "Phone", "", "no_number")]
    assert found.ends_with_newline
    assert found.ends_whole is (None if kind == "xls" else True)


def test_rows_and_columns_count_from_the_corner_of_the_sheet(tmp_path: Path) -> None:
    path = tmp_path / "members.xlsx"
    write_xlsx(path, MEMBERS, left=2, top=3)
    found = read(path, feed(phones=["C"], tags=[{"column": "4"}]), region="US")
    assert len(found.listed.keys) == 3
    assert [reject.row for reject in found.rejects.kept] == [10, 11]


def test_cells_are_written_as_people_see_them(tmp_path: Path) -> None:
    path = tmp_path / "cells.xlsx"
    with xlsxwriter.Workbook(path, {"default_date_format": "yyyy-mm-dd hh:mm"}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["Number", "Share", "Yes", "Day", "Moment", "Text"])
        sheet.write_row(1, 0, [12125550123, 0.25, True])
        sheet.write_datetime(1, 3, dt.date(2026, 3, 1), book.add_format({"num_format": "yyyy-mm-dd"}))
        sheet.write_datetime(1, 4, dt.datetime(2026, 3, 1, 12, 30))  # noqa: DTZ001  a cell has no time zone
        sheet.write_string(1, 5, 'a "b", c\nd')
    (row,) = open_table(path, rules.file).rows()
    assert row.cells == ["12125550123", "0.25", "TRUE", "2026-03-01", "2026-03-01T12:30:00", 'a "b", c\nd']


def test_the_sheet_may_be_named(tmp_path: Path) -> None:
    path = tmp_path / "members.xlsx"
    write_xlsx(path, MEMBERS)
    assert len(read(path, feed(file={"sheet": "Members"}), region="US").listed.keys) == 3
    with pytest.raises(UnusableFile, match=r"has no sheet 'Members 2026'\.") as error:
        read(path, feed(file={"sheet": "Members 2026"}), region="US")
    assert error.value.code == "missing_sheet"


def test_a_big_spreadsheet_goes_the_fast_way_to_the_same_end(tmp_path: Path) -> None:
    path = tmp_path / "members.xlsx"
    numbers = [2125550000 + i for i in range(7000)]
    write_xlsx(path, [["Phone", "Tag"], *([number, f"Group {number % 7}"] for number in numbers)])
    found = read(path, rules, region="US")
    assert found.buckets == Buckets(read=7000, listed=7000, numbers=7000)
    assert listed(found)[12125550003] == (f"Group {2125550003 % 7}",)


def test_the_format_must_be_the_one_the_feed_expects(tmp_path: Path) -> None:
    path = tmp_path / "members.csv"
    write_xlsx(path, MEMBERS)
    with pytest.raises(UnusableFile, match=r"this is a spreadsheet \(xlsx\), but the feed expects CSV") as error:
        read(path, feed(file={"format": "csv"}), region="US")
    assert error.value.code == "wrong_format"


def test_a_stray_cell_in_the_last_corner_is_refused_in_bounded_memory(tmp_path: Path) -> None:
    path = tmp_path / "corner.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write(0, 0, "Phone")
        sheet.write(1_048_575, 16_383, "x")
    with pytest.raises(UnusableFile, match="a stray cell far below") as error:
        read(path, feed(), region="US")
    assert error.value.code == "corrupt_spreadsheet"


@pytest.mark.parametrize("kind", WRITERS)
def test_damage_never_ends_in_anything_but_a_refusal(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "members"
    WRITERS[kind](path, MEMBERS)
    whole = path.read_bytes()
    chance = random.Random(7)
    refused = 0
    for _ in range(8):
        damaged = bytearray(whole)
        for _ in range(8):
            damaged[chance.randrange(8, len(damaged))] = chance.randrange(256)
        path.write_bytes(damaged[: chance.randrange(len(damaged) // 2, len(damaged))])
        try:
            read(path, rules, region="US")
        except UnusableFile as error:
            refused += error.code in {"corrupt_spreadsheet", "corrupt_archive", "missing_column", "empty_file"}
    assert refused >= 6


def test_a_spreadsheet_with_a_password_says_so(tmp_path: Path) -> None:
    path = tmp_path / "locked.xls"
    workbook = struct.pack("<HHHHHHII", 0x809, 16, 0x600, 5, 0, 0, 0, 0)  # BOF, as [MS-XLS] 2.4.21 has it
    filepass = struct.pack("<HHHHH", 0x2F, 6, 1, 1, 1)  # FilePass, 2.4.117
    with path.open("wb") as file:
        XlsDoc().save(file, workbook + filepass + struct.pack("<HH", 0xA, 0))
    with pytest.raises(UnusableFile) as error:
        read(path, rules, region="US")
    assert error.value.code == "encrypted_spreadsheet"
    assert str(error.value) == "locked.xls: the spreadsheet asks for a password. Send it without one."
