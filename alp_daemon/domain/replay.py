"""A list made anew from its events: what it must be, if nobody has changed it but through them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alp_daemon.domain.model import ListState, Status
from alp_daemon.domain.rows import find, rows_of

_AT_ONCE = 2**20
"""Events folded together. A change of one address is not worth going through a list of a million for."""

Column = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Break:
    """An event that does not begin where the address stood, or a row that is not what its events made it."""

    version: int
    """Of the event; 0 where it is about a row."""
    key: int


class Replay:
    """Takes the changes of a list in their order, and holds the list as they leave it (without ``feeds``).

    Of each event, what the address was before must be what the event before it left.
    """

    def __init__(self) -> None:
        self._state = ListState.empty()
        self._waiting: list[tuple[Column, ...]] = []
        self._events = 0
        self._first_seen: Counter[int] = Counter()
        self.broken: Break | None = None
        """The first event, by version and key, that does not fit."""

    def add(self, version: int, events: Sequence[Column]) -> None:
        """``events``: key, status before and after, tag set before and after, attrs before and after; sorted by key."""
        if len(events[0]):
            self._waiting.append((np.full(len(events[0]), version, np.int64), *events))
            self._events += len(events[0])
        if self._events >= _AT_ONCE:
            self._fold()

    def state(self) -> ListState:
        """The list after all changes so far."""
        self._fold()
        return self._state

    def first_seen(self, version: int) -> int:
        """How many addresses had never been on the list before this change put them there."""
        self._fold()
        return self._first_seen[version]

    def _fold(self) -> None:
        if not self._waiting:
            return
        columns = [np.concatenate(column) for column in zip(*self._waiting, strict=True)]
        self._waiting, self._events = [], 0
        # Stable, so that the events of one address stay in their order.
        order = np.argsort(columns[1], kind="stable")
        versions, keys, *values = (column[order] for column in columns)
        before, after = values[0::2], values[1::2]
        is_first = np.append(True, keys[1:] != keys[:-1])
        at, known = find(self._state.keys, keys[is_first])
        self._look_for_a_break(versions, keys, before, after, is_first, self._stood(keys[is_first], at, known))
        new = versions[is_first][~known & (after[0][is_first] != Status.absent)]
        self._first_seen.update(dict(zip(*(each.tolist() for each in np.unique(new, return_counts=True)), strict=True)))
        is_last = np.append(is_first[1:], True)
        status, tag_set, attrs = (column[is_last] for column in after)
        self._state = self._state.patched(
            ListState(
                int(versions.max()),
                keys[is_last],
                status.astype(np.int8),
                tag_set.astype(np.int32),
                attrs.astype(np.int32),
                np.zeros(len(status), np.int64),
            )
        )

    def _stood(self, keys: Column, at: NDArray[np.intp], known: NDArray[np.bool_]) -> tuple[NDArray[np.generic], ...]:
        """Status, tag set and attrs of these addresses before what waits; absent ones have none."""
        rows = rows_of(self._state, keys, at, known)
        return rows.status, rows.tag_set, rows.attrs

    def _look_for_a_break(
        self,
        versions: Column,
        keys: Column,
        before: Sequence[Column],
        after: Sequence[Column],
        is_first: NDArray[np.bool_],
        stood: Sequence[NDArray[np.generic]],
    ) -> None:
        wrong = np.zeros(len(keys), np.bool_)
        for had, left, stood_as in zip(before, after, stood, strict=True):
            expected = np.append(0, left[:-1])
            expected[is_first] = stood_as
            wrong |= had != expected
        if self.broken is None and wrong.any():
            place = np.lexsort((keys[wrong], versions[wrong]))[0]
            self.broken = Break(int(versions[wrong][place]), int(keys[wrong][place]))


def compare(expected: ListState, found: ListState) -> Break | None:
    """The first row, by key, that is missing, too many, or not as its events made it."""
    here, there = find(found.keys, expected.keys)
    _, wanted = find(expected.keys, found.keys)
    differs = ~there
    rows = rows_of(found, expected.keys, here, there)
    for one, other in ((expected.status, rows.status), (expected.tag_set, rows.tag_set), (expected.attrs, rows.attrs)):
        differs |= one != other
    keys = np.concatenate((expected.keys[differs], found.keys[~wanted]))
    return Break(0, int(keys.min())) if len(keys) else None
