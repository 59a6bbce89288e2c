"""The rows of a list as columns, and as bytes.

Packed, a column is its lowest value, the width of what follows, and how far each value lies above the lowest.
Neighbouring phone numbers differ in four bytes, and a column of one value, as most are, takes no bytes at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from struct import Struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alp_daemon.domain.model import ListState

Columns = Sequence[NDArray[Any]]

_HEAD = Struct("<qB")
_WIDTHS = (0, 1, 2, 4, 8)


def columns(rows: ListState) -> Columns:
    return rows.keys, rows.status, rows.tag_set, rows.attrs, rows.feeds


_DTYPES = tuple(column.dtype for column in columns(ListState.empty()))


def joined(version: int, parts: Iterable[Columns], at_most: int) -> ListState:
    """The parts one after the other, ``at_most`` rows together. No part is kept: a big list is in memory once."""
    whole = [np.empty(at_most, dtype) for dtype in _DTYPES]
    length = 0
    for part in parts:
        start, length = length, length + len(part[0])
        for column, values in zip(whole, part, strict=True):
            column[start:length] = values
    return ListState(version, *(column[:length] for column in whole))


def taken(rows: ListState, where: slice | NDArray[np.bool_]) -> ListState:
    return ListState(rows.version, *(column[where] for column in columns(rows)))


def packed(rows: ListState) -> bytes:
    """At least one row. What ``unpacked`` needs beside the bytes is how many."""
    parts = []
    for column in columns(rows):
        low, high = int(column.min()), int(column.max())
        width = next(width for width in _WIDTHS if high - low < 256**width)
        parts.append(_HEAD.pack(low, width))
        if width:
            parts.append((column.astype(np.int64) - low).astype(f"<u{width}").tobytes())
    return b"".join(parts)


def unpacked(version: int, data: bytes, length: int) -> ListState:
    found = []
    at = 0
    for dtype in _DTYPES:
        low, width = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        if width:
            column = np.frombuffer(data, f"<u{width}", length, at).astype(dtype)
            column += dtype.type(low)
        else:
            column = np.full(length, low, dtype)
        found.append(column)
        at += length * width
    return ListState(version, *found)
