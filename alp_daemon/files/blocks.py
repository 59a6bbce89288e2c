"""Runs of rows as columns: what the field map reads, however the rows were come by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from alp_daemon.domain.model import Codes
from alp_daemon.files.phonecells import PhoneCells, Verdicts

Mask = NDArray[np.bool_]
Indices = NDArray[np.intp]

BLOCK_ROWS: Final = 8192


class Block(Protocol):
    """Consecutive rows of a file. Columns and rows are named by index from 0; a missing cell is empty."""

    width: int
    """Columns of the widest row."""

    def __len__(self) -> int: ...

    def row_number(self, row: int) -> int:
        """The number a spreadsheet shows for a row."""

    def blank(self, among: Indices) -> Mask:
        """Which of some rows hold nothing at all, mapped or not."""

    def ragged(self) -> dict[int, str]:
        """The rows that have too few or too many cells, and how many those are."""

    def texts(self, column: int, rows: Indices) -> list[str]:
        """The cells of some rows as the file has them."""

    def all_texts(self, rows: Indices) -> set[str]:
        """What stands in some rows, whichever the column. It takes as long as those rows are, and no longer."""

    def distinct(self, column: int) -> tuple[Codes, list[str]]:
        """A column as distinct texts, and for each row the index of its own."""

    def verdicts(self, column: int, cells: PhoneCells) -> Verdicts:
        """A phone column's verdicts."""


@dataclass(frozen=True, slots=True)
class Widths:
    """How many cells a row must have at least, and how many non-empty ones at most."""

    least: int
    most: int

    def fit(self, width: int) -> bool:
        """Whether rows of a width are right whatever their cells hold."""
        return self.least <= width <= self.most

    def complaint(self, row: Sequence[str]) -> str | None:
        if len(row) < self.least:
            return f"{len(row)} cells, expected {self.least}"
        if len(row) > self.most and any(cell.strip() for cell in row[self.most :]):
            return f"{len(row)} cells, expected {self.most}"
        return None


class NumberedRow(NamedTuple):
    number: int
    cells: list[str]


class RowsBlock:
    """A block of rows from the csv module, a spreadsheet or a fixed-width file."""

    def __init__(self, rows: Sequence[NumberedRow], widths: Widths | None) -> None:
        self._rows = rows
        self._widths = widths
        cells = [len(row.cells) for row in rows]
        self.width = max(cells, default=0)
        self._least_width = min(cells, default=0)

    def __len__(self) -> int:
        return len(self._rows)

    def row_number(self, row: int) -> int:
        return self._rows[row].number

    def blank(self, among: Indices) -> Mask:
        return np.fromiter((is_blank(self._rows[row].cells) for row in among), np.bool_, len(among))

    def ragged(self) -> dict[int, str]:
        if self._widths is None or self._widths.least <= self._least_width <= self.width <= self._widths.most:
            return {}
        complaints = ((i, self._widths.complaint(row.cells)) for i, row in enumerate(self._rows))
        return {i: complaint for i, complaint in complaints if complaint}

    def texts(self, column: int, rows: Indices) -> list[str]:
        column_texts = self._column(column)
        return [column_texts[row] for row in rows.tolist()]

    def all_texts(self, rows: Indices) -> set[str]:
        return {cell for row in rows.tolist() for cell in self._rows[row].cells}

    def distinct(self, column: int) -> tuple[Codes, list[str]]:
        places: dict[str, int] = {}
        codes = [places.setdefault(text, len(places)) for text in self._column(column)]
        return np.array(codes, np.int32), list(places)

    def verdicts(self, column: int, cells: PhoneCells) -> Verdicts:
        codes, texts = self.distinct(column)
        return cells.verdicts(texts)[codes]

    def _column(self, column: int) -> list[str]:
        if column < self._least_width:
            return [row.cells[column] for row in self._rows]
        return [row.cells[column] if column < len(row.cells) else "" for row in self._rows]


def is_blank(row: Sequence[str]) -> bool:
    for cell in row:  # noqa: SIM110  a generator for each row would take twice as long
        if cell and not cell.isspace():
            return False
    return True


class RowSource(Protocol):
    """Rows as lists of cells, numbered as a spreadsheet shows them. A blank line is a row too."""

    number: int
    """Of the row given out last."""
    ends_in_quote: bool
    """The file ended inside a quoted cell of the row given out last."""

    def __iter__(self) -> Iterator[list[str]]: ...

    def __next__(self) -> list[str]: ...

    def skip_blank(self) -> int:
        """Pass over blank rows that come next; return how many. There may be more behind them.

        Raises ``UnusableFile`` (``too_many_rows``).
        """


class FilledRows(Iterator[NumberedRow]):
    """The rows of a source that are not blank. The others are counted and not kept: they may be millions."""

    def __init__(self, source: RowSource) -> None:
        self.blank = 0
        """How many were passed over so far."""
        self._source = source

    def __next__(self) -> NumberedRow:
        for cells in self._source:
            if not is_blank(cells):
                return NumberedRow(self._source.number, cells)
            self.blank += 1 + self._source.skip_blank()
        raise StopIteration


class RowBlocks(Iterator[RowsBlock]):
    """Blocks of all rows that are not blank but the last: how a file ends is judged by that one alone."""

    def __init__(self, source: RowSource, widths: Widths | None, begun: Sequence[NumberedRow] = ()) -> None:
        self.last: NumberedRow | None = None
        """When all blocks have been taken: the last row that is not blank."""
        self._source = source
        self._filled = FilledRows(source)
        self._rows = chain(begun, self._filled)
        self._widths = widths

    @property
    def ends_in_quote(self) -> bool:
        return self._source.ends_in_quote

    @property
    def blank(self) -> int:
        """How many blank rows are in none of the blocks so far."""
        return self._filled.blank

    def __next__(self) -> RowsBlock:
        rows = list(islice(self._all_but_last(), BLOCK_ROWS))
        if not rows:
            raise StopIteration
        return RowsBlock(rows, self._widths)

    def _all_but_last(self) -> Iterator[NumberedRow]:
        for row in self._rows:
            held, self.last = self.last, row
            if held is not None:
                yield held
