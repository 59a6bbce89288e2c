"""One file, from its path to what it says: the addresses in it, what became of each row, and how it ended."""

from __future__ import annotations

from pathlib import Path

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
from alp_daemon.files.preformattedlimits import PreformattedLimits
from alp_daemon.files.rowlimit import check_parsed, check_rows
from alp_daemon.files.table import Table, open_table
from alp_daemon.files.tally import Tally

_STANDARD_FORMAT = FileFormat(header=False)


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
    tally.pass_over(table.blank_above)
    limits = PreformattedLimits(table.name) if field_map.tags is None else None

    def judged(block: Block) -> Judged:
        if limits:
            limits.check_width(block)
        return judge.judge(block)

    blocks = table.blocks()
    stages = map(judged, blocks)
    # A small file that is not packed is one block: a thread would only find that there is no other.
    pays = table.checked or table.size >= fastcsv.PAYS_FROM
    for each in ahead(stages) if pays else stages:
        tally.add(each)
        check_rows(tally.buckets.read, table.name)
        check_parsed(cells.parsed, table.name)
        if limits:
            limits.check(each, tally.combinations.weight)
    tally.pass_over(blocks.blank)
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
