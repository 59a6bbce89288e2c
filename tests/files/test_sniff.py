"""A first look at a sample."""

from __future__ import annotations

from pathlib import Path

import pytest
import xlsxwriter

from alp_daemon.customers import Draft, draft_yaml, load_file
from alp_daemon.errors import UnusableFile
from alp_daemon.files.reader import read
from alp_daemon.files.sniff import guess

from .conftest import WriteFile

ROWS = [
    f"{i},Ann {i},(212) 555-0{100 + i},{['', '212-555-0199'][i % 2]},{['North', 'South'][i % 2]},NY" for i in range(30)
]
TEXT = "Account,Name,Phone,Cell,Zone,State\n" + "\n".join(ROWS) + "\n"


def test_a_sample_with_a_header(write: WriteFile) -> None:
    assert guess(write(TEXT), "US") == Draft(
        sample_name="members.csv",
        rows=30,
        columns=["Account", "Name", "Phone", "Cell", "Zone", "State"],
        phones=["Phone", "Cell"],
        tags=["Zone"],
        delimiter=",",
        header=True,
    )


def test_a_sample_without_a_header(write: WriteFile) -> None:
    found = guess(write("\n".join(ROWS).replace(",", "\t")), "US")
    assert (found.header, found.phones, found.tags, found.delimiter) == (False, ["C", "D"], ["E"], "tab")
    assert found.columns == ["A", "B", "C", "D", "E", "F"]


@pytest.mark.parametrize(("rows", "looked_at", "is_whole"), [(298, 298, True), (299, 299, True), (300, 299, False)])
def test_a_long_sample_is_looked_at_in_part(write: WriteFile, rows: int, looked_at: int, is_whole: bool) -> None:
    found = guess(write("Phone\n" + "2125550123\n" * rows), "US")
    assert (found.rows, found.is_whole) == (looked_at, is_whole)


def test_columns_of_one_name_are_told_apart_by_letter(write: WriteFile) -> None:
    assert guess(write(TEXT.replace("Cell", "phone")), "US").phones == ["C", "D"]


def test_a_sample_in_which_nothing_looks_like_numbers(write: WriteFile) -> None:
    found = guess(write("Name,Age\nAnn,31\nBob,44\n"), "US")
    assert (found.header, found.phones, found.tags) == (True, [], [])


def test_a_spreadsheet_has_no_delimiter(tmp_path: Path) -> None:
    path = tmp_path / "members.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["Phone", "Name"])
        sheet.write_row(1, 0, [2125550123, "Ann"])
    found = guess(path, "US")
    assert (found.delimiter, found.phones) == ("auto", ["Phone"])


def test_what_is_no_list_is_refused_as_when_reading(write: WriteFile) -> None:
    with pytest.raises(UnusableFile, match="a PDF document"):
        guess(write("%PDF-1.7"), "US")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_draft_reads_its_own_sample(write: WriteFile, tmp_path: Path, delimiter: str) -> None:
    sample = write(TEXT.replace(",", delimiter))
    yaml = tmp_path / "acme.yaml"
    yaml.write_text(draft_yaml("acme", guess(sample, "US")))
    customer = load_file(yaml)
    found = read(sample, customer.feeds["main"], region=customer.region)
    assert (found.buckets.listed, found.rejects.total) == (30, 0)
