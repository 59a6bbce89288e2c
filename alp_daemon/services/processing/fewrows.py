"""A small file beside a large list: where the rows that it lists are all that has to be known of the list."""

from __future__ import annotations

import numpy as np

from alp_daemon.domain import guard
from alp_daemon.domain.model import ListState, Reading, Tags
from alp_daemon.domain.rows import find, rows_of
from alp_daemon.domain.tag_sets import TagSets
from alp_daemon.services.processing.rules import Rules
from alp_daemon.store import lists, tagsets
from alp_daemon.store.lists import ListHead
from alp_daemon.store.store import Transaction

# Rows that are sought one by one, at some microseconds each, sooner than read with all the others.
FEW = 1_000


def suffice(reading: Reading, rules: Rules) -> bool:
    """Whether they are few, and it says nothing of an address that the file does not list it.

    What the guard asks of the whole list is known once there is a plan (``guard.asks_for_shares``), but for the tags
    that may be too many new ones.
    """
    if rules.policy.removes or rules.bulk is not None or len(reading.listed.keys) + len(reading.removed) > FEW:
        return False
    tags = {tag for tags in reading.listed.sets for tag in tags}
    return rules.feed is not None or len(tags) <= guard.MAX_UNKNOWN_TAGS


def read(transaction: Transaction, head: ListHead | None, reading: Reading) -> tuple[ListState, TagSets]:
    """The rows of the addresses that the file lists or removes, and the tag sets that a plan on them may need."""
    listed = reading.listed
    state = lists.read_state(transaction, head, np.sort(np.concatenate((listed.keys, reading.removed))))
    if head is None:
        return state, TagSets()
    own = rows_of(state, listed.keys, *find(state.keys, listed.keys)).tag_set.tolist()
    met = {(set_, listed.sets[given]) for set_, given in zip(own, listed.tag_set.tolist(), strict=True)}
    no_tags: Tags = ()
    return state, tagsets.around(transaction, head.id, met | {(set_, no_tags) for set_ in state.tag_set.tolist()})
