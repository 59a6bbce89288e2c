"""A column of cells as the bytes of the text they stand in: a million of them without a million objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from alp_daemon.domain.model import Codes

Positions = NDArray[np.intp]
Words = NDArray[np.uint64]
"""Shape (cells, n): eight bytes to a word, filled up with zeros. No text that is read here holds a NUL."""

LOOKAHEAD: Final = 64
"""Bytes that must follow the beginning of each cell, so that whole words can be read; longer cells are decoded."""

_BYTES_IN_WORD: Final = 8
_FIRST_BYTES: Final = np.array([2 ** (8 * n) - 1 for n in range(_BYTES_IN_WORD + 1)], np.uint64)
_SLOT_BITS: Final = 17
_MIX: Final = 0x9E3779B97F4A7C15  # 2**64 / golden ratio: Knuth's multiplicative hashing
_FOLD: Final = np.uint64(32)


@dataclass(frozen=True, slots=True)
class ByteCells:
    """Cell *n* is ``text[starts[n]:starts[n] + lengths[n]]``; in quoted text a pair of quotes stands for one."""

    text: bytes
    starts: Positions
    lengths: Positions
    quote: int | None

    @classmethod
    def unquoted(cls, text: bytes, starts: Positions, ends: Positions, quote: int | None) -> Self:
        """Cells without the quotes around them."""
        if quote is not None:
            is_quoted = (ends > starts) & (np.frombuffer(text, np.uint8)[starts] == quote)
            starts, ends = starts + is_quoted, ends - is_quoted
        return cls(text, starts, ends - starts, quote)

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
        """The first ``8 * count`` bytes of each cell, at most ``LOOKAHEAD``."""
        size = _BYTES_IN_WORD * count
        windows = np.ndarray(len(self.text) - size + 1, np.dtype((np.void, size)), self.text, strides=(1,))
        words = windows[self.starts].view(np.uint64).reshape(len(self), count)
        for word in range(count):
            words[:, word] &= _FIRST_BYTES[np.clip(self.lengths - _BYTES_IN_WORD * word, 0, _BYTES_IN_WORD)]
        return words

    def distinct(self) -> tuple[Codes, list[str]]:
        """The column as distinct texts, and for each cell the index of its own."""
        longest = int(self.lengths.max(initial=1))
        if longest > LOOKAHEAD:
            places: dict[str, int] = {}
            codes = [places.setdefault(text, len(places)) for text in self.decoded()]
            return np.array(codes, np.int32), list(places)
        found, examples = group(self.words(-(-longest // _BYTES_IN_WORD)))
        return found, self.take(examples).decoded()


def group(words: Words) -> tuple[Codes, Positions]:
    """Return for each row the number of its group of equal rows, and for each group one row of it.

    All rows try for a slot in a hash table. Who finds its equal there is done; the others, whose slot was taken by
    something else, try again with another hash. Each round settles at least one group, and nearly always all.
    """
    codes = np.empty(len(words), np.int32)
    slots = np.empty(2**_SLOT_BITS, np.intp)
    examples: list[Positions] = [np.empty(0, np.intp)]
    groups = 0
    rows, left, seed = np.arange(len(words)), words, _MIX
    while len(rows):
        slot = _hash(left, seed)
        slots[slot] = np.arange(len(rows))
        holder = slots[slot]
        settled = _equal_rows(left, holder)
        holds = np.zeros(len(rows), np.bool_)
        holds[holder[settled]] = True
        numbers = np.cumsum(holds, dtype=np.int32) + np.int32(groups - 1)
        codes[rows[settled]] = numbers[holder[settled]]
        examples.append(rows[holds])
        groups += int(np.count_nonzero(holds))
        rows, left, seed = rows[~settled], left[~settled], seed * _MIX % 2**64
    return codes, np.concatenate(examples)


def _equal_rows(words: Words, others: Positions) -> NDArray[np.bool_]:
    """Whether each row equals the other one named for it."""
    equal = np.ones(len(words), np.bool_)
    for column in range(words.shape[1]):
        values = np.ascontiguousarray(words[:, column])
        equal &= values == values[others]
    return equal


def _hash(words: Words, seed: int) -> Words:
    factor = np.uint64(seed)
    mixed = words[:, 0] * factor
    for column in range(1, words.shape[1]):
        mixed ^= mixed >> _FOLD
        mixed += words[:, column]
        mixed *= factor
    mixed ^= mixed >> _FOLD
    mixed *= np.uint64(_MIX)
    return mixed >> np.uint64(64 - _SLOT_BITS)
