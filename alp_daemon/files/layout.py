"""Proof of where the rows of a delimited text begin and end, and that they are all of one width.

Fast CSV readers fill short rows, cut long ones and take lone quotes each in its own way, all without a word. What is
proven here can be given to any of them, and they agree with the csv module; what is not goes to the csv module.

The proof works on bits, one for each byte of the text, 64 to a word, as simdjson does (Langdale and Lemire, "Parsing
gigabytes of JSON per second", 2019): being inside quotes is a prefix sum, being beside a delimiter is a shift.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from alp_daemon.files.bytecells import ByteCells, Positions
from alp_daemon.files.csvrows import Dialect
from alp_daemon.files.lines import MAX_ROW

Bytes = NDArray[np.uint8]
Bits = NDArray[np.uint64]
"""Bit *n* of the whole stands for byte *n* of a text: the lowest bit of the first word for its first byte."""

_SLICE: Final = 256 * 1024
"""Bytes that are compared at a time, so that the truths about them stay in the processor's cache."""

_LF: Final = ord("\n")
_CR: Final = ord("\r")
_ONE: Final = np.uint64(1)
_TOP: Final = np.uint64(63)
_ALL: Final = np.uint64(2**64 - 1)


@dataclass(frozen=True, slots=True)
class Layout:
    """The whole rows at the beginning of a text: row *n* ends with the line feed at ``row_ends[n]``."""

    text: bytes
    row_ends: Positions
    cell_ends: Positions | None
    """Where the byte behind each cell stands, shape (rows, cells), if each row has as many cells, else ``None``."""
    quote: int | None
    """The quote, where the text holds any."""
    has_returns: bool
    """Whether rows may end with CRLF."""

    def __len__(self) -> int:
        return len(self.row_ends)

    @property
    def width(self) -> int | None:
        """How many cells each row has, or ``None`` where they differ."""
        return None if self.cell_ends is None else self.cell_ends.shape[1]

    def start(self, row: int) -> int:
        """Where a row begins; that of the row behind the last is where the rows end."""
        return int(self.row_ends[row - 1]) + 1 if row else 0

    def lengths(self, rows: Positions) -> Positions:
        """Bytes of some rows, without their ends."""
        starts = np.where(rows > 0, self.row_ends[rows - 1] + 1, 0)
        ends = self.row_ends[rows]
        return (self._without_returns(ends) if self.has_returns else ends) - starts

    def row_at(self, position: int) -> int:
        """The row that holds the byte at a position."""
        return int(np.searchsorted(self.row_ends, position))

    def cells(self, column: int, rows: int) -> ByteCells:
        """One column of the first rows; only where all have the same width."""
        assert self.cell_ends is not None
        starts = self.cell_ends[:rows, column - 1] + 1 if column else self._row_starts(rows)
        ends = self.cell_ends[:rows, column]
        if self.has_returns and column == self.cell_ends.shape[1] - 1:
            ends = self._without_returns(ends)
        return ByteCells.unquoted(self.text, starts, ends, self.quote)

    def _row_starts(self, rows: int) -> Positions:
        starts = np.zeros(rows, np.intp)
        starts[1:] = self.row_ends[: rows - 1] + 1
        return starts

    def _without_returns(self, ends: Positions) -> Positions:
        before = np.frombuffer(self.text, np.uint8)[np.maximum(ends - 1, 0)]
        content_ends: Positions = ends - (before == _CR)
        return content_ends


def prove(text: bytes, dialect: Dialect) -> Layout | None:
    """Return the layout of the whole rows in ``text``, which begins with a row; ``None`` where it is not certain.

    Certain means: the dialect's characters are ASCII, line ends are LF or CRLF, there is no NUL, no row exceeds
    ``MAX_ROW``, and every quote opens a cell at its beginning, closes it at its end, or is one of a pair inside it.
    """
    if b"\0" in text or not (dialect.delimiter + (dialect.quote or "")).isascii():
        return None
    end = text.rfind(b"\n") + 1
    if not end:
        return Layout(text, np.empty(0, np.intp), None, None, False)
    content = np.frombuffer(text, np.uint8)[:end]
    line_feeds = _where(content, _LF)
    has_returns = b"\r" in text
    returns = _where(content, _CR) if has_returns else np.zeros_like(line_feeds)
    if (returns & ~_shifted_down(line_feeds)).any():
        return None  # a CR without LF: the csv module ends a line there too
    separators = _where(content, ord(dialect.delimiter)) | line_feeds
    quote = ord(dialect.quote) if dialect.quote is not None and dialect.quote.encode() in text else None
    if quote is not None:
        quotes = _where(content, quote)
        inside = _prefix_parity(quotes)
        if not _in_place(quotes, inside, separators, returns):
            return None
        separators &= ~inside
        line_feeds &= ~inside
    cell_ends = _in_rows(_positions(separators), content, line_feeds)
    row_ends = _positions(line_feeds) if cell_ends is None else cell_ends[:, -1]
    if len(row_ends) and int(np.diff(row_ends, prepend=-1).max()) > MAX_ROW:
        return None
    return Layout(text, row_ends, cell_ends, quote, has_returns)


def _where(text: Bytes, byte: int) -> Bits:
    bits = np.zeros(-(-len(text) // 64), np.uint64)
    packed = bits.view(np.uint8)
    for start in range(0, len(text), _SLICE):
        part = np.packbits(text[start : start + _SLICE] == byte, bitorder="little")
        packed[start // 8 : start // 8 + len(part)] = part
    return bits


def _shifted_up(bits: Bits) -> Bits:
    """Each bit moved to the next byte's place."""
    moved = bits << _ONE
    moved[1:] |= bits[:-1] >> _TOP
    return moved


def _shifted_down(bits: Bits) -> Bits:
    """Each bit moved to the previous byte's place."""
    moved = bits >> _ONE
    moved[:-1] |= bits[1:] << _TOP
    return moved


def _prefix_parity(bits: Bits) -> Bits:
    """For each place, whether the number of bits up to it (itself included) is odd."""
    parity = bits.copy()
    for distance in (1, 2, 4, 8, 16, 32):
        parity ^= parity << np.uint64(distance)
    odd_words = parity >> _TOP
    odd_before = np.bitwise_xor.accumulate(odd_words) ^ odd_words
    parity ^= odd_before * _ALL
    return parity


def _in_place(quotes: Bits, inside: Bits, separators: Bits, returns: Bits) -> bool:
    """Whether each quote that opens stands behind a separator or (of a pair) a quote, and each that closes before one.

    The text ends with LF, so there is always a byte behind a quote.
    """
    before = _shifted_up(separators | quotes)
    before[0] |= _ONE  # the text begins with a row
    behind = _shifted_down(separators | quotes | returns)
    opening, closing = quotes & inside, quotes & ~inside
    return not ((opening & ~before).any() or (closing & ~behind).any())


def _positions(bits: Bits) -> Positions:
    return np.flatnonzero(np.unpackbits(bits.view(np.uint8), bitorder="little").view(np.bool_))


def _in_rows(cell_ends: Positions, content: Bytes, line_feeds: Bits) -> Positions | None:
    """The ends of the cells row by row, if each row has as many.

    Told without looking at each end: in rows of one width the last ends are as many line feeds as there are at all.
    """
    rows = int(np.bitwise_count(line_feeds).sum())
    if not rows:
        return None
    if content[cell_ends[-1]] != _LF:  # the text ends inside quotes; what stands behind the last whole row is none
        cell_ends = cell_ends[: np.searchsorted(cell_ends, _positions(line_feeds)[-1]) + 1]
    width, surplus = divmod(len(cell_ends), rows)
    if surplus:
        return None
    by_row = cell_ends.reshape(rows, width)
    return by_row if (content[by_row[:, -1]] == _LF).all() else None
