"""A file of a few kilobytes, packed, may have millions of rows: they are counted, not kept, and not without end."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from alp_daemon.customers import FileFormat, Preformatted
from alp_daemon.domain import nanp
from alp_daemon.domain.model import Buckets
from alp_daemon.errors import UnusableFile
from alp_daemon.files import fastcsv, rowlimit
from alp_daemon.files.blocks import NumberedRow
from alp_daemon.files.informz.request import read_bulk_upload
from alp_daemon.files.informz.subscribers import read_subscribers
from alp_daemon.files.reader import read_preformatted
from alp_daemon.files.table import open_table

from .conftest import ReadFile, WriteFile
from .informz.requests import request

BLANK_ROWS = 300_000
BOMB = gzip.compress(b"\n" * BLANK_ROWS + b"2125550123\n")


def test_blank_rows_above_the_first_are_counted_and_not_kept(write: WriteFile) -> None:
    assert len(BOMB) < 1000
    path = write(BOMB)
    table = open_table(path, FileFormat(header=False))
    assert (table.blank_above, table.begun) == (BLANK_ROWS, (NumberedRow(BLANK_ROWS + 1, ["2125550123"]),))
    found = read_preformatted(path, Preformatted(), region="US")
    assert found.buckets == Buckets(read=BLANK_ROWS + 1, listed=1, blank=BLANK_ROWS, numbers=1)


def test_the_rows_below_keep_their_numbers(write: WriteFile) -> None:
    found = read_preformatted(write("\n , \n2125550123\nbad\n"), Preformatted(), region="US")
    assert found.buckets == Buckets(read=4, listed=1, rejected=1, blank=2, numbers=1)
    assert [reject.row for reject in found.rejects.kept] == [4]


@pytest.mark.parametrize("header", [True, False])
def test_skipped_rows_are_no_rows_of_the_list(reading: ReadFile, header: bool) -> None:
    head = "Phone\n" if header else ""
    found = reading(f"a list,of Acme\n\n{head}2125550123\n", phones=["1"], file={"header": header, "skip_rows": 2})
    assert found.buckets == Buckets(read=1, listed=1, numbers=1)


def test_a_file_of_nothing_but_skipped_and_blank_rows_is_empty(reading: ReadFile) -> None:
    with pytest.raises(UnusableFile) as error:
        reading("a list\n\n\n", file={"skip_rows": 1})
    assert error.value.code == "empty_file"


@pytest.mark.parametrize("content", ["x\n" * 4, "\n" * 3 + "2125550123\n", "\n" * 9, "x\n" + "\n" * 9])
def test_more_rows_than_are_read_are_refused(write: WriteFile, content: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rowlimit, "MAX_ROWS", 3)
    with pytest.raises(UnusableFile, match="more than 3 rows, the most that is read") as error:
        read_preformatted(write(content + "2125550124\n"), Preformatted(), region="US")
    assert error.value.code == "too_many_rows"


def test_as_many_as_are_read_are_not(write: WriteFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rowlimit, "MAX_ROWS", 3)
    found = read_preformatted(write("\n2125550123\n2125550124\n"), Preformatted(), region="US")
    assert found.buckets.read == 3


@pytest.mark.parametrize(("records", "is_refused"), [(3, False), (5, True)])
def test_so_it_is_with_the_records_of_a_request(
    tmp_path: Path, records: int, is_refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rowlimit, "MAX_ROWS", 3)
    path = tmp_path / "request.xml"
    path.write_text(request("".join(f"a{n}@example.com\n" for n in range(records))))
    upload = read_bulk_upload(path)
    if is_refused:
        with pytest.raises(UnusableFile, match="Data: the file has more than 3 rows"):
            read_subscribers(path, upload, name="request.xml", known_interests=())
    else:
        assert len(read_subscribers(path, upload, name="request.xml", known_interests=()).addresses) == records


@pytest.mark.parametrize(
    ("cell", "is_refused"),
    [("+447911123{0:03}", True), ("none {0}", True), ("none", False), ("212555{0:04}", False)],
    ids=["abroad", "garbage", "all alike", "plain"],
)
def test_only_so_many_cells_are_taken_apart_one_by_one(
    write: WriteFile, cell: str, is_refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    nanp.table()
    monkeypatch.setattr(fastcsv, "PAYS_FROM", 1)
    monkeypatch.setattr(rowlimit, "MAX_PARSED", 100)
    path = write("".join(cell.format(n) + "\n" for n in range(300)) + "2125550123\n")
    if is_refused:
        with pytest.raises(UnusableFile, match="more than 100 different cells") as error:
            read_preformatted(path, Preformatted(), region="US")
        assert error.value.code == "too_many_to_parse"
    else:
        assert read_preformatted(path, Preformatted(), region="US").buckets.read == 301
