"""Sums that only grow: what /metrics tells and no table can tell quickly."""

from __future__ import annotations

from collections.abc import Mapping

from alp_daemon.store.store import Transaction

# Upper bounds in seconds; a file of a million rows takes two or three.
SECONDS = (0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0)


def add(transaction: Transaction, name: str, by: Mapping[str, float]) -> None:
    """Adds to the counter of each label, in an order that is always the same: two at once must not wait in a circle."""
    labels = sorted(label for label in by if by[label])
    transaction.many("counters.add", [{"name": name, "label": label, "value": by[label]} for label in labels])
