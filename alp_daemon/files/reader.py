"""One file, from its path to what it says: the addresses in it, what became of each row, and how it ended."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from alp_daemon.customers import Feed, FileFormat, Preformatted, Trailer
from alp_daemon.domain.model import Buckets, Reading
from alp_daemon.errors import UnusableFile
from alp_daemon.files import fastcsv, wholeness
from alp_daemon.files.ahead import ahead
from alp_daemon.files.blocks import Block, NumberedRow, RowsBlock
from alp_daemon.files.fieldmap import PREFORMATTED_MAP, FieldMap
from alp_daemon.files.header import letter
from alp_daemon.files.judge import Judge, Judged
from alp_daemon.files.phonecells import BLANK, PhoneCells, TakesTexts
from alp_daemon.files.rowlimit import check_rows
from alp_daemon.files.table import Table, open_table
from alp_daemon.files.tally import Tally

_STANDARD_FORMAT = FileFormat(header=False)

MAX_PREFORMATTED_COLUMNS: Final = 1_000
"""Far more than the tags that a file may bring along before a person has to look at it."""

MAX_PREFORMATTED_TAGS: Final = 100_000
"""Different ones in one file: far more than anybody can choose from."""


def read(path: Path, feed: Feed, *, region: str, name: str = "", takes_texts: TakesTexts | None = None) -> Reading:
    """Read a file through a feed's field map.

    ``region`` is the country of numbers without ``+``; ``name`` is what messages call the file (else its own name);
    ``takes_texts`` refuses numbers that the operator's line types rule out.
    Every row ends in exactly one bucket. Raises ``UnusableFile``, with a stable ``code``, where the file as a whole
    cannot be read as the feed says; ``Reading.ends_whole`` says whether it looks complete.
    """
    table = open_table(path, feed.file, name)
    field_map = FieldMap.find(feed, table.header)
    cells = PhoneCells(region, takes_texts=takes_texts)
    if table.header_row:
        _check_is_header(table.header_row, field_map, cells, table.name)
    return _read(table, field_map, cells, feed.file.trailer)


def read_preformatted(
    path: Path, preformatted: Preformatted, *, region: str, name: str = "", takes_texts: TakesTexts | None = None
) -> Reading:
    """Read a file in the standard format: no header, numbers in column A, tags in B, C, D…, rows of any width.

    A number behind a minus is never listed: it is the reject ``minus_means_remove``, or one of ``Reading.removed``.
    Raises as ``read``.
    """
    table = open_table(path, _STANDARD_FORMAT, name, ragged=True)
    return _read(table, PREFORMATTED_MAP, PhoneCells(region, preformatted.minus, takes_texts), None)


def _read(table: Table, field_map: FieldMap, cells: PhoneCells, trailer: Trailer | None) -> Reading:
    judge, tally = Judge(field_map, cells), Tally(field_map, cells)
    tally.buckets.read = tally.buckets.blank = table.blank_above

    def judged(block: Block) -> Judged:
        _check_width(block, field_map, table.name)
        return judge.judge(block)

    blocks = table.blocks()
    stages = map(judged, blocks)
    # A small file that is not packed is one block: a thread would only find that there is no other.
    pays = table.checked or table.size >= fastcsv.PAYS_FROM
    tags: set[str] = set()
    for each in ahead(stages) if pays else stages:
        if field_map.tags is None:
            _check_tags(tags, each, table.name)
        tally.add(each)
        check_rows(tally.buckets.read, table.name)
    last = blocks.last
    if last is not None and not wholeness.is_trailer(last, trailer):
        tally.add(judged(RowsBlock([last], table.widths)))
    ending = _ending(table, tally.buckets, last, trailer, ends_in_quote=blocks.ends_in_quote)
    listed, removed = tally.finish()
    return Reading(
        listed,
        removed,
        tally.buckets,
        tally.rejects,
        table.header.names,
        True if ending.whole is None and table.checked else ending.whole,
        table.ends_with_newline,
        ending.cut_reason,
        unusable=tally.unusable(),
    )


def _check_width(block: Block, field_map: FieldMap, name: str) -> None:
    """Where every column is one of tags, each takes its memory: 30,000 in a file of 3 MB took 600 MB."""
    if field_map.tags is None and block.width > MAX_PREFORMATTED_COLUMNS:
        raise UnusableFile(
            "too_many_columns",
            f"{name}: a row has {block.width:,} columns. A preformatted file has the number in column A and tags in "
            f"the next ones, {MAX_PREFORMATTED_COLUMNS:,} columns at most. Are the line ends missing, or are there "
            "empty columns far to the right?",
        )


def _check_tags(tags: set[str], judged: Judged, name: str) -> None:
    """A tag is for many numbers. Three million, one for each number, took two minutes and 2 GB.

    Not so in a feed: there a person has seen, and approved, what becomes a tag.
    """
    for column in judged.tags:
        tags.update(tag for cell in column.cells for tag in cell.tags)
    if len(tags) > MAX_PREFORMATTED_TAGS:
        raise UnusableFile(
            "too_many_tags",
            f"{name}: the file has more than {MAX_PREFORMATTED_TAGS:,} different tags. A preformatted file has the "
            "number in column A and tags, each for many numbers, in the next ones. Does a column hold names, addresses "
            "or account numbers? Leave it out.",
        )


def _ending(
    table: Table, buckets: Buckets, last: NumberedRow | None, trailer: Trailer | None, *, ends_in_quote: bool
) -> wholeness.Ending:
    """Judge the ending by its last character, and by the last row that is not blank: data, unless it is the trailer."""
    if table.is_torn:
        return wholeness.Ending(False, wholeness.INSIDE_A_CHARACTER)
    if last is not None and trailer is not None and wholeness.is_trailer(last, trailer):
        return wholeness.of_trailer(last, trailer, table.header, buckets.read - buckets.blank)
    least_cells = table.widths.least if table.widths else 0
    return wholeness.of_last_row(last, trailer, least_cells, ends_in_quote=ends_in_quote)


def _check_is_header(row: NumberedRow, field_map: FieldMap, cells: PhoneCells, name: str) -> None:
    """A file that comes without the header its feed promises would lose its first number without a word."""
    for column in field_map.phones:
        if column < len(row.cells) and cells.verdict(row.cells[column]) > BLANK:
            raise UnusableFile(
                "no_header",
                f"{name}: row {row.number} should name the columns, but column {letter(column)} holds a phone number. "
                "Send the file with its header, or set `header: false`.",
            )
