"""From the cells of a tag column to sets of tags: split, map, prefix, clean."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NamedTuple

from alp_daemon.customers import TagSource
from alp_daemon.domain import tag
from alp_daemon.domain.model import Tags
from alp_daemon.files.header import fold

UNKNOWN_TAG: Final = "unknown_tag"


class BadWord(NamedTuple):
    """A part of a cell that is no tag, and the reason code."""

    text: str
    reason: str


class CellTags(NamedTuple):
    """What one cell says: its tags, and what in it is none."""

    tags: Tags
    bad: tuple[BadWord, ...]


@dataclass(frozen=True, slots=True)
class TagRule:
    """One tag source applied to one cell. An empty cell has no tag, whatever the prefix."""

    prefix: str = ""
    split: str | None = None
    words: dict[str, str] | None = None
    """From the file's words to tags; a word that is not here is refused."""
    folded: dict[str, str] = field(default_factory=dict)
    """The same for words that differ in case only: people type ``north`` as well as ``North``."""

    @classmethod
    def of(cls, source: TagSource) -> TagRule:
        folded = {fold(word): to for word, to in source.map.items()} if source.map else {}
        return cls(source.prefix, source.split, source.map, folded)

    def apply(self, cell: str) -> CellTags:
        tags: set[str] = set()
        bad: list[BadWord] = []
        for text in cell.split(self.split) if self.split else (cell,):
            word = text.strip()
            if not word:
                continue
            found = self._tag(word)
            if isinstance(found, BadWord):
                bad.append(found)
            else:
                tags.add(found)
        return CellTags(tuple(sorted(tags)), tuple(bad))

    def _tag(self, word: str) -> str | BadWord:
        mapped = word if self.words is None else self.words.get(word, self.folded.get(fold(word)))
        if mapped is None:
            return BadWord(word, UNKNOWN_TAG)
        cleaned = tag.clean(self.prefix + mapped)
        return BadWord(word, cleaned.value) if isinstance(cleaned, tag.BadTag) else cleaned
