"""Which of the interests that an upload names exist."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable
from typing import NamedTuple

from alp_daemon.domain.model import Tags
from alp_daemon.files.header import fold
from alp_daemon.files.informz.fields import INTEREST_SEPARATOR


class Named(NamedTuple):
    """What a list of names comes to: the interests that exist, and the names of none."""

    interests: Tags
    unknown: tuple[str, ...]


class KnownInterests:
    """The interests of a brand under their own spelling.

    A name in another case means the interest too, unless there are two that differ in just that: people type ``news``
    as well as ``News``.
    """

    def __init__(self, names: Collection[str]) -> None:
        self._names = {_composed(name): name for name in names}
        uses = Counter(map(fold, self._names))
        self._folded = {fold(form): name for form, name in self._names.items() if uses[fold(form)] == 1}

    def look_up(self, names: Iterable[str]) -> Named:
        """Names may be blank, padded and repeated."""
        interests: set[str] = set()
        unknown: dict[str, None] = {}
        for name in filter(None, map(_composed, names)):
            found = self._names.get(name, self._folded.get(fold(name)))
            if found is None:
                unknown[name] = None
            else:
                interests.add(found)
        return Named(tuple(sorted(interests)), tuple(unknown))

    def in_cell(self, cell: str) -> Named:
        return self.look_up(cell.split(INTEREST_SEPARATOR))


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name).strip()
