"""Whether what an upload's report says that it did is what its events say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field

import numpy as np
from numpy.typing import NDArray

from alp_daemon.customers import customer_of, list_name
from alp_daemon.domain.changes import Changes, count_changes
from alp_daemon.domain.model import ListState
from alp_daemon.domain.replay import Replay
from alp_daemon.domain.tag_sets import TagSets
from alp_daemon.store.lists import ListHead, Recorded
from alp_daemon.store.store import Row, Transaction

# About addresses that stay as they are: those have no events. Who was never seen before is counted by the replay.
_NOT_OF_ONE_EVENT = {"unchanged", "blocked_opted_out", "never_seen_before"}


@dataclass(slots=True)
class _Did:
    """What one upload did by its events, and the versions that it made."""

    versions: list[int] = field(default_factory=list)
    changes: Changes = field(default_factory=Changes)


class UploadFigures:
    """Takes the changes of a list in their order; ``faults`` then compares them with what its uploads say."""

    def __init__(self, sets: TagSets) -> None:
        self._sets = sets
        self._did: dict[int, _Did] = {}

    def add(self, recorded: Recorded) -> None:
        change = recorded.change
        if change.upload is None or change.source != "file":
            return
        did = self._did.setdefault(change.upload, _Did())
        did.versions.append(recorded.version)
        did.changes += _counted(recorded.events, self._sets)

    def faults(self, transaction: Transaction, head: ListHead, replay: Replay) -> Iterator[str]:
        customer = customer_of(head.customer)
        rows = transaction.all("verify.applied", customer=customer)
        applied = {row["id"]: row for row in rows if list_name(customer, row["feed"]) == head.customer}
        for id_ in sorted(self._did.keys() - applied.keys()):
            yield f"its history names upload {id_}, which was never applied to it"
        for id_, row in applied.items():
            did = self._did.get(id_, _Did())
            yield from _compared(row, did, sum(replay.first_seen(version) for version in did.versions))


def _compared(row: Row, did: _Did, never_seen: int) -> Iterator[str]:
    if row["json"] is None:
        yield f"upload {row['id']} was applied, and has no report"
        return
    said = json.loads(row["json"])["changes"]
    counted = {name: n for name, n in asdict(did.changes).items() if name not in _NOT_OF_ONE_EVENT}
    for name, n in {**counted, "never_seen_before": never_seen}.items():
        if said.get(name, 0) != n:
            yield f"the report of upload {row['id']} says {name} {said.get(name, 0)}, and its events say {n}"
    if row["never_seen"] != never_seen:
        yield f"upload {row['id']} is charged for {row['never_seen']} addresses, and its events say {never_seen}"
    if did.versions and row["version"] != did.versions[-1]:
        yield f"upload {row['id']} says that it made version {row['version']}, and it made {did.versions[-1]}"


def _counted(events: list[NDArray[np.int64]], sets: TagSets) -> Changes:
    keys, status_before, status_after, tags_before, tags_after, attrs_before, attrs_after = events
    before = _state(keys, status_before, tags_before, attrs_before)
    after = _state(keys, status_after, tags_after, attrs_after)
    try:
        return count_changes(before, after, sets)
    except KeyError:
        return Changes()  # a set of tags is missing, which is told by whoever looks at these


def _state(keys: NDArray[np.int64], *columns: NDArray[np.int64]) -> ListState:
    return ListState(
        0, keys, columns[0].astype(np.int8), columns[1].astype(np.int32), columns[2].astype(np.int32), keys
    )
