"""What becomes of each row: blank, ragged, filtered, refused, or numbers with tags for the list."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from alp_daemon.domain.model import Buckets, Codes, Keys, Listed, Reject, Rejects
from alp_daemon.domain.tag_sets import TagSets
from alp_daemon.files.blocks import Block, Mask
from alp_daemon.files.fieldmap import FieldMap
from alp_daemon.files.merge import distinct_pairs, merge
from alp_daemon.files.phonecells import BLANK, PhoneCells, Verdicts

RAGGED_ROW: Final = "ragged_row"
NO_NUMBER: Final = "no_number"

MAX_VALUE: Final = 200
"""Characters of a refused cell that a reject shows: a whole essay in a phone column helps nobody."""


_Refusal = tuple[int, int, Reject]
"""A reject with its row and place in the field map, by which rejects are put in order."""


class Tally:
    """Takes blocks of rows in order, and then says what the file as a whole says.

    Each row goes the same way: blank → ragged → filtered → numbers. A row is rejected only if none of its cells is a
    number; a bad cell beside a good one, and a bad tag, is a reject that does not reject the row.
    """

    def __init__(self, field_map: FieldMap, cells: PhoneCells) -> None:
        self.buckets = Buckets()
        self.rejects = Rejects()
        self._map = field_map
        self._cells = cells
        self._sets = TagSets()
        self._constants = self._sets.intern(field_map.constants)
        self._keys: list[Keys] = []
        self._tag_sets: list[Codes] = []
        self._begins_row: list[NDArray[np.bool_]] = []

    def add(self, block: Block) -> None:
        verdicts = np.stack([self._verdicts(block, column) for column in self._map.phones])
        numberless = (verdicts == BLANK).all(axis=0)
        blank = _blank(block, numberless)
        ragged = {row: complaint for row, complaint in block.ragged().items() if not blank[row]}
        looked_at = ~blank
        looked_at[list(ragged)] = False
        kept = looked_at & self._kept(block)
        valid = kept & (verdicts > BLANK).any(axis=0)

        self.buckets.read += len(block)
        self.buckets.blank += int(np.count_nonzero(blank))
        self.buckets.filtered += int(np.count_nonzero(looked_at & ~kept))
        self.buckets.rejected += len(ragged) + int(np.count_nonzero(kept & ~valid))

        refusals = [_refusal(block, row, 0, "", complaint, RAGGED_ROW) for row, complaint in ragged.items()]
        refusals += self._refused_numbers(block, verdicts, kept)
        tag_sets, refused_tags = self._tags(block, kept)
        for *_, reject in sorted(refusals + refused_tags):
            self.rejects.add(reject)
        self._collect(verdicts, valid, tag_sets)

    def finish(self) -> tuple[Listed, Keys]:
        """Return the addresses of all blocks and those to be opted out, and complete the buckets."""
        keys = _joined(self._keys, np.dtype(np.int64))
        sets = _joined(self._tag_sets, np.dtype(np.int32))
        begins_row = _joined(self._begins_row, np.dtype(np.bool_))
        merged = merge(keys, sets, begins_row, self._sets)
        self.buckets.listed = merged.rows_listed
        self.buckets.duplicate = int(np.count_nonzero(begins_row)) - merged.rows_listed
        self.buckets.numbers = merged.numbers
        return merged.listed, merged.removed

    def _verdicts(self, block: Block, column: int) -> Verdicts:
        return self._cells.without_landlines(block.verdicts(column, self._cells))

    def _kept(self, block: Block) -> Mask:
        kept = np.ones(len(block), np.bool_)
        for rule in self._map.filters:
            codes, texts = block.distinct(rule.index)
            kept &= np.fromiter(map(rule.keeps, texts), np.bool_, len(texts))[codes]
        return kept

    def _tags(self, block: Block, kept: Mask) -> tuple[Codes, list[_Refusal]]:
        """Each row's tag set, and what is no tag. A rule is asked once for each distinct cell."""
        rows = np.zeros(len(block), np.int32)
        sets = np.array([self._constants], np.int32)
        refusals: list[_Refusal] = []
        for place, column in enumerate(self._map.tag_columns(block.width), start=len(self._map.phones)):
            codes, texts = block.distinct(column.index)
            found = list(map(column.rule.apply, texts))
            rows, left, right = distinct_pairs(rows, len(sets), codes, len(texts))
            sets = self._sets.union(sets[left], self._sets.ids([cell.tags for cell in found])[right])
            has_bad = np.fromiter((bool(cell.bad) for cell in found), np.bool_, len(found))
            for row in np.flatnonzero(has_bad[codes] & kept).tolist():
                refusals += (
                    _refusal(block, row, place, column.name, word.text, word.reason) for word in found[codes[row]].bad
                )
        return sets[rows], refusals

    def _refused_numbers(self, block: Block, verdicts: NDArray[np.int64], kept: Mask) -> list[_Refusal]:
        names = self._map.phone_names
        without = np.flatnonzero(kept & (verdicts == BLANK).all(axis=0)).tolist()
        refusals = [_refusal(block, row, 0, " / ".join(names), "", NO_NUMBER) for row in without]
        for place, (column, found) in enumerate(zip(self._map.phones, verdicts, strict=True)):
            rows = np.flatnonzero(kept & (found < BLANK))
            for row, verdict, text in zip(rows.tolist(), found[rows].tolist(), block.texts(column, rows), strict=True):
                refusals.append(_refusal(block, row, place, names[place], text, self._cells.reason(verdict)))
        return refusals

    def _collect(self, verdicts: NDArray[np.int64], valid: Mask, tag_sets: Codes) -> None:
        """Keep the numbers of the valid rows, row after row."""
        by_row = verdicts.T[valid]
        is_number = by_row > BLANK
        self._keys.append(by_row[is_number])
        counts = is_number.sum(axis=1)
        self._tag_sets.append(np.repeat(tag_sets[valid], counts))
        begins_row = np.zeros(len(self._keys[-1]), np.bool_)
        begins_row[np.cumsum(counts) - counts] = True
        self._begins_row.append(begins_row)


def _joined(parts: list[NDArray[Any]], kind: np.dtype[Any]) -> NDArray[Any]:
    """The parts as one array; they are let go at once, because they are nearly all the memory that a file takes."""
    joined = np.concatenate([np.empty(0, kind), *parts])
    parts.clear()
    return joined


def _refusal(block: Block, row: int, place: int, column: str, value: str, reason: str) -> _Refusal:
    shown = value if len(value) <= MAX_VALUE else value[:MAX_VALUE] + "…"
    return row, place, Reject(block.row_number(row), column, shown, reason)


def _blank(block: Block, numberless: Mask) -> Mask:
    blank = np.zeros(len(block), np.bool_)
    candidates = np.flatnonzero(numberless)
    blank[candidates] = block.blank(candidates)
    return blank
