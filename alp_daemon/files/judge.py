"""What each row of a block is, taken by itself: blank, ragged, filtered, or a row with verdicts and tags."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np

from alp_daemon.domain.model import Codes, Keys
from alp_daemon.files.blocks import Block, Mask
from alp_daemon.files.fieldmap import FieldMap, TagColumn
from alp_daemon.files.phonecells import BLANK, PhoneCells, Verdicts
from alp_daemon.files.tagrule import CellTags

_MOST_REMEMBERED: Final = 4096


class TagCells(NamedTuple):
    """A tag column: what its distinct cells say, and for each row which of them it has."""

    name: str
    codes: Codes
    cells: Sequence[CellTags]


@dataclass(frozen=True, slots=True)
class Judged:
    """A block of rows with what each of them is."""

    block: Block
    verdicts: Verdicts
    """Shape (phone columns, rows)."""
    blank: Mask
    ragged: dict[int, str]
    """The rows that are, and how many cells they have."""
    unusable: Keys
    """Numbers in ragged rows, whichever cell holds them, and those that refused cells of kept rows mean."""
    filtered: Mask
    kept: Mask
    """The rows that are none of these."""
    tags: Sequence[TagCells]


class Judge:
    """Judges block after block by a file's field map. All that is long in reading a big file is done here."""

    def __init__(self, field_map: FieldMap, cells: PhoneCells) -> None:
        self._map = field_map
        self._cells = cells
        self._remembered: dict[int, Callable[[str], CellTags]] = {}

    def judge(self, block: Block) -> Judged:
        verdicts = np.stack([self._verdicts(block, column) for column in self._map.phones])
        blank = _blank(block, (verdicts == BLANK).all(axis=0))
        ragged = {row: complaint for row, complaint in block.ragged().items() if not blank[row]}
        looked_at = ~blank
        looked_at[list(ragged)] = False
        kept = looked_at & self._passes(block)
        unusable = np.concatenate((self._in_rows(block, list(ragged)), self._cells.meant(verdicts[:, kept])))
        columns = enumerate(self._map.tag_columns(block.width))
        tags = [self._tag_cells(block, place, column) for place, column in columns]
        return Judged(block, verdicts, blank, ragged, unusable, looked_at & ~kept, kept, tags)

    def _verdicts(self, block: Block, column: int) -> Verdicts:
        return self._cells.without_landlines(block.verdicts(column, self._cells))

    def _in_rows(self, block: Block, rows: Sequence[int]) -> Keys:
        """The numbers in all cells of ragged rows: a delimiter too many has moved what stands behind it."""
        if not rows:
            return np.empty(0, np.int64)
        at = np.array(rows, np.intp)
        return self._cells.numbers_in({text for column in range(block.width) for text in block.texts(column, at)})

    def _passes(self, block: Block) -> Mask:
        passes = np.ones(len(block), np.bool_)
        for rule in self._map.filters:
            codes, texts = block.distinct(rule.index)
            passes &= np.fromiter(map(rule.keeps, texts), np.bool_, len(texts))[codes]
        return passes

    def _tag_cells(self, block: Block, place: int, column: TagColumn) -> TagCells:
        """Every block of a file has much the same cells, so what they say is remembered."""
        if place not in self._remembered:
            self._remembered[place] = lru_cache(_MOST_REMEMBERED)(column.rule.apply)
        codes, texts = block.distinct(column.index)
        return TagCells(column.name, codes, [*map(self._remembered[place], texts)])


def _blank(block: Block, numberless: Mask) -> Mask:
    blank = np.zeros(len(block), np.bool_)
    candidates = np.flatnonzero(numberless)
    blank[candidates] = block.blank(candidates)
    return blank
