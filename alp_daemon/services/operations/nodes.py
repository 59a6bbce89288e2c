"""The nodes at work on one database: each says that it lives, and the living end what the dead have left open.

A PostgreSQL database may have many nodes; an SQLite file has one, and nobody who would ask for it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import alp_daemon
from alp_daemon import log
from alp_daemon.domain.model import Evidence
from alp_daemon.errors import Unavailable
from alp_daemon.services.processing import processes
from alp_daemon.services.receiving.arrival import Verdict, log_settled, settle_in
from alp_daemon.settings import Settings
from alp_daemon.store.store import Row, Store, Transaction, moment, stamp

PARTS: Mapping[str, Sequence[str]] = {
    "all": ("ftp", "worker", "web"),
    "ftp": ("ftp",),
    "worker": ("worker",),
    "web": ("web",),
}
"""What a role runs. Each part of a node runs once."""

_LONGEST_SILENCE = timedelta(seconds=10)
# A node says that it lives so often while a lease lasts.
_BEATS = 4
# A node that does not come back is not spoken of for ever.
_REMEMBERED = timedelta(days=7)

_GONE = Verdict(Evidence.cut, "the node that took it in died before it saw how the client left")


@dataclass(frozen=True, slots=True)
class Node:
    """A daemon, as the database knows it. ``customers`` is the fingerprint of the configuration it works by."""

    name: str
    role: str
    version: str
    customers: str
    seen_at: datetime

    def is_alive(self, now: datetime, lease: timedelta) -> bool:
        return now - self.seen_at < lease


def known(transaction: Transaction) -> list[Node]:
    """All nodes that have been at work lately, by name."""
    return [
        Node(row["name"], row["role"], row["version"], row["customers"], moment(row["seen_at"]))
        for row in transaction.all("nodes.all")
    ]


def living(store: Store, now: datetime, lease: timedelta) -> list[Node]:
    """Those that are at work on the database."""
    with store.read() as transaction:
        return [node for node in known(transaction) if node.is_alive(now, lease)]


@dataclass(frozen=True, slots=True)
class _LastWord:
    """The latest that a node has said by its own clock, and when we first knew of it by ours."""

    seen_at: datetime
    heard_at: datetime


class Presence:
    """One daemon among the nodes: it enters, says from time to time that it lives, and leaves."""

    def __init__(self, store: Store, settings: Settings, role: str) -> None:
        self._store = store
        self._name = settings.node_name
        self._lease = settings.lease
        self._role = role
        self._data_dir = settings.data_dir
        self._process = processes.identity(processes.here(settings.data_dir))
        self._entered_at: datetime | None = None
        self._heard_at: datetime | None = None
        """When the database last heard of us."""
        self._heard_since: datetime | None = None
        """Since when that has never been long ago: only then are others, of whom we hear nothing, dead."""
        self._last_words: dict[tuple[str, str], _LastWord] = {}
        """By name and role."""
        self._has_left = False
        self.is_displaced = False
        """Another daemon has our name: we were not heard of for longer than a lease. This one must end."""
        self._speaking = threading.Lock()

    @property
    def seconds(self) -> float:
        """How often to ``beat``."""
        return min(_LONGEST_SILENCE, self._lease / _BEATS).total_seconds()

    def enter(self, now: datetime) -> None:
        """Raises ``Unavailable`` where a daemon lives that has our name and does what we would do."""
        with self._store.write() as transaction:
            transaction.lock("node", self._name)
            for row in transaction.all("nodes.of_name", name=self._name):
                if set(PARTS[row["role"]]) & set(PARTS[self._role]):
                    self._take_place_of(transaction, row, now)
            transaction.run(
                "nodes.enter",
                name=self._name,
                role=self._role,
                process=self._process,
                version=alp_daemon.__version__,
                now=stamp(now),
            )
        self._entered_at = self._heard_at = self._heard_since = now

    def beat(self, customers: str, now: datetime) -> None:
        """Says that we live, and by which configuration we work (its fingerprint)."""
        with self._speaking:
            if not self._has_left:
                self._beat(customers, now)

    def _beat(self, customers: str, now: datetime) -> None:
        assert self._entered_at and self._heard_at
        with self._store.write() as transaction:
            seen = transaction.run(
                "nodes.seen",
                name=self._name,
                role=self._role,
                process=self._process,
                version=alp_daemon.__version__,
                customers=customers,
                started_at=stamp(self._entered_at),
                now=stamp(now),
            )
            transaction.run("nodes.forget", before=stamp(now - _REMEMBERED))
            others = known(transaction)
        if not seen:
            self.is_displaced = True
            log.error("node_name_taken", node=self._name, role=self._role)
        if now - self._heard_at > self._lease / 2:
            self._heard_since, self._last_words = now, {}
        self._heard_at = now
        self._listen(others, now)

    def _listen(self, others: Iterable[Node], now: datetime) -> None:
        """Notes who has said something since the last time."""
        said = {(node.name, node.role): node.seen_at for node in others}
        self._last_words |= {
            who: _LastWord(seen_at, now)
            for who, seen_at in said.items()
            if who not in self._last_words or self._last_words[who].seen_at != seen_at
        }

    def settle_for_dead(self, now: datetime) -> list[int]:
        """Settles as cut what nodes that died have left unsettled; returns the uploads.

        After a time in which the database was away, or we were, everybody looks dead: whoever is back waits as long as
        it takes the others to be heard again. Nor is anybody's clock asked but our own: a node is dead that has said
        nothing new for a lease.
        """
        assert self._heard_since
        if now - self._heard_since < self._lease:
            return []
        living = {
            name
            for (name, role), last in self._last_words.items()
            if "ftp" in PARTS[role] and now - last.heard_at < self._lease
        }
        with self._store.read() as transaction:
            unsettled = transaction.all("uploads.unsettled", since=stamp(now - self._lease))
        orphans = {int(row["id"]): _GONE for row in unsettled if row["node"] not in living}
        if not orphans:
            return []  # the usual round: no write lock is taken
        with self._store.write() as transaction:
            settled = settle_in(transaction, orphans)
        log_settled(settled)
        return list(settled)

    def leave(self) -> None:
        """The last word: no beat comes after it."""
        with self._speaking, self._store.write() as transaction:
            self._has_left = True
            transaction.run("nodes.remove", name=self._name, role=self._role, process=self._process)

    def _take_place_of(self, transaction: Transaction, row: Row, now: datetime) -> None:
        # Each part runs once on a data_dir, and now it is us: whoever had our name and our data_dir has ended.
        may_live = not processes.is_of(row["process"], self._data_dir)
        if may_live and moment(row["seen_at"]) > now - self._lease:
            raise Unavailable(
                f"a daemon of role {row['role']} calls itself node {self._name} on this database already; give every"
                f" node a name of its own (`node` in alp.yaml). If that one has died elsewhere, it counts as"
                f" alive until {moment(row['seen_at']) + self._lease:%H:%M:%S} (UTC): start this one then"
            )
        transaction.run("nodes.remove", name=self._name, role=row["role"], process=row["process"])
