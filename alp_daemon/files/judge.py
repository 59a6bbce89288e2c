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
"""Cells of one tag rule."""

_MOST_REMEMBERED_OF_ALL: Final = 2**17
"""The same where all columns share one rule: more than a preformatted file may have different ones."""

_LONGEST_REMEMBERED: Final = 300


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
        unusable = np.concatenate((self._in_rows(block, list(ragged), verdicts), self._cells.meant(verdicts[:, kept])))
        tags = [self._tag_cells(block, column) for column in self._map.tag_columns(block.width)]
        return Judged(block, verdicts, blank, ragged, unusable, looked_at & ~kept, kept, tags)

    def _verdicts(self, block: Block, column: int) -> Verdicts:
        return self._cells.without_landlines(block.verdicts(column, self._cells))

    def _in_rows(self, block: Block, rows: Sequence[int], verdicts: Verdicts) -> Keys:
        """The numbers in all cells of ragged rows: a delimiter too many has moved what stands behind it."""
        if not rows:
            return np.empty(0, np.int64)
        at = np.array(rows, np.intp)
        judged = {text for column in self._map.phones for text in block.texts(column, at)}
        elsewhere = self._cells.named_in(block.all_texts(at), judged)
        return np.concatenate((self._cells.named(verdicts[:, at]), elsewhere))

    def _passes(self, block: Block) -> Mask:
        passes = np.ones(len(block), np.bool_)
        for rule in self._map.filters:
            codes, texts = block.distinct(rule.index)
            passes &= np.fromiter(map(rule.keeps, texts), np.bool_, len(texts))[codes]
        return passes

    def _tag_cells(self, block: Block, column: TagColumn) -> TagCells:
        """Every block of a file has much the same cells, so what they say is remembered: once for all columns of a
        preformatted file, which may be 1,000."""
        rule = id(column.rule)
        if rule not in self._remembered:
            most = _MOST_REMEMBERED if self._map.tags is not None else _MOST_REMEMBERED_OF_ALL
            self._remembered[rule] = lru_cache(most)(column.rule.apply)
        remembered, apply = self._remembered[rule], column.rule.apply
        codes, texts = block.distinct(column.index)
        cells = [remembered(text) if len(text) <= _LONGEST_REMEMBERED else apply(text) for text in texts]
        return TagCells(column.name, codes, cells)


def _blank(block: Block, numberless: Mask) -> Mask:
    blank = np.zeros(len(block), np.bool_)
    candidates = np.flatnonzero(numberless)
    blank[candidates] = block.blank(candidates)
    return blank
