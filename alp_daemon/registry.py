"""The customers of a running daemon: the last good version of each, whatever happens to the files meanwhile."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from threading import Lock

from alp_daemon.customers import SUFFIX, Customer, check_file, is_customer_file, overall, text_digest
from alp_daemon.domain.keyword import DEFAULT_WORDS, Words
from alp_daemon.problem import Problem

# Editors save by deleting and writing anew, and deployments replace whole folders: a file may be gone for a moment.
MISSING_TOLERANCE = timedelta(seconds=30)

_Signature = tuple[int, int, int]


class CustomerStatus(StrEnum):
    """Whether a customer may log in and have files processed: only while ``active``."""

    active = "active"
    missing = "missing"
    """The file has been gone for half a minute: log-ins are refused, files held, nothing is deleted."""
    broken = "broken"
    """There is a file, but it has not been usable since the daemon started."""
    unknown = "unknown"


@dataclass(frozen=True, slots=True)
class ReloadResult:
    """What one look at the folder found. Ids are sorted; ``problems`` are those of the files that were read now."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    """Whose file has now been gone for longer than is tolerated; each is told once."""
    returned: tuple[str, ...] = ()
    """Who was missing, told or not (files may have been held between two looks), and whose file is back."""
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class _Entry:
    signature: _Signature | None = None
    customer: Customer | None = None
    digest: str = ""
    """Of the file that ``customer`` was read from."""
    problems: tuple[Problem, ...] = ()
    missing_since: datetime | None = None
    told_missing: bool = False

    def is_missing(self, now: datetime) -> bool:
        return self.missing_since is not None and now - self.missing_since >= MISSING_TOLERANCE


_NEW = _Entry()


class Registry:
    """All customers of a folder. Any thread may read; readers see one whole state or the next one.

    It is empty until the first ``reload``. A broken edit costs nobody but its own customer, who keeps the version
    before it. ``words`` are those of inbound messages, which no keyword may be.
    """

    def __init__(self, directory: Path, words: Words = DEFAULT_WORDS) -> None:
        self._directory = directory
        self._words = words
        self._entries: dict[str, _Entry] = {}  # replaced as a whole, never changed
        self._reloading = Lock()

    @classmethod
    def of(cls, customer: Customer) -> Registry:
        """A registry that knows this one customer: for a command that works one file."""
        registry = cls(Path())
        registry._entries = {customer.id: _Entry(customer=customer)}
        return registry

    def reload(self, now: datetime) -> ReloadResult:
        """Look at the folder and read what has changed; cheap enough for every few seconds."""
        with self._reloading:
            before = self._entries
            signatures = _signatures(self._directory)
            present = {id_: self._present(id_, before.get(id_, _NEW), signatures[id_]) for id_ in signatures}
            absent = {
                id_: _absent(entry, now) for id_, entry in before.items() if id_ not in signatures and entry.customer
            }
            after = dict(sorted((present | absent).items()))
            self._entries = after
        return _compared(before, after, now)

    def customer(self, id_: str) -> Customer | None:
        """The last good version, also of a customer whose file is missing; ask ``status`` before acting on it."""
        entry = self._entries.get(id_)
        return entry.customer if entry else None

    def all(self) -> dict[str, Customer]:
        """The last good version of every customer, by id."""
        return {id_: entry.customer for id_, entry in self._entries.items() if entry.customer}

    def unusable(self) -> tuple[str, ...]:
        """Customers whose file has never been sound since the start, so that nothing is known of them here."""
        return tuple(id_ for id_, entry in self._entries.items() if entry.customer is None)

    def status(self, id_: str, now: datetime) -> CustomerStatus:
        entry = self._entries.get(id_)
        if entry is None:
            return CustomerStatus.unknown
        if entry.is_missing(now):
            return CustomerStatus.missing
        return CustomerStatus.active if entry.customer else CustomerStatus.broken

    def fingerprint(self) -> str:
        """SHA-256 (hex) over ids and bytes of all that is loaded: nodes that show the same work by the same rules.

        Of a broken file the last good version counts; of one that is gone nothing does.
        """
        entries = self._entries
        return overall({id_: each.digest for id_, each in entries.items() if each.customer and each.signature})

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Everything that is wrong or doubtful in the files as they are now."""
        return tuple(problem for entry in self._entries.values() for problem in entry.problems)

    def _present(self, id_: str, entry: _Entry, signature: _Signature) -> _Entry:
        if entry.signature == signature:
            return replace(entry, missing_since=None, told_missing=False)
        checked = check_file(self._directory / f"{id_}{SUFFIX}", self._words)
        if checked.customer is None or checked.document is None:
            return _Entry(signature, entry.customer, entry.digest, checked.problems)
        return _Entry(signature, checked.customer, text_digest(checked.document.text), checked.problems)


def _absent(entry: _Entry, now: datetime) -> _Entry:
    # The problems went with the file, and the same file coming back is read again to find them.
    gone = replace(entry, signature=None, problems=(), missing_since=entry.missing_since or now)
    return replace(gone, told_missing=gone.is_missing(now))


def _signatures(directory: Path) -> dict[str, _Signature]:
    """What tells that a file was edited or replaced, by customer; nothing for a folder that cannot be read."""
    signatures = {}
    try:
        with os.scandir(directory) as entries:
            names = [entry.name for entry in entries if is_customer_file(entry.name)]
    except OSError:
        return {}
    for name in names:
        try:
            stat = (directory / name).stat()
        except OSError:
            continue  # gone since, or a link to nothing
        signatures[name.removesuffix(SUFFIX)] = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
    return signatures


def _compared(before: dict[str, _Entry], after: dict[str, _Entry], now: datetime) -> ReloadResult:
    old = {id_: before.get(id_, _NEW) for id_ in after}
    read = [id_ for id_, entry in after.items() if entry.signature and entry.signature != old[id_].signature]
    return ReloadResult(
        added=tuple(id_ for id_ in read if after[id_].customer and not old[id_].customer),
        changed=tuple(id_ for id_ in read if old[id_].customer and after[id_].customer != old[id_].customer),
        missing=tuple(id_ for id_, entry in after.items() if entry.told_missing and not old[id_].told_missing),
        returned=tuple(id_ for id_, entry in after.items() if entry.signature and old[id_].is_missing(now)),
        problems=tuple(problem for id_ in read for problem in after[id_].problems),
    )
