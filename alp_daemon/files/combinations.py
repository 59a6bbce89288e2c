"""From the tag cells of each row to one tag set: the union of what they say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from alp_daemon.domain.model import Codes, Tags
from alp_daemon.domain.tag_sets import TagSets
from alp_daemon.files.judge import TagCells
from alp_daemon.files.merge import distinct_pairs

_FEW_COLUMNS: Final = 4

_SET_WEIGHT: Final = 25
"""Tags of which the references take as much memory as all the rest of a set."""


class Combinations:
    """The tag sets of rows, each made once for all rows whose cells say the same."""

    def __init__(self, constants: Tags) -> None:
        self.sets = TagSets()
        self.weight = 0
        """What all sets so far take: their tags, and ``_SET_WEIGHT`` for each."""
        self._constants = self.sets.intern(constants)
        self._known: dict[bytes, int] = {}
        """The union of several sets, by their ids. A big file has the same ones in each piece."""

    def of_rows(self, rows: int, columns: Sequence[TagCells]) -> Codes:
        """The tag set of each row.

        Column by column is quickest, and a set for each step on the way costs little in narrow rows; in one of 900
        tags those would hold 400,000.
        """
        sets = self._by_columns(rows, columns) if len(columns) <= _FEW_COLUMNS else self._by_rows(rows, columns)
        self.weight += sum(len(tags) + _SET_WEIGHT for _, tags in self.sets.take_new())
        return sets

    def _by_columns(self, rows: int, columns: Sequence[TagCells]) -> Codes:
        own = np.zeros(rows, np.int32)
        sets = np.array([self._constants], np.int32)
        for column in columns:
            own, left, right = distinct_pairs(own, len(sets), column.codes, len(column.cells))
            sets = self.sets.union(sets[left], self._cell_sets(column)[right])
        return sets[own]

    def _by_rows(self, rows: int, columns: Sequence[TagCells]) -> Codes:
        own = np.zeros(rows, np.int32)
        count = 1
        for column in columns:
            own, left, _ = distinct_pairs(own, count, column.codes, len(column.cells))
            count = len(left)
        example = np.empty(count, np.intp)
        example[own] = np.arange(rows)
        by_column = [self._cell_sets(column)[column.codes[example]] for column in columns]
        combinations = _as_bytes(np.stack([np.full(count, self._constants, np.int32), *by_column], axis=1))
        for combination in combinations:
            if combination not in self._known:
                self._known[combination] = self.sets.union_of(memoryview(combination).cast("i"))
        sets: Codes = np.fromiter(map(self._known.__getitem__, combinations), np.int32, count)[own]
        return sets

    def _cell_sets(self, column: TagCells) -> Codes:
        return self.sets.ids([cell.tags for cell in column.cells])


def _as_bytes(rows: Codes) -> list[bytes]:
    """Each row of a matrix."""
    whole: list[bytes] = rows.view(f"V{rows.itemsize * rows.shape[1]}").ravel().tolist()
    return whole
