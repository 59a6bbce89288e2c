"""The distinct texts of a column, most of which its earlier cells have held before."""

from __future__ import annotations

import numpy as np

from alp_daemon.domain.model import Codes
from alp_daemon.files.bytecells import BYTES_IN_WORD, LOOKAHEAD, ByteCells
from alp_daemon.files.vocabulary import Vocabulary, group


class KnownTexts:
    """What the cells of one column have been so far: as many as a ``Vocabulary`` takes."""

    def __init__(self) -> None:
        self._vocabulary = Vocabulary(1)
        self._texts = [""]

    def distinct(self, cells: ByteCells) -> tuple[Codes, list[str]]:
        """The cells as distinct texts, and for each cell the index of its own."""
        longest = int(cells.lengths.max(initial=1))
        if longest > LOOKAHEAD:
            places: dict[str, int] = {}
            found = [places.setdefault(text, len(places)) for text in cells.decoded()]
            return np.array(found, np.int32), list(places)
        width = -(-longest // BYTES_IN_WORD)
        if width > self._vocabulary.width:
            self._vocabulary, self._texts = Vocabulary(width), [""]
        return _in_use(*self._looked_up(cells))

    def _looked_up(self, cells: ByteCells) -> tuple[Codes, list[str]]:
        words = cells.words(self._vocabulary.width)
        codes, found = self._vocabulary.find(words)
        if found.all():
            return codes, self._texts
        unknown = np.flatnonzero(~found)
        numbers, examples = group(words[unknown])
        examples = unknown[examples]
        codes[unknown] = numbers + np.int32(len(self._texts))
        texts = [*self._texts, *cells.take(examples).decoded()]
        learned = self._vocabulary.learn(words[examples])
        self._texts = [*self._texts, *(texts[len(self._texts) + row] for row in learned.tolist())]
        return codes, texts


def _in_use(codes: Codes, texts: list[str]) -> tuple[Codes, list[str]]:
    """Without the texts that no code stands for."""
    is_used = np.bincount(codes, minlength=len(texts)) > 0
    places = np.cumsum(is_used, dtype=np.int32) - np.int32(1)
    return places.take(codes), [texts[code] for code in np.flatnonzero(is_used).tolist()]
