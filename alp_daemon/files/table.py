"""A file as a header and blocks of rows, whatever its format."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final

from alp_daemon.customers import FileFormat
from alp_daemon.errors import UnusableFile
from alp_daemon.files.blocks import FilledRows, NumberedRow, RowBlocks, RowSource, Widths
from alp_daemon.files.container import Content, unwrap
from alp_daemon.files.csvrows import CsvRows, dialect_of
from alp_daemon.files.encoding import Utf8Chunks, detect
from alp_daemon.files.fastcsv import FastBlocks
from alp_daemon.files.fixedwidth import FixedRows
from alp_daemon.files.header import Header, is_rejects_header
from alp_daemon.files.rowlimit import check_rows

_REJECTS_FILE: Final = (
    "this is a report of rejects (row, column, value, reason), not a list. Correct the source and send the full list, "
    "or put the corrected numbers into preformatted/."
)


@dataclass(frozen=True, slots=True)
class Table:
    """A file whose header has been read and whose data rows have not. They can be taken once."""

    name: str
    header: Header
    header_row: NumberedRow | None
    """The row that names the columns, where there is one."""
    widths: Widths | None
    """How many cells a row must have; ``None`` where any number will do."""
    checked: bool
    """A checksum has proved, or will prove while reading, that no byte is missing."""
    source: RowSource
    blank_above: int
    """Blank data rows above the first one that is not blank. They are counted and not kept: they may be millions."""
    begun: Sequence[NumberedRow]
    """Data rows that have been read already."""
    size: int
    """Bytes of the file as it came."""
    chunks: Utf8Chunks | None
    """Where the rows of a text file come from; ``None`` for a spreadsheet."""

    def blocks(self) -> RowBlocks | FastBlocks:
        """The data rows in blocks, from the first that is not blank on."""
        if isinstance(self.source, CsvRows):
            return FastBlocks(self.source, self.widths, self.begun)
        return RowBlocks(self.source, self.widths, self.begun)

    def rows(self) -> Iterator[NumberedRow]:
        """The data rows one by one, from the first that is not blank on."""
        return chain(self.begun, (NumberedRow(self.source.number, cells) for cells in self.source))

    @property
    def is_torn(self) -> bool:
        """The text ends inside a character."""
        return self.chunks is not None and self.chunks.is_torn

    @property
    def ends_with_newline(self) -> bool:
        """Known when all rows have been taken. A spreadsheet has no lines, so it cannot lack the end of one."""
        return self.chunks is None or self.chunks.ends_with_newline


def open_table(path: Path, file: FileFormat, name: str = "", *, ragged: bool = False) -> Table:
    """Open a file and read its header; ``ragged`` lets rows have any number of cells.

    Raises ``UnusableFile``: what ``unwrap`` and ``detect`` raise, ``wrong_format``, ``rejects_file``, ``empty_file``
    where there is no row at all, ``row_too_long``, ``too_many_rows``, and for spreadsheets ``encrypted_spreadsheet``,
    ``corrupt_spreadsheet``, ``missing_sheet``.
    """
    content = unwrap(path, name)
    _check_format(content, file)
    chunks = Utf8Chunks(content, detect(content, file.encoding)) if content.kind == "text" else None
    source = _source(content, file, chunks, path)
    first = _first_row(source, content.name, file.skip_rows)
    header, widths = _columns(first, file, content.name)
    return Table(
        content.name,
        header,
        first if file.header else None,
        None if ragged else widths,
        content.checked,
        source,
        0 if file.header else first.number - file.skip_rows - 1,
        () if file.header else (first,),
        path.stat().st_size,
        chunks,
    )


def _columns(first: NumberedRow, file: FileFormat, name: str) -> tuple[Header, Widths | None]:
    """The columns that the first row names or, without a header, has."""
    place = f"{name}: row {first.number}"
    if file.format == "fixed":
        return Header(tuple(column.name for column in file.columns), True, f"{name}: the layout"), None
    width = len(first.cells)
    if not file.header:
        return Header.lettered(width, place), Widths(width, width)
    names = _without_blank_end(first.cells)
    return Header(names, True, f"{place} (the header)"), Widths(len(names), width)


def _check_format(content: Content, file: FileFormat) -> None:
    expected = "text" if file.format in {"csv", "fixed"} else file.format
    if expected not in {"auto", content.kind}:
        raise UnusableFile(
            "wrong_format",
            f"{content.name}: this is {_a(content.kind)}, but the feed expects {_a(file.format)}. "
            "Send that, or correct `format`.",
        )


def _a(format_: str) -> str:
    return {"text": "a text file", "csv": "CSV", "fixed": "a fixed-width text file"}.get(
        format_, f"a spreadsheet ({format_})"
    )


def _source(content: Content, file: FileFormat, chunks: Utf8Chunks | None, path: Path) -> RowSource:
    if chunks is None:
        from alp_daemon.files import spreadsheet  # no other file needs it

        return CsvRows(spreadsheet.sheet_as_csv(path, file.sheet, content.name), spreadsheet.DIALECT, content.name)
    if file.format == "fixed":
        return FixedRows(chunks, file.columns, content.name)
    beginning = next(chunks)
    return CsvRows(chain([beginning], chunks), dialect_of(file, beginning), content.name)


def _first_row(source: RowSource, name: str, skip: int) -> NumberedRow:
    """The first row that is not blank behind those to be skipped."""
    for row in FilledRows(source):
        check_rows(row.number, name)
        # Among the skipped ones too: a report is none the less one for a feed that skips its header.
        if is_rejects_header(row.cells):
            raise UnusableFile("rejects_file", f"{name}: {_REJECTS_FILE}")
        if row.number > skip:
            return row
    raise UnusableFile("empty_file", f"{name}: the file holds no rows. Nothing was changed.")


def _without_blank_end(cells: Sequence[str]) -> tuple[str, ...]:
    """Spreadsheets write empty columns behind the last one that somebody once touched."""
    width = max(i for i, cell in enumerate(cells, start=1) if cell.strip())
    return tuple(cell.strip() for cell in cells[:width])
