"""Sets of tags as they are stored, and the few of them that one address needs.

A list may have a hundred thousand sets: a command for one number does not read them all.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from alp_daemon.domain.model import Tags
from alp_daemon.domain.tag_sets import TagSets
from alp_daemon.store.store import Transaction


def written(tags: Tags) -> str:
    return ";".join(tags)


def parsed(text: str) -> Tags:
    return tuple(text.split(";")) if text else ()


def of_ids(transaction: Transaction, list_id: int, ids: Iterable[int]) -> dict[int, Tags]:
    """The sets with these ids. The empty one, which has no row, is always among them."""
    rows = transaction.all("tag_sets.some", list=list_id, ids=json.dumps(sorted(set(ids))))
    return {0: (), **{row["id"]: parsed(row["tags"]) for row in rows}}


def around(transaction: Transaction, list_id: int, own: int, tags: Tags) -> TagSets:
    """What a plan on one address may need: its own set, the given one, and what comes of adding or removing it."""
    current = of_ids(transaction, list_id, [own])[own]
    results = {
        written(each) for each in (tags, tuple(sorted({*current, *tags})), tuple(t for t in current if t not in tags))
    }
    rows = transaction.all("tag_sets.of_tags", list=list_id, texts=json.dumps(sorted(results)))
    return TagSets([(own, current), *((row["id"], parsed(row["tags"])) for row in rows)])
