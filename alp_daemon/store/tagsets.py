"""Sets of tags as they are stored, and the few of them that some addresses need.

A list may have a hundred thousand sets: a command for one number, or a file of a hundred, does not read them all.
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


def around(transaction: Transaction, list_id: int, pairs: Iterable[tuple[int, Tags]]) -> TagSets:
    """What a plan on some addresses may need: of each its own set (an id) and the one that it is given, as a pair, and
    what comes of adding or removing that."""
    distinct = set(pairs)
    current = of_ids(transaction, list_id, (own for own, _ in distinct))
    results = {written(each) for own, tags in distinct for each in _results(current[own], tags)}
    rows = transaction.all("tag_sets.of_tags", list=list_id, texts=json.dumps(sorted(results)))
    return TagSets([*current.items(), *((row["id"], parsed(row["tags"])) for row in rows)])


def _results(own: Tags, tags: Tags) -> tuple[Tags, Tags, Tags]:
    return tags, tuple(sorted({*own, *tags})), tuple(tag for tag in own if tag not in tags)
