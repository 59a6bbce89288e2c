"""The customers' files in the database: one configuration for all nodes, version by version.

A version is never changed. A push makes the next one, and so does going back: nodes only ever look for a newer one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from alp_daemon.customers import overall, text_digest
from alp_daemon.errors import NotFound, Refused
from alp_daemon.store.store import Row, Store, Transaction, stamp

KEPT_VERSIONS = 20
_MOST_NAMED = 10

Texts = Mapping[str, str]
"""What the files say, by customer."""


class Stand(NamedTuple):
    """What a folder was when it was pulled. The fingerprint tells the versions of two databases apart."""

    version: int
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Version:
    """One version of all files, of ``customers`` customers. ``repeats``: the older one that it went back to."""

    version: int
    pushed_at: str
    pushed_by: str
    customers: int
    fingerprint: str
    repeats: int | None

    @property
    def stand(self) -> Stand:
        return Stand(self.version, self.fingerprint)


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a push did. ``stand`` is the version in force now: the one before it where nothing differs."""

    stand: Stand
    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]

    @property
    def is_new(self) -> bool:
        return bool(self.added or self.changed or self.removed)


def push(
    store: Store,
    texts: Texts,
    by: str,
    now: datetime,
    *,
    based_on: Stand | None,
    anyway: bool = False,
    remove: bool = False,
) -> Pushed:
    """Makes these files, which must have been found sound, the newest version.

    ``based_on`` is the version that they were made from. Raises ``Refused`` where another one has been pushed since,
    unless ``anyway``; and where customers of the newest version are missing, unless ``remove``.
    """
    with store.write() as transaction:
        transaction.lock("customer_files")
        before = newest_in(transaction)
        if not anyway:
            _refuse_lost_update(before, based_on)
        return _put(transaction, before, texts, by, now, remove=remove)


def go_back(store: Store, version: int, texts: Texts, by: str, now: datetime, *, remove: bool = False) -> Pushed:
    """Makes ``texts``, the files of this older version, the newest one. Raises ``Refused`` as ``push`` does."""
    with store.write() as transaction:
        transaction.lock("customer_files")
        return _put(transaction, newest_in(transaction), texts, by, now, remove=remove, repeats=version)


def newest(store: Store) -> Version | None:
    """The version in force; None where nobody has pushed yet."""
    with store.read() as transaction:
        return newest_in(transaction)


def newest_in(transaction: Transaction) -> Version | None:
    """The version in force as this transaction sees it; None where nobody has pushed yet."""
    row = transaction.one("customer_versions.newest")
    return _version(row) if row else None


def versions(store: Store) -> list[Version]:
    """Those that are kept, newest first."""
    with store.read() as transaction:
        return [_version(row) for row in transaction.all("customer_versions.list")]


def texts_of(store: Store, version: int) -> dict[str, str]:
    """The files of a version. Raises ``NotFound`` where it is not kept."""
    with store.read() as transaction:
        kept = [row["version"] for row in transaction.all("customer_versions.list")]
        if version not in kept:
            known = f"{kept[-1]} to {kept[0]}" if kept else "none"
            raise NotFound(f"there is no version {version} of the customers' files; kept are: {known}")
        return texts_in(transaction, version)


def texts_in(transaction: Transaction, version: int) -> dict[str, str]:
    """The files of a version as this transaction sees them; none where it is not kept."""
    return {row["customer"]: row["content"] for row in transaction.all("customer_files.of_version", version=version)}


def fingerprint_of(texts: Texts) -> str:
    """What a registry shows that has loaded these files."""
    return overall({id_: text_digest(text) for id_, text in texts.items()})


def _put(
    transaction: Transaction,
    before: Version | None,
    texts: Texts,
    by: str,
    now: datetime,
    *,
    remove: bool,
    repeats: int | None = None,
) -> Pushed:
    old = texts_in(transaction, before.version) if before else {}
    added, removed = sorted(texts.keys() - old.keys()), sorted(old.keys() - texts.keys())
    changed = sorted(id_ for id_ in texts.keys() & old.keys() if texts[id_] != old[id_])
    if removed and not remove:
        raise Refused(
            f"these customers have no file any more: {_named(removed)}; their log-ins would be refused and their files"
            " held. Say --remove if that is meant"
        )
    if before and not (added or changed or removed):
        return Pushed(before.stand, (), (), ())
    stand = Stand(before.version + 1 if before else 1, fingerprint_of(texts))
    transaction.many("customer_files.end", [{"customer": id_, "version": stand.version} for id_ in changed + removed])
    rows = [{"customer": id_, "version": stand.version, "content": texts[id_]} for id_ in added + changed]
    transaction.many("customer_files.add", rows)
    transaction.run(
        "customer_versions.add",
        version=stand.version,
        now=stamp(now),
        by=by,
        customers=len(texts),
        fingerprint=stand.fingerprint,
        repeats=repeats,
    )
    oldest = stand.version - KEPT_VERSIONS + 1
    transaction.run("customer_versions.forget", oldest=oldest)
    transaction.run("customer_files.forget", oldest=oldest)
    return Pushed(stand, tuple(added), tuple(changed), tuple(removed))


def _refuse_lost_update(before: Version | None, based_on: Stand | None) -> None:
    if based_on == (before.stand if before else None):
        return
    cure = "make your change in a folder pulled anew (`alp-daemon customers pull --out DIR`), or say --anyway"
    if before is None:
        raise Refused("this folder was pulled from another database, and this one has no version yet; say --anyway")
    there = f"version {before.version}, pushed by {before.pushed_by} at {before.pushed_at}"
    if based_on is None:
        raise Refused(f"this folder does not come from what is in force, {there}; {cure}")
    raise Refused(f"this folder was made from version {based_on.version}, and in force is {there}; {cure}")


def _named(ids: list[str]) -> str:
    more = len(ids) - _MOST_NAMED
    return ", ".join(ids[:_MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def _version(row: Row) -> Version:
    return Version(**row)
