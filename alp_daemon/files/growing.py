"""A column that grows block by block."""

from __future__ import annotations

from typing import Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

Kind = TypeVar("Kind", bound=np.generic)

_FIRST_SIZE: Final = 2**10
_GROWTH: Final = 1.125


class Growing(Generic[Kind]):
    """One array for the parts of a column.

    The parts side by side would have to be joined in the end, in twice the memory, and leave holes behind that the
    system does not get back. A large array that grows is moved by the system without being copied; what it has too
    much is its only cost.
    """

    def __init__(self, kind: type[Kind]) -> None:
        self._array: NDArray[Kind] = np.empty(_FIRST_SIZE, kind)
        self._size = 0

    def extend(self, part: NDArray[Kind]) -> None:
        size = self._size + len(part)
        if size > len(self._array):
            self._array.resize(max(size, int(len(self._array) * _GROWTH)), refcheck=False)
        self._array[self._size : size] = part
        self._size = size

    def take(self) -> NDArray[Kind]:
        """The whole column, which is let go here: it is nearly all the memory that a file takes."""
        column = self._array
        self._array, size, self._size = np.empty(0, column.dtype), self._size, 0
        column.resize(size, refcheck=False)
        return column
