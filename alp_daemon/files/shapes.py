"""Phone numbers out of bytes: cells of one shape, such as ``(000) 000-0000``, have their digits at the same places.

A column has a handful of shapes, so what ``phone.SIMPLE_NANP`` says is asked of one example of each kind, and the
digits are taken out by column.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from alp_daemon.files.bytecells import ByteCells, Positions, group

Bytes = NDArray[np.uint8]

_WORDS: Final = 3
_LONGEST: Final = 8 * _WORDS
_ZERO: Final = ord("0")
_MOST_DIGITS: Final = 18  # of an int64

_MOST_SHAPES: Final = 32
FEWEST_CELLS = 16
"""A shape is worth some 20 array operations from so many cells on; rarer ones are read one by one."""


def digits_of(cells: ByteCells, is_simple: Callable[[str], bool]) -> tuple[Positions, NDArray[np.int64]]:
    """Return the rows that were found to be simple, in any order, and all the digits of each as one integer.

    ``is_simple`` must depend on nothing but the cell's shape, whether its first two digits are 0, 1 or greater, and
    whether its last is 0. Simple cells that are long or of a rare shape are left out.
    """
    fits = np.flatnonzero(cells.lengths <= _LONGEST)
    words = cells.take(fits).words(_WORDS)
    cell_bytes = words.view(np.dtype((np.void, _LONGEST))).ravel()
    characters = words.view(np.uint8).reshape(len(fits), _LONGEST)
    values = characters - np.uint8(_ZERO)
    is_digit = values < 10  # characters below 0 have wrapped around
    codes, examples = group((characters - values * is_digit).view(np.uint64))
    counts = np.bincount(codes, minlength=len(examples))
    rows: list[Positions] = [np.empty(0, np.intp)]
    digits: list[NDArray[np.int64]] = [np.empty(0, np.int64)]
    for shape in np.argsort(-counts)[:_MOST_SHAPES].tolist():
        places = np.flatnonzero(is_digit[examples[shape]])
        if counts[shape] < FEWEST_CELLS or not 3 <= len(places) <= _MOST_DIGITS:
            continue
        alike = np.flatnonzero(codes == shape)
        of_shape = cell_bytes[alike].view(np.uint8).reshape(-1, _LONGEST)
        simple = _are_simple(of_shape, places, is_simple)
        rows.append(fits[alike[simple]])
        digits.append(_number(of_shape[simple], places))
    return np.concatenate(rows), np.concatenate(digits)


def _are_simple(cells: Bytes, places: Positions, is_simple: Callable[[str], bool]) -> NDArray[np.bool_]:
    """Which cells of one shape are simple, by one example of each kind."""
    first, second = (np.minimum(cells[:, place] - np.uint8(_ZERO), 2) for place in places[:2])
    kinds = (first * np.uint8(3) + second) * np.uint8(2) + (cells[:, places[-1]] != _ZERO)
    judged = np.zeros(18, np.bool_)
    for kind in np.flatnonzero(np.bincount(kinds, minlength=18)).tolist():
        example = cells[np.argmax(kinds == kind)]
        judged[kind] = is_simple(bytes(example).rstrip(b"\0").decode())
    simple: NDArray[np.bool_] = judged[kinds]
    return simple


def _number(cells: Bytes, places: Positions) -> NDArray[np.int64]:
    """The digits at some places, read as one integer a row."""
    number = np.zeros(len(cells), np.int64)
    for place in places:
        number *= 10
        number += cells[:, place] - np.uint8(_ZERO)
    return number
