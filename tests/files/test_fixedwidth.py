"""Files whose columns stand at fixed places."""

from __future__ import annotations

from pathlib import Path

from alp_daemon.domain.model import Buckets, Reject
from alp_daemon.files.table import open_table

from .conftest import ReadFile, feed, listed

LAYOUT = {
    "format": "fixed",
    "header": False,
    "columns": [
        {"name": "Kind", "start": 1, "width": 1},
        {"name": "Phone", "start": 2, "width": 14},
        {"name": "Zone", "start": 16, "width": 6},
    ],
}
TAGS = [{"column": "Zone"}]


def test_cells_are_taken_by_their_places_in_characters(reading: ReadFile) -> None:
    found = reading("D(212) 555-0123Zoë   rest\r\nD2125550124    North\r\nD2125550125\r\n", tags=TAGS, file=LAYOUT)
    assert listed(found) == {12125550123: ("Zoë",), 12125550124: ("North",), 12125550125: ()}
    assert found.columns == ("Kind", "Phone", "Zone")


def test_a_line_with_something_outside_the_columns_is_not_blank(reading: ReadFile) -> None:
    found = reading("D2125550123\n\n                         total 7\n   \n", tags=TAGS, file=LAYOUT)
    assert found.buckets == Buckets(read=4, listed=1, rejected=1, blank=2, numbers=1)
    assert found.rejects.kept == [Reject(3, "Phone", "", "no_number")]


def test_a_trailer_is_known_by_the_first_column(reading: ReadFile) -> None:
    layout = LAYOUT | {"trailer": {"starts_with": "T", "count_column": "Phone"}}
    assert reading("D2125550123\nT00000000000001\n", tags=TAGS, file=layout).ends_whole is True
    assert reading("D2125550123\nT00000000000002\n", tags=TAGS, file=layout).ends_whole is False


def test_a_header_line_is_left_out(reading: ReadFile) -> None:
    found = reading("KPhone         Zone\nD2125550123\n", tags=TAGS, file=LAYOUT | {"header": True})
    assert found.buckets == Buckets(read=1, listed=1, numbers=1)


def test_columns_are_those_of_the_layout(tmp_path: Path) -> None:
    path = tmp_path / "fixed.txt"
    path.write_text("D2125550123    North rest\n")
    table = open_table(path, feed(file=LAYOUT).file)
    assert table.header.names == ("Kind", "Phone", "Zone")
    assert [row.cells[:3] for row in table.rows()] == [["D", "2125550123    ", "North "]]
