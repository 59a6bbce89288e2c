"""The nouns: statuses, a list as arrays, the addresses of a file, and why a row was refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from alp_daemon.domain.subscribers import Subscribers

Keys = NDArray[np.int64]
Codes = NDArray[np.int32]
Statuses = NDArray[np.int8]

Tags = tuple[str, ...]
"""A set of tags as a sorted tuple without repetition. Two equal sets are equal tuples."""


class Status(IntEnum):
    """Where an address stands. The codes are stored: never renumber them.

    ``absent`` is an address that is not on the list. A row may hold it: the address was on the list once and an
    ``undo`` took it off again, so it is not new if it comes back.
    """

    absent = 0
    opted_in = 1
    suspended = 2
    opted_out = 3
    unsubscribed = 4


class Evidence(StrEnum):
    """How we know that a file is whole."""

    proven = "proven"
    assumed = "assumed"
    cut = "cut"


class UploadState(StrEnum):
    """Where an upload is on its way."""

    received = "received"
    held = "held"
    applied = "applied"
    rejected = "rejected"
    failed = "failed"
    discarded = "discarded"


CONFIRMED: Final = -(1 << 63)
"""The bit of ``ListState.feeds`` that is no feed's: the last event of the address is of a command that wants it so.

An undo leaves it: what was undone came before the command, and has not touched the address since.
"""

UNDONE = "undone"


STAGES: Final = (*UploadState, UNDONE)
"""All that ``stage`` may say."""


def stage(state: str, *, is_undone: bool) -> str:
    """What the state of an upload is called wherever people read it: one that was undone has stayed ``applied``."""
    return UNDONE if is_undone else state


@dataclass(frozen=True, slots=True)
class ListState:
    """A list, or some of its rows, as arrays of equal length sorted by ``keys``.

    A phone's key is its digits with the country code. ``tag_set`` and ``attrs`` are ids of immutable records
    (0 is the empty one); bit *n* of ``feeds`` says that the feed with that number has listed the address, and the
    highest one is ``CONFIRMED``.
    ``version`` is the number of the list's last change.
    """

    version: int
    keys: Keys
    status: Statuses
    tag_set: Codes
    attrs: Codes
    feeds: Keys

    @classmethod
    def empty(cls, version: int = 0) -> Self:
        return cls(
            version,
            np.empty(0, np.int64),
            np.empty(0, np.int8),
            np.empty(0, np.int32),
            np.empty(0, np.int32),
            np.empty(0, np.int64),
        )

    def __len__(self) -> int:
        return len(self.keys)

    def patched(self, newer: ListState) -> ListState:
        """This state with some rows as they are now; ``newer`` holds them, and the version of the whole."""
        if len(self) == 0:
            return newer
        kept = ~np.isin(self.keys, newer.keys, assume_unique=True)
        keys = np.concatenate((self.keys[kept], newer.keys))
        order = np.argsort(keys, kind="stable")
        return ListState(
            newer.version,
            keys[order],
            np.concatenate((self.status[kept], newer.status))[order],
            np.concatenate((self.tag_set[kept], newer.tag_set))[order],
            np.concatenate((self.attrs[kept], newer.attrs))[order],
            np.concatenate((self.feeds[kept], newer.feeds))[order],
        )


@dataclass(frozen=True, slots=True)
class Listed:
    """The addresses of a file: sorted distinct ``keys`` and, for each, the index of its tags in ``sets``."""

    keys: Keys
    tag_set: Codes
    sets: Sequence[Tags]

    @classmethod
    def empty(cls) -> Self:
        return cls(np.empty(0, np.int64), np.empty(0, np.int32), [()])


class Reject(NamedTuple):
    """A cell or row that was refused. ``row`` is the number a spreadsheet shows; ``reason`` a stable code."""

    row: int
    column: str
    value: str
    reason: str


@dataclass(slots=True)
class Buckets:
    """How many rows ended where. ``listed + duplicate + rejected + filtered + blank == read``."""

    read: int = 0
    listed: int = 0
    duplicate: int = 0
    rejected: int = 0
    filtered: int = 0
    blank: int = 0
    numbers: int = 0
    """Distinct addresses in the file, which several phone columns can make more than its rows."""


MAX_KEPT_REJECTS = 100_000
"""Rejects kept one by one; past these only the count goes on (a file of nothing but rejects fits in memory)."""


@dataclass(slots=True)
class Rejects:
    """The refused cells of a file: the first ``MAX_KEPT_REJECTS`` whole, all of them counted by reason."""

    kept: list[Reject] = field(default_factory=list)
    by_reason: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        return self.by_reason.total()

    @property
    def room(self) -> int:
        """How many more are kept whole."""
        return MAX_KEPT_REJECTS - len(self.kept)

    def add(self, reject: Reject) -> None:
        self.count(reject.reason)
        if self.room:
            self.kept.append(reject)

    def count(self, reason: str, times: int = 1) -> None:
        """What is not kept whole in any case."""
        if times:
            self.by_reason[reason] += times


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file said: its addresses, what became of each row, and how it ended."""

    listed: Listed
    removed: Keys
    """Addresses that ask to be opted out (a leading ``-`` in preformatted files, where so configured)."""
    buckets: Buckets
    rejects: Rejects
    columns: Sequence[str]
    """The header as the file has it, or ``A, B, C…`` where it has none."""
    ends_whole: bool | None
    """``True`` proven by a trailer; ``False`` the end is cut (short last row, missing trailer); else ``None``."""
    ends_with_newline: bool
    cut_reason: str = ""
    unusable: Keys = field(default_factory=lambda: np.empty(0, np.int64))
    """Sorted numbers in refused rows and cells: not listed, and not omitted either, since the file does name them."""
    said: Subscribers | None = None
    """What a file about e-mail subscribers said; ``listed`` is empty then, since it knows of no keys."""
