"""Rows of a delimited text file by the csv module: the reference that every faster way must equal."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from alp_daemon.customers import FileFormat
from alp_daemon.errors import UnusableFile
from alp_daemon.files.lines import MAX_ROW, Lines, RowTooLong
from alp_daemon.files.rowlimit import check_rows

# The module's own limit (128 KiB a cell) is process-wide. MAX_ROW is checked line by line and says more.
csv.field_size_limit(MAX_ROW)

_DELIMITERS: Final = (",", ";", "\t", "|")
_SAMPLE_ROWS: Final = 100


@dataclass(frozen=True, slots=True)
class Dialect:
    """How cells are told apart. ``quote`` is ``None`` where quotes are ordinary characters."""

    delimiter: str
    quote: str | None

    def reader(self, lines: Iterator[str]) -> Iterator[list[str]]:
        if self.quote is None:
            return csv.reader(lines, delimiter=self.delimiter, quoting=csv.QUOTE_NONE)
        return csv.reader(lines, delimiter=self.delimiter, quotechar=self.quote)

    @property
    def padding(self) -> bytes:
        """Characters of which a line is a blank row, if it holds no others."""
        return "".join(sign for sign in f"{self.delimiter} \t\r\n" if sign.isascii() and sign != self.quote).encode()


class CsvRows(Iterator[list[str]]):
    """The rows of a file from its first byte on, or from a given row on. A blank line is an empty row."""

    def __init__(self, chunks: Iterator[bytes], dialect: Dialect, name: str, *, rows_before: int = 0) -> None:
        self.dialect = dialect
        self.number = rows_before
        """The number of the row given out last, as a spreadsheet shows it."""
        self.ends_in_quote = False
        """The file ended inside a quoted cell of the row given out last."""
        self.name = name
        self._padding = dialect.padding
        self._lines = Lines(chunks)
        self._reader = dialect.reader(self._lines)

    def __next__(self) -> list[str]:
        self._lines.begin_row()
        try:
            row = next(self._reader)
        except RowTooLong as error:
            raise UnusableFile(
                "row_too_long",
                f"{self.name}: row {self.number + 1} is longer than {MAX_ROW:,} bytes. Is a quote in it never closed, "
                "or are the line ends missing?",
            ) from error
        self.number += 1
        self.ends_in_quote = self._lines.exhausted
        return row

    def skip_blank(self) -> int:
        skipped = self._lines.skip_blank(self._padding)
        self.number += skipped
        check_rows(self.number, self.name)
        return skipped

    def rest(self) -> Iterator[bytes]:
        """The bytes behind the row given out last; the rows themselves are used up by this."""
        return self._lines.rest()


def dialect_of(file: FileFormat, sample: bytes) -> Dialect:
    """Return how a file's cells are told apart; ``delimiter: auto`` looks at ``sample``, its beginning."""
    quote = None if file.quote == "none" else file.quote
    delimiter = "\t" if file.delimiter == "tab" else file.delimiter
    if delimiter == "auto":
        delimiter = _guess_delimiter(sample, quote, file.skip_rows)
    return Dialect(delimiter, quote)


def _guess_delimiter(sample: bytes, quote: str | None, skip_rows: int) -> str:
    """The delimiter that gives the most rows of one width; between equals the one that gives the most columns."""

    lines = sample.decode(errors="replace").splitlines(keepends=True)

    def agreement(delimiter: str) -> tuple[int, int]:
        rows = islice(Dialect(delimiter, quote).reader(iter(lines)), skip_rows, skip_rows + _SAMPLE_ROWS)
        widths = Counter(len(row) for row in rows if row)
        width, count = max(widths.items(), key=lambda item: (item[1], item[0]), default=(0, 0))
        return (count, width) if width > 1 else (0, 0)

    return max(_DELIMITERS, key=agreement)
