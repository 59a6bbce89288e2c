"""Sets of tags as numbers, so that a plan over a million addresses is arithmetic on their ids."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from alp_daemon.domain.model import Codes, Tags

EMPTY = 0


class TagSets:
    """Every set of tags that a list knows, and the ids of new ones that a plan makes. Sets are immutable."""

    def __init__(self, known: Iterable[tuple[int, Tags]] = ()) -> None:
        self._sets: dict[int, Tags] = {EMPTY: ()}
        self._sets.update(known)
        self._ids = {tags: id_ for id_, tags in self._sets.items()}
        self._next = max(self._sets) + 1
        self._new: list[tuple[int, Tags]] = []
        self._unions: dict[int, int] = {}

    def __getitem__(self, id_: int) -> Tags:
        return self._sets[id_]

    def intern(self, tags: Tags) -> int:
        """The id of a set, which becomes a new one if the list has never had it."""
        id_ = self._ids.get(tags)
        if id_ is None:
            id_ = self._next
            self._next += 1
            self._ids[tags] = id_
            self._sets[id_] = tags
            self._new.append((id_, tags))
        return id_

    def take_new(self) -> list[tuple[int, Tags]]:
        """The sets made since the last call, which are still to be stored."""
        new, self._new = self._new, []
        return new

    def ids(self, sets: Sequence[Tags]) -> Codes:
        return np.fromiter((self.intern(tags) for tags in sets), np.int32, len(sets))

    def union(self, left: Codes, right: Codes) -> Codes:
        return self._combine(left, right, self._union)

    def difference(self, left: Codes, right: Codes) -> Codes:
        return self._combine(left, right, self._difference)

    def sizes(self, ids: Codes) -> int:
        """How many tags all these addresses carry together."""
        distinct, counts = np.unique(ids, return_counts=True)
        return sum(len(self._sets[id_]) * n for id_, n in zip(distinct.tolist(), counts.tolist(), strict=True))

    def compare(self, before: Codes, after: Codes) -> tuple[int, int]:
        """``(added, removed)`` tag assignments between two columns of equal length."""
        added = removed = 0
        for (a, b), n in _distinct_pairs(before, after):
            old, new = set(self._sets[a]), set(self._sets[b])
            added += len(new - old) * n
            removed += len(old - new) * n
        return added, removed

    def vocabulary(self) -> set[str]:
        return {tag for tags in self._sets.values() for tag in tags}

    def _combine(self, left: Codes, right: Codes, rule: Callable[[int], int]) -> Codes:
        """Applies a rule to each distinct pair of sets once: there are thousands of pairs, not millions."""
        packed, inverse = np.unique(_pack(left, right), return_inverse=True)
        return np.array([rule(pair) for pair in packed.tolist()], np.int32)[inverse]

    def _union(self, pair: int) -> int:
        # A big file asks for the same pairs with each of its pieces.
        id_ = self._unions.get(pair)
        if id_ is None:
            left, right = _unpack(pair)
            id_ = self._unions[pair] = self.intern(tuple(sorted({*self._sets[left], *self._sets[right]})))
        return id_

    def _difference(self, pair: int) -> int:
        left, right = _unpack(pair)
        return self.intern(tuple(tag for tag in self._sets[left] if tag not in self._sets[right]))


def _pack(left: Codes, right: Codes) -> np.ndarray:
    return (left.astype(np.int64) << 32) | right.astype(np.int64)


def _unpack(pair: int) -> tuple[int, int]:
    return pair >> 32, pair & 0xFFFFFFFF


def _distinct_pairs(left: Codes, right: Codes) -> Iterable[tuple[tuple[int, int], int]]:
    packed, counts = np.unique(_pack(left, right), return_counts=True)
    for pair, n in zip(packed.tolist(), counts.tolist(), strict=True):
        yield _unpack(pair), n
