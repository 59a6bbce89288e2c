"""A column of cells as the bytes of the text they stand in: a million of them without a million objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from alp_daemon.files.vocabulary import Words

Positions = NDArray[np.intp]

LOOKAHEAD: Final = 64
"""Bytes that must follow the beginning of each cell, so that whole words can be read; longer cells are decoded."""

BYTES_IN_WORD: Final = 8


def _first_bytes(word: int) -> NDArray[np.uint64]:
    """Masks that keep what belongs to a cell of each length in one word of it."""
    kept = (min(max(length - BYTES_IN_WORD * word, 0), BYTES_IN_WORD) for length in range(LOOKAHEAD + 1))
    return np.array([2 ** (8 * n) - 1 for n in kept], np.uint64)


_FIRST_BYTES: Final = [_first_bytes(word) for word in range(LOOKAHEAD // BYTES_IN_WORD)]


@dataclass(frozen=True, slots=True)
class ByteCells:
    """Cell *n* is ``text[starts[n]:starts[n] + lengths[n]]``; in quoted text a pair of quotes stands for one."""

    text: bytes
    starts: Positions
    lengths: Positions
    quote: int | None

    @classmethod
    def unquoted(cls, text: bytes, starts: Positions, ends: Positions, quote: int | None) -> Self:
        """Cells without the quotes around them. Behind an empty cell stands what separates it, which is no quote."""
        lengths = ends - starts
        if quote is not None:
            is_quoted = np.frombuffer(text, np.uint8).take(starts) == quote
            if is_quoted.any():
                starts = starts + is_quoted
                lengths -= 2 * is_quoted
        return cls(text, starts, lengths, quote)

    def __len__(self) -> int:
        return len(self.starts)

    def take(self, rows: Positions) -> ByteCells:
        return ByteCells(self.text, self.starts[rows], self.lengths[rows], self.quote)

    def decoded(self) -> list[str]:
        """The cells as the csv module gives them."""
        ends = self.starts + self.lengths
        texts = [self.text[start:end].decode() for start, end in zip(self.starts.tolist(), ends.tolist(), strict=True)]
        if self.quote is None:
            return texts
        quote = chr(self.quote)
        return [text.replace(quote * 2, quote) for text in texts]

    def words(self, count: int) -> Words:
        """The first ``8 * count`` bytes of each cell, at most ``LOOKAHEAD``; no cell may be longer than that."""
        size = BYTES_IN_WORD * count
        windows = np.ndarray(len(self.text) - size + 1, np.dtype((np.void, size)), self.text, strides=(1,))
        words = windows[self.starts].view(np.uint64).reshape(len(self), count)
        for word in range(count):
            words[:, word] &= _FIRST_BYTES[word].take(self.lengths)
        return words
