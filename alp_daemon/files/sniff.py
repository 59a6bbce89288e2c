"""A first look at a sample: what kind of file it is, and which columns seem to hold numbers and tags.

Its answer is a draft for a person to correct, so it may be wrong; that is why it is asked once, for a sample, and never
for a file that is to be applied.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

from alp_daemon.customers import Draft, FileFormat
from alp_daemon.domain import tag
from alp_daemon.files.blocks import is_blank
from alp_daemon.files.csvrows import CsvRows
from alp_daemon.files.header import fold, letter
from alp_daemon.files.phonecells import BLANK, PhoneCells
from alp_daemon.files.table import Table, open_table

_ROWS: Final = 300

_MOST_TAGS: Final = 50
_ROWS_PER_TAG: Final = 3
"""A column of tags repeats itself: it has at most so many different values, and each comes so often on average."""


def guess(path: Path, region: str, name: str = "") -> Draft:
    """Return what a sample seems to be. Raises ``UnusableFile`` as ``reader.read`` does.

    A column of numbers is one where at least half of the cells are valid numbers of ``region``; a column of tags is
    one of few values that all are good tags. The encoding is left to each file: a sample without accents tells nothing.
    """
    table = open_table(path, FileFormat(header=False), name, ragged=True)
    first = table.rows()
    rows = [row.cells for row in islice(first, _ROWS) if not is_blank(row.cells)]
    cells = PhoneCells(region)
    has_header = not any(cells.verdict(cell) > BLANK for cell in rows[0])
    names = [cell.strip() for cell in rows[0]] if has_header else list(table.header.names)
    columns = list(islice(_columns(rows[1:] if has_header else rows), len(names)))
    phones = [_reference(names, i) for i, column in enumerate(columns) if _looks_like_phones(column, cells)]
    tags = [_reference(names, i) for i, column in enumerate(columns) if _looks_like_tags(column, cells)]
    return Draft(
        sample_name=table.name,
        rows=len(rows) - has_header,
        columns=[name for name in names if name],
        phones=phones,
        tags=tags,
        delimiter=_delimiter(table),
        header=has_header,
        is_whole=next(first, None) is None,
    )


def _columns(rows: Sequence[Sequence[str]]) -> Iterator[list[str]]:
    """The columns' cells that are not blank."""
    for index in range(max(map(len, rows), default=0)):
        yield [row[index].strip() for row in rows if index < len(row) and row[index].strip()]


def _looks_like_phones(column: Sequence[str], cells: PhoneCells) -> bool:
    numbers = sum(cells.verdict(cell) > BLANK for cell in column)
    return numbers > 0 and numbers * 2 >= len(column)


def _looks_like_tags(column: Sequence[str], cells: PhoneCells) -> bool:
    values = set(column)
    return (
        2 <= len(values) <= _MOST_TAGS
        and len(values) * _ROWS_PER_TAG <= len(column)
        and not any(isinstance(tag.clean(value), tag.BadTag) or cells.verdict(value) > BLANK for value in values)
    )


def _reference(names: Sequence[str], index: int) -> str:
    """How the field map names a column: by its header, unless that is empty or not its alone."""
    is_unique = [fold(name) for name in names].count(fold(names[index])) == 1
    return names[index] if names[index] and is_unique else letter(index)


def _delimiter(table: Table) -> str:
    if table.chunks is None or not isinstance(table.source, CsvRows):
        return "auto"
    delimiter = table.source.dialect.delimiter
    return "tab" if delimiter == "\t" else delimiter
