"""The figures of ``/metrics``, all from the database: any process of an installation tells the same."""

from __future__ import annotations

import threading
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from alp_daemon.services.addresses import history
from alp_daemon.services.alarms.lateness import expecting_feeds, overdue_feeds
from alp_daemon.store import counters
from alp_daemon.store.store import Store, Transaction, moment, stamp

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of a family; ``suffix`` makes the name of a histogram's parts."""

    value: float
    labels: Labels = ()
    suffix: str = ""


@dataclass(frozen=True, slots=True)
class Family:
    """A metric. ``type`` is one of Prometheus's: counter, gauge or histogram."""

    name: str
    type: str
    help: str
    samples: list[Sample] = field(default_factory=list)


class Metrics:
    """Reads the figures. Lists are counted again only when they have changed: that is what takes long."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._sizes: dict[str, tuple[int, dict[str, int]]] = {}
        self._counting = threading.Lock()

    def families(self, now: datetime) -> list[Family]:
        with self._store.read() as transaction:
            counted = _counted(transaction)
            uploads = transaction.all("metrics.uploads")
            applied = transaction.all("metrics.last_applied")
            lockouts = transaction.all("lockouts.active", now=stamp(now))
            expecting, overdue = expecting_feeds(transaction), overdue_feeds(transaction)
        return [
            Family(
                "alp_uploads_total",
                "counter",
                "Uploads by how they came and the state they are in.",
                [Sample(row["n"], (("channel", row["channel"]), ("state", row["state"]))) for row in uploads],
            ),
            Family("alp_rows_total", "counter", "Rows of finished files by bucket.", _by(counted, "rows", "bucket")),
            Family(
                "alp_file_seconds", "histogram", "How long a file took from its turn to its end.", _seconds(counted)
            ),
            Family(
                "alp_held_files",
                "gauge",
                "Files that wait for a person.",
                [Sample(sum(row["n"] for row in uploads if row["state"] == "held"))],
            ),
            Family("alp_list_size", "gauge", "Addresses on a list by status.", _by_list(self.list_sizes())),
            Family("alp_logins_total", "counter", "Judged log-ins by password.", _by(counted, "logins", "result")),
            Family("alp_lockouts_active", "gauge", "Addresses that are locked out.", [Sample(len(lockouts))]),
            Family(
                "alp_last_applied_timestamp_seconds",
                "gauge",
                "When a customer's file was last applied.",
                [Sample(moment(row["at"]).timestamp(), (("customer", row["customer"]),)) for row in applied],
            ),
            Family(
                "alp_feed_overdue",
                "gauge",
                "Whether the file of a feed that expects one has not come in time (1) or has (0).",
                _by_feed(expecting, {(each.customer, each.feed) for each in overdue}),
            ),
        ]

    def list_sizes(self) -> dict[str, dict[str, int]]:
        """Addresses by list and status."""
        # One at a time: two scrapes at once would count the same lists twice.
        with self._counting:
            for customer, version in history.versions(self._store).items():
                if self._sizes.get(customer, (-1,))[0] != version:
                    self._sizes[customer] = (version, history.sizes(self._store, customer))
            return {customer: sizes for customer, (_, sizes) in sorted(self._sizes.items())}


def _counted(transaction: Transaction) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for row in transaction.all("counters.all"):
        found.setdefault(row["name"], {})[row["label"]] = row["value"]
    return found


def _by(counted: Mapping[str, Mapping[str, float]], name: str, label: str) -> list[Sample]:
    return [Sample(value, ((label, each),)) for each, value in counted.get(name, {}).items()]


def _by_feed(feeds: Iterable[tuple[str, str]], marked: Container[tuple[str, str]]) -> list[Sample]:
    return [
        Sample(float((customer, feed) in marked), (("customer", customer), ("feed", feed)))
        for customer, feed in sorted(feeds)
    ]


def _by_list(sizes: Mapping[str, Mapping[str, int]]) -> list[Sample]:
    return [
        Sample(n, (("customer", customer), ("status", status)))
        for customer, of_status in sizes.items()
        for status, n in of_status.items()
    ]


def _seconds(counted: Mapping[str, Mapping[str, float]]) -> list[Sample]:
    """Prometheus's buckets hold all that is below their bound, so they add up."""
    kept = counted.get("seconds", {})
    samples, total = [], 0.0
    for bound in (*map(str, counters.SECONDS), "+Inf"):
        total += kept.get(bound, 0)
        samples.append(Sample(total, (("le", bound),), "_bucket"))
    return [*samples, Sample(kept.get("sum", 0), (), "_sum"), Sample(total, (), "_count")]
