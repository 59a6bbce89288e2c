"""Rows of a list as arrays: found by key, taken out, put together. No rule stands here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from alp_daemon.domain.model import Keys, Listed, ListState, Statuses

_AT_ONCE: Final = 2**20
"""Rows of a list in one part."""


def parts(state: ListState, listed: Listed) -> Iterator[tuple[ListState, Listed, slice]]:
    """A list and a file cut at the same keys, and where the part lies in the file.

    What is worked part by part takes the memory of one part, and that of the result.
    """
    cuts = state.keys[_AT_ONCE::_AT_ONCE]
    of_state = [0, *range(_AT_ONCE, len(state), _AT_ONCE), len(state)]
    of_listed = [0, *np.searchsorted(listed.keys, cuts).tolist(), len(listed.keys)]
    for (begin, end), (first, last) in zip(pairwise(of_state), pairwise(of_listed), strict=True):
        where = slice(first, last)
        yield take(state, slice(begin, end)), Listed(listed.keys[where], listed.tag_set[where], listed.sets), where


def find(keys: Keys, wanted: Keys) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Where each wanted key stands in ``keys``, and whether it really stands there."""
    at = np.searchsorted(keys, wanted)
    known = np.zeros(len(wanted), np.bool_)
    inside = at < len(keys)
    known[inside] = keys[at[inside]] == wanted[inside]
    return at, known


def rows_of(state: ListState, keys: Keys, at: NDArray[np.intp], known: NDArray[np.bool_]) -> ListState:
    """The listed addresses as the list has them; those it does not know are absent."""
    rows = ListState(
        state.version,
        keys,
        np.zeros(len(keys), np.int8),
        np.zeros(len(keys), np.int32),
        np.zeros(len(keys), np.int32),
        np.zeros(len(keys), np.int64),
    )
    found = at[known]
    rows.status[known] = state.status[found]
    rows.tag_set[known] = state.tag_set[found]
    rows.attrs[known] = state.attrs[found]
    rows.feeds[known] = state.feeds[found]
    return rows


def differs(before: ListState, after: ListState) -> NDArray[np.bool_]:
    same: NDArray[np.bool_] = (
        (before.status == after.status) & (before.tag_set == after.tag_set) & (before.attrs == after.attrs)
    )
    return ~same


def take(rows: ListState, where: NDArray[np.bool_] | NDArray[np.intp] | slice) -> ListState:
    if isinstance(where, np.ndarray) and where.dtype == np.bool_ and where.all():  # a first load takes all there is
        return rows
    return ListState(
        rows.version, rows.keys[where], rows.status[where], rows.tag_set[where], rows.attrs[where], rows.feeds[where]
    )


def merged(here: ListState, gone: ListState) -> ListState:
    """Both parts in one, sorted by key: sorted rows land twice as fast."""
    if len(gone) == 0:
        return here
    keys = np.concatenate((here.keys, gone.keys))
    order = np.argsort(keys, kind="stable")

    def both(a: Statuses, b: Statuses) -> NDArray[np.generic]:
        return np.concatenate((a, b))[order]

    return ListState(
        here.version,
        keys[order],
        both(here.status, gone.status).astype(np.int8, copy=False),
        np.concatenate((here.tag_set, gone.tag_set))[order],
        np.concatenate((here.attrs, gone.attrs))[order],
        np.concatenate((here.feeds, gone.feeds))[order],
    )


def joined(states: Sequence[ListState]) -> ListState:
    """Parts in the order of their keys as one."""
    if len(states) == 1:
        return states[0]
    return ListState(
        states[0].version,
        np.concatenate([state.keys for state in states]),
        np.concatenate([state.status for state in states]),
        np.concatenate([state.tag_set for state in states]),
        np.concatenate([state.attrs for state in states]),
        np.concatenate([state.feeds for state in states]),
    )
