"""Equal cells found by their bytes: within a block, and again from block to block."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from alp_daemon.domain.model import Codes

Words = NDArray[np.uint64]
"""Shape (cells, n): eight bytes to a word, filled up with zeros. No text that is read here holds a NUL."""

Rows = NDArray[np.intp]

MOST: Final = 4096

_LEAST_BITS: Final = 10
_MOST_BITS: Final = 17
_SLOTS_A_CELL: Final = 32
_MIX: Final = 0x9E3779B97F4A7C15  # 2**64 / golden ratio: Knuth's multiplicative hashing
_FOLD: Final = np.uint64(32)


class Vocabulary:
    """Some of the cells that a column was found to hold, each with a code, so that most others are only looked up.

    A hash table as two arrays: the code at each slot, and the words of each code. A slot keeps the cell that took it
    first. Code 0 is the empty cell, which all free slots name. Cells that found no room are left to ``group``.
    The table grows with what it holds: most files are small, and a process that takes and gives back a large piece for
    each of them ends with holes in its memory.
    """

    def __init__(self, width: int, most: int = MOST) -> None:
        self.width = width
        """Words to a cell."""
        self._most = most
        """Codes, that of the empty cell among them."""
        self._bits = _LEAST_BITS
        self._codes = np.zeros(2**self._bits, np.int32)
        self._words = [np.zeros(most, np.uint64) for _ in range(width)]
        self._size = 1

    def __len__(self) -> int:
        return self._size

    def find(self, words: Words) -> tuple[Codes, NDArray[np.bool_]]:
        """Return a code for each row, and whether it is that row's own."""
        codes = self._codes.take(_slots(words, _MIX, self._bits))
        found = np.ones(len(words), np.bool_)
        for column, known in enumerate(self._words):
            found &= known.take(codes) == words[:, column]
        return codes, found

    def learn(self, words: Words) -> Rows:
        """Give codes to distinct rows that were not found; return those that got one, in the order of their codes."""
        self._make_room(len(words))
        slots, first = np.unique(_slots(words, _MIX, self._bits), return_index=True)
        learned: Rows = first[self._codes[slots] == 0][: self._most - self._size]
        codes = np.arange(self._size, self._size + len(learned), dtype=np.int32)
        for column, known in enumerate(self._words):
            known[codes] = words[learned, column]
        self._size += len(learned)
        self._codes[_slots(words[learned], _MIX, self._bits)] = codes
        return learned

    def _make_room(self, more: int) -> None:
        """No cell loses its slot: two that differ in some bits of a hash differ in more of them."""
        bits = _bits(min(self._size + more, self._most))
        if bits > self._bits:
            self._bits, self._codes = bits, np.zeros(2**bits, np.int32)
            known = np.stack([column[1 : self._size] for column in self._words], axis=1)
            self._codes[_slots(known, _MIX, bits)] = np.arange(1, self._size, dtype=np.int32)


def group(words: Words) -> tuple[Codes, Rows]:
    """Return for each row the number of its group of equal rows, and for each group one row of it.

    All rows try for a slot in a hash table. Who finds its equal there is done; the others, whose slot was taken by
    something else, try again with another hash. Each round settles at least one group, and nearly always all.
    """
    codes = np.empty(len(words), np.int32)
    bits = _bits(len(words))
    holders = np.empty(2**bits, np.intp)
    examples: list[Rows] = [np.empty(0, np.intp)]
    groups = 0
    rows, left, seed = np.arange(len(words)), words, _MIX
    while len(rows):
        slots = _slots(left, seed, bits)
        holders[slots] = np.arange(len(rows))
        holder = holders[slots]
        settled = _equal_rows(left, holder)
        holds = np.zeros(len(rows), np.bool_)
        holds[holder[settled]] = True
        numbers = np.cumsum(holds, dtype=np.int32) + np.int32(groups - 1)
        codes[rows[settled]] = numbers[holder[settled]]
        examples.append(rows[holds])
        groups += int(np.count_nonzero(holds))
        rows, left, seed = rows[~settled], left[~settled], seed * _MIX % 2**64
    return codes, np.concatenate(examples)


def _equal_rows(words: Words, others: Rows) -> NDArray[np.bool_]:
    """Whether each row equals the other one named for it."""
    equal = np.ones(len(words), np.bool_)
    for column in range(words.shape[1]):
        values = np.ascontiguousarray(words[:, column])
        equal &= values == values[others]
    return equal


def _bits(cells: int) -> int:
    """How many bits number slots enough for so many cells."""
    return min(max((cells * _SLOTS_A_CELL).bit_length(), _LEAST_BITS), _MOST_BITS)


def _slots(words: Words, seed: int, bits: int) -> Rows:
    """A slot for each row by its hash."""
    factor = np.uint64(seed)
    mixed = words[:, 0] * factor
    for column in range(1, words.shape[1]):
        mixed ^= mixed >> _FOLD
        mixed += words[:, column]
        mixed *= factor
    mixed ^= mixed >> _FOLD
    mixed *= np.uint64(_MIX)
    mixed >>= np.uint64(64 - bits)
    return mixed.view(np.intp)
