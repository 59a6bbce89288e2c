"""A block of rows that stays bytes, where their layout is proven."""

from __future__ import annotations

import numpy as np

from alp_daemon.domain.model import Codes
from alp_daemon.files.blocks import Indices, Mask, is_blank
from alp_daemon.files.bytecells import ByteCells
from alp_daemon.files.csvrows import CsvRows, Dialect
from alp_daemon.files.knowntexts import KnownColumns
from alp_daemon.files.layout import Layout
from alp_daemon.files.phonecells import PhoneCells, Verdicts


class ByteBlock:
    """The first ``rows`` rows of a text whose rows all have the same width."""

    def __init__(self, layout: Layout, rows: int, first_number: int, dialect: Dialect, known: KnownColumns) -> None:
        assert layout.width is not None
        self.width = layout.width
        self._layout = layout
        self._rows = rows
        self._first_number = first_number
        self._dialect = dialect
        self._known = known
        self._columns: dict[int, ByteCells] = {}

    def __len__(self) -> int:
        return self._rows

    def row_number(self, row: int) -> int:
        return self._first_number + row

    def blank(self, among: Indices) -> Mask:
        blank: Mask = self._layout.lengths(among) == self.width - 1  # delimiters, and nothing between them
        left = np.flatnonzero(~blank)
        blank[left] = [self._is_blank(row) for row in among[left].tolist()]
        return blank

    def ragged(self) -> dict[int, str]:
        return {}

    def texts(self, column: int, rows: Indices) -> list[str]:
        return self._cells(column).take(rows).decoded()

    def all_texts(self, rows: Indices) -> set[str]:
        return {text for column in range(self.width) for text in self.texts(column, rows)}

    def distinct(self, column: int) -> tuple[Codes, list[str]]:
        return self._known[column].distinct(self._cells(column))

    def verdicts(self, column: int, cells: PhoneCells) -> Verdicts:
        column_cells = self._cells(column)
        verdicts = np.empty(len(column_cells), np.int64)
        left = np.ones(len(column_cells), np.bool_)
        if cells.table_pays(len(column_cells)):
            rows, digits = cells.shapes.digits_of(column_cells)
            verdicts[rows] = cells.of_simple(digits)
            left[rows] = False
        codes, texts = self._known[column].distinct(column_cells.take(np.flatnonzero(left)))
        verdicts[left] = cells.verdicts(texts)[codes]
        return verdicts

    def _cells(self, column: int) -> ByteCells:
        if column not in self._columns:
            self._columns[column] = self._layout.cells(column, self._rows)
        return self._columns[column]

    def _is_blank(self, row: int) -> bool:
        """Whether a row is blank, mostly without taking it apart: what is neither delimiter nor quote is in a cell."""
        line = self._layout.text[self._layout.start(row) : self._layout.start(row + 1)]
        content = line.decode().replace(self._dialect.delimiter, "").replace(self._dialect.quote or "\n", "")
        return not content.strip() and is_blank(next(CsvRows(iter([line]), self._dialect, "")))
