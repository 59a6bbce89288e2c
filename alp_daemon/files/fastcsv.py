"""Big CSV files as arrays of bytes, with the same result as by the csv module to the last row number.

The file is taken in pieces. Of each, ``layout`` proves where its rows are; rows of one width stay bytes, others go
through the csv module; where nothing can be proven, the csv module takes the rest of the file. The proof of a piece
is made while the rows of the one before it are looked at.
"""

from __future__ import annotations

import string
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Final, NamedTuple

from alp_daemon.files.ahead import ahead
from alp_daemon.files.blocks import BLOCK_ROWS, Block, FilledRows, NumberedRow, RowBlocks, RowsBlock, Widths, is_blank
from alp_daemon.files.byteblock import ByteBlock
from alp_daemon.files.bytecells import LOOKAHEAD
from alp_daemon.files.csvrows import CsvRows
from alp_daemon.files.knowntexts import KnownColumns
from alp_daemon.files.layout import Layout, prove
from alp_daemon.files.lines import MAX_ROW

PAYS_FROM = 128 * 1024
"""Bytes from which the proof is worth its cost: some 1,000 rows."""

_END: Final = 64 * 2**10
"""Bytes at the end of a piece in which its last row that is not blank must begin."""


class _Piece(NamedTuple):
    layout: Layout
    rows: int
    """How many of its rows are certain not to be the file's last."""
    number: int
    """Of the row before its first."""


class FastBlocks(Iterator[Block]):
    """``RowBlocks`` of a CSV file, only faster: all rows but the last one that is not blank."""

    def __init__(
        self,
        source: CsvRows,
        widths: Widths | None,
        begun: Sequence[NumberedRow],
    ) -> None:
        self._source = source
        self._dialect = source.dialect
        self._blank_bytes = (string.whitespace + source.dialect.delimiter + (source.dialect.quote or "")).encode()
        self._widths = widths
        self._begun = begun
        self._known = KnownColumns()
        self._blank = 0
        self._tail: RowBlocks | None = None
        self._blocks = self._read()

    def __next__(self) -> Block:
        return next(self._blocks)

    @property
    def last(self) -> NumberedRow | None:
        """When all blocks have been taken: the last row that is not blank."""
        return self._tail.last if self._tail else None

    @property
    def blank(self) -> int:
        """When all blocks have been taken: how many blank rows are in none of them."""
        return self._blank + (self._tail.blank if self._tail else 0)

    @property
    def ends_in_quote(self) -> bool:
        return self._tail is not None and self._tail.ends_in_quote

    def _read(self) -> Iterator[Block]:
        begun: Sequence[NumberedRow] = self._begun
        for piece in ahead(self._proven()):
            if begun:
                yield RowsBlock(begun, self._widths)
                begun = ()
            yield from self._of_piece(piece)
        assert self._tail is not None, "set when there is no further piece"
        yield from self._tail

    def _proven(self) -> Iterator[_Piece]:
        """The pieces whose rows are certain; then ``_tail`` is what is left of the file.

        What is not yet given out always begins with a row and holds one that is not blank: the last may be it.
        """
        pieces = self._source.rest()
        number, rest, begun = self._source.number, b"", self._begun
        for piece in pieces:
            rest += piece
            if len(rest) < PAYS_FROM:
                continue
            layout = prove(rest, self._dialect)
            rows = self._rows_before_the_last(layout) if layout else None
            if layout is None or rows is None:
                break
            if rows:
                yield _Piece(layout, rows, number)
                rest, number, begun = rest[layout.start(rows) :], number + rows, ()
        tail = CsvRows(chain([rest], pieces), self._dialect, self._source.name, rows_before=number)
        self._tail = RowBlocks(tail, self._widths, begun)

    def _rows_before_the_last(self, layout: Layout) -> int | None:
        """How many rows stand before the last one that is not blank; ``None`` where that is not certain."""
        rows_end = layout.start(len(layout))
        if len(layout.text) - rows_end > MAX_ROW:
            return None
        end = max(0, min(rows_end, len(layout.text) - LOOKAHEAD))
        begin = max(0, end - _END)
        content = layout.text[begin:end].rstrip(self._blank_bytes)
        if not content:
            return None
        row = layout.row_at(begin + len(content) - 1)
        line = layout.text[layout.start(row) : layout.start(row + 1)]
        return None if is_blank(next(CsvRows(iter([line]), self._dialect, self._source.name))) else row

    def _of_piece(self, piece: _Piece) -> Iterator[Block]:
        """The rows of a piece, as bytes if they are as wide as they must be."""
        layout, rows, number = piece
        if layout.width is not None and (self._widths is None or self._widths.fit(layout.width)):
            yield ByteBlock(layout, rows, number + 1, self._dialect, self._known)
            return
        text = layout.text[: layout.start(rows)]
        by_csv = CsvRows(iter([text]), self._dialect, self._source.name, rows_before=number)
        filled = FilledRows(by_csv)
        numbered = list(filled)
        self._blank += filled.blank
        for start in range(0, len(numbered), BLOCK_ROWS):
            yield RowsBlock(numbered[start : start + BLOCK_ROWS], self._widths)
