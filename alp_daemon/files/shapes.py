"""Phone numbers out of bytes: cells of one shape, such as ``(000) 000-0000``, have their digits at the same places.

A column has a handful of shapes, so what ``phone.SIMPLE_NANP`` says is asked of one example of each kind, once a
file, and the digits are taken out by column.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from alp_daemon.files.bytecells import ByteCells, Positions
from alp_daemon.files.vocabulary import Vocabulary, Words, group

Bytes = NDArray[np.uint8]
IsSimple = Callable[[str], bool]

_WORDS: Final = 3
_LONGEST: Final = 8 * _WORDS
_CELL: Final = np.dtype((np.void, _LONGEST))
_ZERO: Final = np.uint8(ord("0"))
_MOST_DIGITS: Final = 18  # of an int64

_MOST_SHAPES: Final = 32
FEWEST_CELLS = 16
"""A shape is worth some 20 array operations from so many cells on; rarer ones are read one by one."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Where the digits stand, and which kinds of cells are simple.

    A kind is told by the first digit (0, 1, greater), the second (the same) and the last (0, greater).
    """

    places: Positions
    is_simple: NDArray[np.bool_]

    @classmethod
    def of(cls, zeros: Bytes, is_simple: IsSimple) -> Self:
        """The shape of a cell whose digits are all 0, filled up with NUL; ``is_simple`` is asked of each kind."""
        places = np.flatnonzero(zeros == _ZERO)
        if not 3 <= len(places) <= _MOST_DIGITS:
            return cls(places, np.zeros(0, np.bool_))
        example = zeros.copy()
        example[places] = ord("5")
        simple = []
        for kind in product(b"012", b"012", b"07"):
            example[places[[0, 1, -1]]] = kind
            simple.append(is_simple(bytes(example).rstrip(b"\0").decode()))
        return cls(places, np.array(simple, np.bool_))

    def read(self, cells: Bytes) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        """Return which cells of this shape are simple, and all the digits of those as one integer each."""
        digits = cells[:, self.places] - _ZERO
        first, second, last = (np.minimum(digits[:, place], most) for place, most in ((0, 2), (1, 2), (-1, 1)))
        simple = self.is_simple.take((first * np.uint8(3) + second) * np.uint8(2) + last)
        powers = 10 ** np.arange(len(self.places), dtype=np.int64)[::-1]
        return simple, np.einsum("ij,j->i", digits, powers)[simple]


class Shapes:
    """The shapes that the phone cells of a file were found to have.

    ``is_simple`` must depend on nothing but a cell's shape and kind.
    """

    def __init__(self, is_simple: IsSimple) -> None:
        self._is_simple = is_simple
        self._vocabulary = Vocabulary(_WORDS)
        self._shapes = [Shape.of(np.zeros(_LONGEST, np.uint8), is_simple)]  # of the empty cell

    def digits_of(self, cells: ByteCells) -> tuple[Positions, NDArray[np.int64]]:
        """Return the rows that were found to be simple, in any order, and all the digits of each as one integer.

        Simple cells that are long or of a rare shape are left out.
        """
        fits = np.flatnonzero(cells.lengths <= _LONGEST)
        words = cells.take(fits).words(_WORDS)
        codes = self._codes(_with_zeros(words))
        order = np.argsort(codes, kind="stable")
        by_shape = words.view(_CELL).ravel()[order].view(np.uint8).reshape(-1, _LONGEST)
        counts = np.bincount(codes, minlength=len(self._shapes))
        ends = np.cumsum(counts)
        rows: list[Positions] = [np.empty(0, np.intp)]
        digits: list[NDArray[np.int64]] = [np.empty(0, np.int64)]
        for code in np.argsort(-counts)[:_MOST_SHAPES].tolist():
            shape, part = self._shapes[code], slice(ends[code] - counts[code], ends[code])
            if counts[code] >= FEWEST_CELLS and shape.is_simple.any():
                simple, numbers = shape.read(by_shape[part])
                rows.append(fits[order[part][simple]])
                digits.append(numbers)
        return np.concatenate(rows), np.concatenate(digits)

    def _codes(self, words: Words) -> NDArray[np.uint16]:
        """The code of each cell's shape, or that of the empty cell where the shape is rare."""
        codes, found = self._vocabulary.find(words)
        if not found.all() and self._learn(words[~found]):
            codes, found = self._vocabulary.find(words)
        return (codes * found).astype(np.uint16)

    def _learn(self, words: Words) -> bool:
        """Learn the shapes among these that are not rare; return whether there were any."""
        codes, examples = group(words)
        examples = examples[np.bincount(codes) >= FEWEST_CELLS]
        learned = words[examples[self._vocabulary.learn(words[examples])]]
        self._shapes += [Shape.of(zeros, self._is_simple) for zeros in learned.view(np.uint8)]
        return bool(len(learned))


def _with_zeros(words: Words) -> Words:
    """The cells with all their digits made 0."""
    characters = words.view(np.uint8)
    values = characters - _ZERO
    is_digit = values < 10  # characters below 0 have wrapped around
    zeros: Words = (characters - values * is_digit).view(np.uint64)
    return zeros
