"""Sets of tags as numbers, so that a plan over a million addresses is arithmetic on their ids."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from alp_daemon.domain.model import Codes, Keys, Tags

EMPTY = 0

_COMPARED_AT_ONCE = 2**20
"""Addresses: sorting all pairs of a long list at once would take several times its memory."""


class TagSets:
    """Every set of tags that a list knows, and the ids of new ones that a plan makes. Sets are immutable."""

    def __init__(self, known: Iterable[tuple[int, Tags]] = ()) -> None:
        self._sets: dict[int, Tags] = {EMPTY: ()}
        self._sets.update(known)
        self._ids = {tags: id_ for id_, tags in self._sets.items()}
        self._next = max(self._sets) + 1
        self._new: list[tuple[int, Tags]] = []
        # A big file asks for the same pairs with each of its pieces.
        self._pairs = np.empty(0, np.int64)
        self._unions = np.empty(0, np.int32)

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

    def union_of(self, ids: Iterable[int]) -> int:
        """The id of the set that holds the tags of all these."""
        return self.intern(tuple(sorted(set().union(*map(self._sets.__getitem__, ids)))))

    def union(self, left: Codes, right: Codes) -> Codes:
        pairs = _pack(left, right)
        at, known = _find(self._pairs, pairs)
        if not known.all():
            self._unite(_distinct(pairs[~known]))
            at, _ = _find(self._pairs, pairs)
        return self._unions[at]

    def difference(self, left: Codes, right: Codes) -> Codes:
        return self._combine(left, right, self._difference)

    def holds_any(self, ids: Codes, tags: Iterable[str]) -> NDArray[np.bool_]:
        """Which of these addresses carry at least one of the tags."""
        wanted = set(tags)
        holds = np.zeros(self._next, np.bool_)
        holds[[id_ for id_, set_ in self._sets.items() if not wanted.isdisjoint(set_)]] = True
        held: NDArray[np.bool_] = holds[ids]
        return held

    def sizes(self, ids: Codes) -> int:
        """How many tags all these addresses carry together."""
        counts = np.bincount(ids).tolist()
        return sum(len(self._sets[id_]) * n for id_, n in enumerate(counts) if n)

    def compare(self, before: Codes, after: Codes) -> tuple[int, int]:
        """``(added, removed)`` tag assignments between two columns of equal length."""
        added = removed = 0
        for start in range(0, len(before), _COMPARED_AT_ONCE):
            part = slice(start, start + _COMPARED_AT_ONCE)
            for (a, b), n in _distinct_pairs(before[part], after[part]):
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

    def _unite(self, pairs: Keys) -> None:
        """Makes the unions of distinct pairs that were not asked for before."""
        unions = np.fromiter(map(self._union, pairs.tolist()), np.int32, len(pairs))
        all_pairs = np.concatenate((self._pairs, pairs))
        order = np.argsort(all_pairs)
        self._pairs, self._unions = all_pairs[order], np.concatenate((self._unions, unions))[order]

    def _union(self, pair: int) -> int:
        left, right = _unpack(pair)
        return self.intern(tuple(sorted({*self._sets[left], *self._sets[right]})))

    def _difference(self, pair: int) -> int:
        left, right = _unpack(pair)
        return self.intern(tuple(tag for tag in self._sets[left] if tag not in self._sets[right]))


def _find(pairs: Keys, wanted: Keys) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Where each wanted pair stands among sorted ones, and whether it really stands there."""
    at = np.searchsorted(pairs, wanted)
    if not len(pairs):
        return at, np.zeros(len(wanted), np.bool_)
    at = np.minimum(at, len(pairs) - 1)
    return at, pairs[at] == wanted


def _distinct(pairs: Keys) -> Keys:
    """Without repetition; ``np.unique`` would load masked arrays for this, which take longer."""
    ordered = np.sort(pairs)
    distinct: Keys = ordered[np.append(True, ordered[1:] != ordered[:-1])]
    return distinct


def _pack(left: Codes, right: Codes) -> np.ndarray:
    return (left.astype(np.int64) << 32) | right.astype(np.int64)


def _unpack(pair: int) -> tuple[int, int]:
    return pair >> 32, pair & 0xFFFFFFFF


def _distinct_pairs(left: Codes, right: Codes) -> Iterable[tuple[tuple[int, int], int]]:
    packed, counts = np.unique(_pack(left, right), return_counts=True)
    for pair, n in zip(packed.tolist(), counts.tolist(), strict=True):
        yield _unpack(pair), n
