"""Whom a file would touch: how the list stands before and after, and a few numbers of each kind of change."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alp_daemon.domain import phone
from alp_daemon.domain.model import Status, Tags
from alp_daemon.domain.plan import Plan
from alp_daemon.domain.tag_sets import TagSets
from alp_daemon.services.processing.assess import Assessment

SAMPLED = 8
"""Numbers shown of each kind of change: enough to recognise whose they are."""


@dataclass(frozen=True, slots=True)
class Touched:
    """One number that a plan changes."""

    number: str
    tags_before: Tags
    tags_after: Tags


@dataclass(frozen=True, slots=True)
class Move:
    """The numbers that go from one status to another, or stay in it with other tags, and some of them."""

    status_before: str
    status_after: str
    count: int
    sample: tuple[Touched, ...]


@dataclass(frozen=True, slots=True)
class StatusCount:
    """How many addresses of a list have a status, and how many would have it."""

    status: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Effect:
    """What a file would do to its list as it stands."""

    statuses: tuple[StatusCount, ...]
    moves: tuple[Move, ...]


def effect_of(assessment: Assessment) -> Effect:
    """The effect, with samples from all over each kind. Subscribers are counted and not sampled."""
    moves = [
        move
        for plan in assessment.plans
        for move in _moves(plan, assessment.sets, sampled=SAMPLED if assessment.subscribed is None else 0)
    ]
    return Effect(_statuses(assessment, moves), tuple(sorted(moves, key=lambda move: -move.count)))


def _moves(plan: Plan, sets: TagSets, sampled: int) -> list[Move]:
    columns = plan.events
    kinds = np.stack((columns[1].astype(np.int64), columns[2].astype(np.int64)))
    found = []
    for before, after in np.unique(kinds, axis=1).T.tolist():
        rows = np.flatnonzero((kinds[0] == before) & (kinds[1] == after))
        touched = tuple(_touched(columns, row, sets) for row in _spread(rows, sampled))
        found.append(Move(Status(before).name, Status(after).name, len(rows), touched))
    return found


def _spread(rows: NDArray[np.intp], most: int) -> list[int]:
    """Some of the rows, evenly: neighbouring numbers are often of one office."""
    if not most:
        return []
    chosen: list[int] = rows[np.unique(np.linspace(0, len(rows) - 1, min(most, len(rows)), dtype=np.intp))].tolist()
    return chosen


def _touched(columns: tuple[NDArray[np.generic], ...], row: int, sets: TagSets) -> Touched:
    key, _, _, tags_before, tags_after, *_ = (int(column[row]) for column in columns)
    return Touched(phone.format_key(key), sets[tags_before], sets[tags_after])


def _statuses(assessment: Assessment, moves: list[Move]) -> tuple[StatusCount, ...]:
    before = np.bincount(assessment.state.status, minlength=len(Status)).tolist()
    after = list(before)
    for move in moves:
        after[Status[move.status_before]] -= move.count
        after[Status[move.status_after]] += move.count
    return tuple(
        StatusCount(status.name, before[status], after[status])
        for status in Status
        if status is not Status.absent and (before[status] or after[status])
    )
