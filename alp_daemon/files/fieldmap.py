"""Which columns of a file hold numbers and tags, and which rows count: a feed's rules, found in one file's header."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from alp_daemon.customers import Feed
from alp_daemon.domain.model import Tags
from alp_daemon.files.header import Header, fold, letter
from alp_daemon.files.tagrule import TagRule

_AS_IT_STANDS: Final = TagRule()
"""The rule of all tag columns of a preformatted file."""


@dataclass(frozen=True, slots=True)
class TagColumn:
    index: int
    name: str
    rule: TagRule


@dataclass(frozen=True, slots=True)
class Filter:
    """``only``: the rows whose column holds one of the values, trimmed and whatever their case."""

    index: int
    values: frozenset[str]

    def keeps(self, cell: str) -> bool:
        return fold(cell) in self.values


@dataclass(frozen=True, slots=True)
class FieldMap:
    """A feed's field map with every column found. ``tags`` is ``None`` where all columns but the first are tags."""

    phones: tuple[int, ...]
    phone_names: tuple[str, ...]
    tags: tuple[TagColumn, ...] | None
    constants: Tags
    filters: tuple[Filter, ...]

    @classmethod
    def find(cls, feed: Feed, header: Header) -> FieldMap:
        """Find the columns of a feed in a header; raises ``UnusableFile`` naming all that are not there."""
        columns = header.locate(_references(feed))
        phones = tuple(dict.fromkeys(columns[reference] for reference in feed.phones))
        tags = [(columns[source.column], source) for source in feed.tags if source.column is not None]
        return cls(
            phones,
            tuple(header.names[index] for index in phones),
            tuple(TagColumn(index, header.names[index], TagRule.of(source)) for index, source in tags),
            tuple(sorted({source.value for source in feed.tags if source.value is not None})),
            tuple(Filter(columns[name], frozenset(map(fold, values))) for name, values in feed.only.items()),
        )

    def tag_columns(self, width: int) -> Sequence[TagColumn]:
        """The tag columns of rows that have ``width`` columns."""
        if self.tags is not None:
            return self.tags
        return [TagColumn(index, letter(index), _AS_IT_STANDS) for index in range(1, width)]


PREFORMATTED_MAP = FieldMap(phones=(0,), phone_names=("A",), tags=None, constants=(), filters=())
"""The standard format: numbers in column A, tags in B, C, D…"""


def _references(feed: Feed) -> Iterable[str]:
    tags = (source.column for source in feed.tags if source.column is not None)
    return chain(feed.phones, tags, feed.only)
