"""What becomes of each row: blank, ragged, filtered, refused, or numbers with tags for the list."""

from __future__ import annotations

from itertools import islice
from typing import Final

import numpy as np

from alp_daemon.domain.model import Buckets, Codes, Keys, Listed, Reject, Rejects
from alp_daemon.domain.tag_sets import TagSets
from alp_daemon.files.blocks import Block, Mask
from alp_daemon.files.fieldmap import FieldMap
from alp_daemon.files.growing import Growing
from alp_daemon.files.judge import Judged
from alp_daemon.files.merge import distinct_pairs, merge
from alp_daemon.files.phonecells import BLANK, PhoneCells, Verdicts

RAGGED_ROW: Final = "ragged_row"
NO_NUMBER: Final = "no_number"

MAX_VALUE: Final = 200
"""Characters of a refused cell that a reject shows: a whole essay in a phone column helps nobody."""


_Refusal = tuple[int, int, Reject]
"""A reject with its row and place in the field map, by which rejects are put in order."""


class Tally:
    """Takes judged blocks in order, and then says what the file as a whole says.

    A row is rejected only if none of its cells is a number; a bad cell beside a good one, and a bad tag, is a reject
    that does not reject the row.
    """

    def __init__(self, field_map: FieldMap, cells: PhoneCells) -> None:
        self.buckets = Buckets()
        self.rejects = Rejects()
        self._map = field_map
        self._cells = cells
        self._sets = TagSets()
        self._constants = self._sets.intern(field_map.constants)
        self._keys = Growing(np.int64)
        self._tag_sets = Growing(np.int32)
        self._begins_row = Growing(np.bool_)
        self._unusable = Growing(np.int64)

    def add(self, judged: Judged) -> None:
        valid = judged.kept & (judged.verdicts > BLANK).any(axis=0)
        self.buckets.read += len(judged.block)
        self.buckets.blank += int(np.count_nonzero(judged.blank))
        self.buckets.filtered += int(np.count_nonzero(judged.filtered))
        self.buckets.rejected += len(judged.ragged) + int(np.count_nonzero(judged.kept & ~valid))

        refusals = self._refused_rows(judged) + self._refused_numbers(judged) + self._refused_tags(judged)
        for *_, reject in sorted(refusals):
            self.rejects.add(reject)
        self._collect(judged.verdicts, valid, self._united(judged))
        self._unusable.extend(judged.unusable)

    def finish(self) -> tuple[Listed, Keys]:
        """Return the addresses of all blocks and those to be opted out, and complete the buckets."""
        merged = merge(self._keys.take(), self._tag_sets.take(), self._begins_row.take(), self._sets)
        self.buckets.listed = merged.rows_listed
        self.buckets.duplicate = merged.rows - merged.rows_listed
        self.buckets.numbers = merged.numbers
        return merged.listed, merged.removed

    def unusable(self) -> Keys:
        """The numbers of all blocks that were refused: the file does name them. For once, like ``finish``."""
        return np.unique(self._unusable.take())

    # Of what one column (or the widths) refuses, no more than there is room for is made: the rest is only counted.
    # A piece of a file may be a million rows, and each a reject.

    def _refused_rows(self, judged: Judged) -> list[_Refusal]:
        room = self.rejects.room
        self.rejects.count(RAGGED_ROW, max(0, len(judged.ragged) - room))
        shown = islice(judged.ragged.items(), room)
        return [_refusal(judged.block, row, 0, "", text, RAGGED_ROW) for row, text in shown]

    def _refused_numbers(self, judged: Judged) -> list[_Refusal]:
        names, kept, room = self._map.phone_names, judged.kept, self.rejects.room
        without = np.flatnonzero(kept & (judged.verdicts == BLANK).all(axis=0))
        self.rejects.count(NO_NUMBER, len(without[room:]))
        all_names = " / ".join(names)
        refusals = [_refusal(judged.block, row, 0, all_names, "", NO_NUMBER) for row in without[:room].tolist()]
        for place, (column, found) in enumerate(zip(self._map.phones, judged.verdicts, strict=True)):
            rows = np.flatnonzero(kept & (found < BLANK))
            for reason, times in self._cells.reasons(found[rows[room:]]).items():
                self.rejects.count(reason, times)
            rows = rows[:room]
            texts = judged.block.texts(column, rows)
            for row, verdict, text in zip(rows.tolist(), found[rows].tolist(), texts, strict=True):
                refusals.append(_refusal(judged.block, row, place, names[place], text, self._cells.reason(verdict)))
        return refusals

    def _refused_tags(self, judged: Judged) -> list[_Refusal]:
        refusals: list[_Refusal] = []
        room = self.rejects.room
        for place, (name, codes, cells) in enumerate(judged.tags, start=len(self._map.phones)):
            has_bad = np.fromiter((bool(cell.bad) for cell in cells), np.bool_, len(cells))
            if not has_bad.any():
                continue
            rows = np.flatnonzero(has_bad[codes] & judged.kept)
            for cell, times in enumerate(np.bincount(codes[rows[room:]]).tolist()):
                for word in cells[cell].bad:
                    self.rejects.count(word.reason, times)
            for row in rows[:room].tolist():
                bad = cells[codes[row]].bad
                refusals += (_refusal(judged.block, row, place, name, word.text, word.reason) for word in bad)
        return refusals

    def _united(self, judged: Judged) -> Codes:
        """Each row's tag set."""
        rows = np.zeros(len(judged.block), np.int32)
        sets = np.array([self._constants], np.int32)
        for _, codes, cells in judged.tags:
            rows, left, right = distinct_pairs(rows, len(sets), codes, len(cells))
            sets = self._sets.union(sets[left], self._sets.ids([cell.tags for cell in cells])[right])
        return sets[rows]

    def _collect(self, verdicts: Verdicts, valid: Mask, tag_sets: Codes) -> None:
        """Keep the numbers of the valid rows, row after row."""
        by_row = verdicts.T[valid]
        is_number = by_row > BLANK
        counts = is_number.sum(axis=1)
        begins_row = np.zeros(int(counts.sum()), np.bool_)
        begins_row[np.cumsum(counts) - counts] = True
        self._keys.extend(by_row[is_number])
        self._tag_sets.extend(np.repeat(tag_sets[valid], counts))
        self._begins_row.extend(begins_row)


def _refusal(block: Block, row: int, place: int, column: str, value: str, reason: str) -> _Refusal:
    shown = value if len(value) <= MAX_VALUE else value[:MAX_VALUE] + "…"
    return row, place, Reject(block.row_number(row), column, shown, reason)
