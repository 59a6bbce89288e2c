"""What became of addresses, counted: the figures of a plan, of a report, and of the events behind them."""

from __future__ import annotations

from dataclasses import asdict, astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from alp_daemon.domain.model import ListState, Status
from alp_daemon.domain.rows import differs
from alp_daemon.domain.tag_sets import TagSets

_OF_SUBSCRIBERS = {"unsubscribed", "resubscribed", "attributes_changed"}


@dataclass(frozen=True, slots=True)
class Changes:
    """What a plan does, counted by address (tags: by assignment)."""

    opted_in: int = 0
    reactivated: int = 0
    suspended: int = 0
    opted_out: int = 0
    tags_added: int = 0
    tags_removed: int = 0
    unchanged: int = 0
    blocked_opted_out: int = 0
    never_seen_before: int = 0
    unsubscribed: int = 0
    resubscribed: int = 0
    attributes_changed: int = 0

    def as_dict(self) -> dict[str, int]:
        """For reports. What only subscribers have is left out where there is none of it."""
        return {name: n for name, n in asdict(self).items() if n or name not in _OF_SUBSCRIBERS}

    def __add__(self, other: Changes) -> Changes:
        return Changes(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))


def count_changes(before: ListState, after: ListState, sets: TagSets) -> Changes:
    """What became of the same addresses. Those that stay as they are need not be among them, and are not counted."""
    changed = differs(before, after)
    old, new = before.status, after.status
    added, removed = sets.compare(before.tag_set[changed], after.tag_set[changed])
    return Changes(
        opted_in=count((new == Status.opted_in) & ((old == Status.absent) | (old == Status.opted_out))),
        reactivated=count((new == Status.opted_in) & (old == Status.suspended)),
        suspended=count((new == Status.suspended) & (old != Status.suspended)),
        opted_out=count((new == Status.opted_out) & (old != Status.opted_out)),
        tags_added=added,
        tags_removed=removed,
        unsubscribed=count((new == Status.unsubscribed) & (old != Status.unsubscribed)),
        resubscribed=count((new == Status.opted_in) & (old == Status.unsubscribed)),
        attributes_changed=count(before.attrs != after.attrs),
    )


def count(mask: NDArray[np.bool_]) -> int:
    """How many are so."""
    return int(np.count_nonzero(mask))
