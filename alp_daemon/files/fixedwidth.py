"""Rows of a file whose columns stand at fixed places."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from alp_daemon.customers import FixedColumn
from alp_daemon.errors import UnusableFile
from alp_daemon.files.lines import MAX_ROW, Lines, RowTooLong
from alp_daemon.files.rowlimit import check_rows

_PADDING = b" \t\r\n"


class FixedRows(Iterator[list[str]]):
    """The cells of each line by their places (in characters), and behind them the whole line as one more cell.

    That last cell has no name and cannot be mapped. It is there because a line that holds something outside the
    described columns is not blank.
    """

    ends_in_quote = False

    def __init__(self, chunks: Iterator[bytes], columns: Sequence[FixedColumn], name: str) -> None:
        self.number = 0
        """The number of the row given out last, as an editor shows it."""
        self._places = [slice(column.start - 1, column.start - 1 + column.width) for column in columns]
        self._lines = Lines(chunks)
        self._name = name

    def __next__(self) -> list[str]:
        self._lines.begin_row()
        try:
            line = next(self._lines).rstrip("\r\n")
        except RowTooLong as error:
            raise UnusableFile(
                "row_too_long",
                f"{self._name}: row {self.number + 1} is longer than {MAX_ROW:,} bytes. Are the line ends missing?",
            ) from error
        self.number += 1
        return [*(line[place] for place in self._places), line]

    def skip_blank(self) -> int:
        skipped = self._lines.skip_blank(_PADDING)
        self.number += skipped
        check_rows(self.number, self._name)
        return skipped
