"""What a block of rows refuses, as rejects: the first ones whole, the others only counted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from alp_daemon.domain.model import Reject, Rejects
from alp_daemon.files.blocks import Block, Mask
from alp_daemon.files.fieldmap import FieldMap
from alp_daemon.files.judge import Judged, TagCells
from alp_daemon.files.phonecells import BLANK, PhoneCells

RAGGED_ROW: Final = "ragged_row"
NO_NUMBER: Final = "no_number"

MAX_VALUE: Final = 200
"""Characters of a refused cell that a reject shows: a whole essay in a phone column helps nobody."""

Refusal = tuple[int, int, Reject]
"""A reject with its row and place in the field map, by which rejects are put in order."""


class Refusals:
    """All that one block refuses.

    A piece of a file may be a million rows of many columns, and each cell a reject. Only the rows that it takes to
    fill the room in ``rejects`` are made into some, whatever the number of columns.
    """

    def __init__(self, judged: Judged, field_map: FieldMap, cells: PhoneCells) -> None:
        self._judged = judged
        self._map = field_map
        self._cells = cells
        self._numberless: Mask = judged.kept & (judged.verdicts == BLANK).all(axis=0)
        self._bad_tags = [
            (place, column, bad)
            for place, column in enumerate(judged.tags, start=len(field_map.phones))
            if (bad := _bad_words(column)).any()
        ]

    def add_to(self, rejects: Rejects) -> None:
        whole = self._whole_rows(rejects.room)
        for *_, reject in sorted([*self._rows(whole), *self._numbers(whole), *self._tags(whole)]):
            rejects.add(reject)
        self._count_rows(whole, rejects)
        self._count_numbers(whole, rejects)
        self._count_tags(whole, rejects)

    def _whole_rows(self, room: int) -> int:
        """How many rows from the first on hold as many refusals as there is room for."""
        judged = self._judged
        times = (judged.verdicts < BLANK).sum(axis=0, dtype=np.int64)
        times += self._numberless
        for _, column, bad in self._bad_tags:
            times += bad[column.codes]
        times[~judged.kept] = 0
        times[list(judged.ragged)] = 1
        return int(np.searchsorted(np.cumsum(times), room)) + 1 if room else 0

    def _rows(self, whole: int) -> Iterator[Refusal]:
        for row, complaint in self._judged.ragged.items():
            if row < whole:
                yield refusal(self._judged.block, row, 0, "", complaint, RAGGED_ROW)

    def _count_rows(self, whole: int, rejects: Rejects) -> None:
        rejects.count(RAGGED_ROW, sum(row >= whole for row in self._judged.ragged))

    def _numbers(self, whole: int) -> Iterator[Refusal]:
        block, names = self._judged.block, self._map.phone_names
        all_names = " / ".join(names)
        for row in np.flatnonzero(self._numberless[:whole]).tolist():
            yield refusal(block, row, 0, all_names, "", NO_NUMBER)
        kept = self._judged.kept[:whole]
        for place, (column, found) in enumerate(zip(self._map.phones, self._judged.verdicts, strict=True)):
            rows = np.flatnonzero(kept & (found[:whole] < BLANK))
            texts = block.texts(column, rows)
            for row, verdict, text in zip(rows.tolist(), found[rows].tolist(), texts, strict=True):
                yield refusal(block, row, place, names[place], text, self._cells.reason(verdict))

    def _count_numbers(self, whole: int, rejects: Rejects) -> None:
        rejects.count(NO_NUMBER, int(np.count_nonzero(self._numberless[whole:])))
        left = self._judged.verdicts[:, whole:][:, self._judged.kept[whole:]]
        for reason, times in self._cells.reasons(left[left < BLANK]).items():
            rejects.count(reason, times)

    def _tags(self, whole: int) -> Iterator[Refusal]:
        kept = self._judged.kept[:whole]
        for place, column, bad in self._bad_tags:
            for row in np.flatnonzero(kept & (bad[column.codes[:whole]] > 0)).tolist():
                for word in column.cells[column.codes[row]].bad:
                    yield refusal(self._judged.block, row, place, column.name, word.text, word.reason)

    def _count_tags(self, whole: int, rejects: Rejects) -> None:
        kept = self._judged.kept[whole:]
        for _, column, bad in self._bad_tags:
            times = np.bincount(column.codes[whole:][kept], minlength=len(bad))
            for cell in np.flatnonzero(times * bad).tolist():
                for word in column.cells[cell].bad:
                    rejects.count(word.reason, int(times[cell]))


def _bad_words(column: TagCells) -> NDArray[np.int64]:
    """How many words in each of a column's distinct cells are no tag."""
    return np.fromiter((len(cell.bad) for cell in column.cells), np.int64, len(column.cells))


def refusal(block: Block, row: int, place: int, column: str, value: str, reason: str) -> Refusal:
    """A refused cell of a block's row, cut to what helps; ``place`` puts the refusals of one row in order."""
    shown = value if len(value) <= MAX_VALUE else value[:MAX_VALUE] + "…"
    return row, place, Reject(block.row_number(row), column, shown, reason)
