"""The distinct texts of a column, most of which its earlier cells have held before."""

from __future__ import annotations

from typing import Final

import numpy as np

from alp_daemon.domain.model import Codes
from alp_daemon.files.bytecells import BYTES_IN_WORD, LOOKAHEAD, ByteCells
from alp_daemon.files.vocabulary import MOST, Vocabulary, group

MOST_OF_MANY: Final = 128
"""Texts known of each further column: knowing ``MOST`` takes up to a megabyte, and a row may have 1,000 columns."""

MANY_COLUMNS: Final = 32


class KnownTexts:
    """What the cells of one column have been so far: as many as a ``Vocabulary`` takes."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._vocabulary = Vocabulary(1, most)
        self._texts = [""]

    @property
    def size(self) -> int:
        """How many texts are known, the empty one among them."""
        return len(self._texts)

    def distinct(self, cells: ByteCells) -> tuple[Codes, list[str]]:
        """The cells as distinct texts, and for each cell the index of its own."""
        longest = int(cells.lengths.max(initial=1))
        if longest > LOOKAHEAD:
            places: dict[str, int] = {}
            found = [places.setdefault(text, len(places)) for text in cells.decoded()]
            return np.array(found, np.int32), list(places)
        width = -(-longest // BYTES_IN_WORD)
        if width > self._vocabulary.width:
            self._vocabulary, self._texts = Vocabulary(width, self._most), [""]
        return _in_use(*self._looked_up(cells))

    def _looked_up(self, cells: ByteCells) -> tuple[Codes, list[str]]:
        words = cells.words(self._vocabulary.width)
        codes, found = self._vocabulary.find(words)
        if found.all():
            return codes, self._texts
        unknown = np.flatnonzero(~found)
        numbers, examples = group(words[unknown])
        examples = unknown[examples]
        codes[unknown] = numbers + np.int32(self.size)
        texts = [*self._texts, *cells.take(examples).decoded()]
        learned = self._vocabulary.learn(words[examples])
        self._texts = [*self._texts, *(texts[self.size + row] for row in learned.tolist())]
        return codes, texts


class KnownColumns(dict[int, KnownTexts]):
    """What the blocks of one file learn from one another, by column."""

    def __missing__(self, column: int) -> KnownTexts:
        known = self[column] = KnownTexts(MOST if len(self) < MANY_COLUMNS else MOST_OF_MANY)
        return known


def _in_use(codes: Codes, texts: list[str]) -> tuple[Codes, list[str]]:
    """Without the texts that no code stands for."""
    is_used = np.bincount(codes, minlength=len(texts)) > 0
    places = np.cumsum(is_used, dtype=np.int32) - np.int32(1)
    return places.take(codes), [texts[code] for code in np.flatnonzero(is_used).tolist()]
