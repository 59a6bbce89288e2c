"""From the numbers of all rows to the distinct addresses of the file, each with the union of its tags."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from alp_daemon.domain.model import Codes, Keys, Listed
from alp_daemon.domain.tag_sets import TagSets
from alp_daemon.files.phonecells import REMOVE

_PAIRS_PER_ROW: Final = 8
_AT_ONCE: Final = 2**20


@dataclass(frozen=True, slots=True)
class Merged:
    listed: Listed
    removed: Keys
    rows: int
    """Rows with a number."""
    rows_listed: int
    """Rows with a number that no earlier row has."""
    numbers: int
    """Distinct addresses."""


def merge(keys: Keys, sets: Codes, begins_row: NDArray[np.bool_], tag_sets: TagSets) -> Merged:
    """Merge numbers given in the order of their rows; ``begins_row`` marks the first number of each row.

    A number that asks to be opted out (``REMOVE`` added to its key) is not listed, even if another row lists it.
    ``keys`` is used up: it is sorted in place. What is needed no longer is let go, since each column of a big file
    takes as much memory as the rest of the program.
    """
    if not len(keys):
        return Merged(Listed.empty(), np.empty(0, np.int64), 0, 0, 0)
    keys, order = _sorted_with_order(keys)
    begins_run = np.empty(len(keys), np.bool_)
    begins_run[0] = True
    np.not_equal(keys[1:], keys[:-1], out=begins_run[1:])
    rows, rows_listed = int(np.count_nonzero(begins_row)), _rows_with_any(order, begins_run, begins_row)
    sets = sets[order]
    del order, begins_row
    united = _union_of_runs(sets, begins_run, tag_sets)
    del sets
    distinct = keys if begins_run.all() else keys[begins_run]
    del keys, begins_run

    removals = int(np.searchsorted(distinct, REMOVE))
    removed = distinct[removals:] - REMOVE
    listed, united = distinct[:removals], united[:removals]
    if len(removed):
        stays = ~np.isin(listed, removed)
        listed, united = listed[stays], united[stays]
    return Merged(_with_sets_in_use(listed, united, tag_sets), removed, rows, rows_listed, len(listed) + len(removed))


def _sorted_with_order(keys: Keys) -> tuple[Keys, Keys]:
    """Sort keys (in place where that can be), and tell where each stood; equal keys stay in order.

    Key and place are packed into one integer where both fit (always, for the numbers of one country): sorting that
    takes a quarter of the time of an argsort, and less memory.
    """
    lowest = int(keys.min())
    place_bits = len(keys).bit_length()
    if (int(keys.max()) - lowest).bit_length() + place_bits >= 63:
        order = np.argsort(keys, kind="stable")
        return keys[order], order
    keys -= lowest
    keys <<= place_bits
    keys |= np.arange(len(keys))
    keys.sort()
    order = keys & ((1 << place_bits) - 1)
    keys >>= place_bits
    keys += lowest
    return keys, order


def _rows_with_any(order: Keys, begins_run: NDArray[np.bool_], begins_row: NDArray[np.bool_]) -> int:
    """How many rows hold the first of any number."""
    if begins_row.all():
        return int(np.count_nonzero(begins_run))
    is_first = np.zeros(len(begins_row), np.bool_)
    is_first[order[begins_run]] = True
    return int(np.count_nonzero(np.logical_or.reduceat(is_first, np.flatnonzero(begins_row))))


def _union_of_runs(sets: Codes, begins_run: NDArray[np.bool_], tag_sets: TagSets) -> Codes:
    """The union of the sets in each run; nearly all runs are of one set, which costs nothing here."""
    united = sets[begins_run]
    differs = np.empty(len(sets), np.bool_)
    differs[0] = False
    np.not_equal(sets[1:], sets[:-1], out=differs[1:])
    differs &= ~begins_run
    if not differs.any():
        return united
    run_of = np.cumsum(begins_run, dtype=np.int32) - np.int32(1)
    has_others = np.zeros(len(united), np.bool_)
    has_others[run_of[differs]] = True
    runs = np.flatnonzero(has_others).astype(np.int32)
    starts, ends = (np.searchsorted(run_of, runs, side=side).tolist() for side in ("left", "right"))
    unions: dict[frozenset[int], int] = {}
    for run, start, end in zip(runs.tolist(), starts, ends, strict=True):
        members = frozenset(sets[start:end].tolist())
        if members not in unions:
            unions[members] = tag_sets.union_of(members)
        united[run] = unions[members]
    return united


def _with_sets_in_use(keys: Keys, sets: Codes, tag_sets: TagSets) -> Listed:
    """Leave out the sets that only stood in the way to a union, or in rows that were refused."""
    is_used = np.zeros(int(sets.max(initial=0)) + 1, np.bool_)
    # In slices, and in place: numpy makes an index of eight bytes out of each code.
    slices = [slice(start, start + _AT_ONCE) for start in range(0, len(sets), _AT_ONCE)]
    for part in slices:
        is_used[sets[part]] = True
    places = np.cumsum(is_used, dtype=np.int32) - np.int32(1)
    for part in slices:
        sets[part] = places[sets[part]]
    return Listed(keys, sets, [tag_sets[set_] for set_ in np.flatnonzero(is_used).tolist()])


def distinct_pairs(left: Codes, lefts: int, right: Codes, rights: int) -> tuple[Codes, Codes, Codes]:
    """Return, for two columns of codes below ``lefts`` and ``rights``, ``(rows, left, right)``.

    ``left[i]`` and ``right[i]`` are the *i*-th distinct pair of codes, ``rows`` the number of each row's own pair.
    """
    pairs = left.astype(np.int64) * rights + right
    if lefts * rights > _PAIRS_PER_ROW * len(pairs):
        distinct, rows = np.unique(pairs, return_inverse=True)
    else:  # a place for each pair that could be is cheaper than sorting
        occurs = np.zeros(lefts * rights, np.bool_)
        occurs[pairs] = True
        distinct = np.flatnonzero(occurs)
        rows = (np.cumsum(occurs, dtype=np.int32) - np.int32(1))[pairs]
    first, second = np.divmod(distinct, rights)
    return rows.astype(np.int32), first.astype(np.int32), second.astype(np.int32)
