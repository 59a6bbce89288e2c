"""Where the bytes of uploads are kept, each object under a name such as CUSTOMER/TOKEN: what every such place can do.

It is a folder of this node, a folder that several nodes share, or a bucket. An object is whole from the moment it is
there, never changes, and stays until it is removed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from alp_daemon.errors import NotFound, TryAgain

FRESH = timedelta(hours=1)
"""How long an object in shared storage may be without a record: another node has kept it and is about to write that."""

ASIDE = ".strays"
"""Where objects without a record lie; no customer can be called so."""

MARK = ".mark"
"""Bears, in shared storage, the mark of the one database whose files lie there."""

# What new_object() gives; nothing else in a shared folder or bucket is ours to put aside.
_NAME = re.compile(r"[^/]+/[0-9a-f]{32}")


class StorageAway(TryAgain):
    """The shared storage does not answer, or refuses; nothing is known of the object, and later it may be there.

    Clients read the message: it names no place. The log does.
    """

    def __init__(self) -> None:
        super().__init__("the storage of uploaded files is away at the moment; try again later")


class ForeignStorage(StorageAway):
    """The shared storage is another database's: each would take the other's objects for strays, and put them aside.

    For clients it is away. ``told`` is for who runs it: what, where, and what to do.
    """

    def __init__(self, where: str) -> None:
        super().__init__()
        self.told = (
            f"the spool {where} is another installation's: its {MARK} is not the mark of this database, and two on one"
            " storage would put each other's files aside. Give this one a folder or prefix of its own (`spool` in"
            f" alp.yaml). If no other database works on it any more, remove {where}/{MARK}, and start again: this one"
            " then leaves its own"
        )


class ObjectLost(NotFound):
    """The object is not there any more, or is not what was kept."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A durable object, its size in bytes, and its digest in hexadecimal where somebody has made it."""

    object: str
    size: int
    sha256: str | None = None


Recorded = Callable[[], set[str]]
"""The names of all objects that the database knows."""


class Objects(Protocol):
    """A place for objects. Safe for threads and for several processes at once.

    All raise :class:`StorageAway` or another ``TryAgain`` in a passing trouble, and ``Unavailable`` in a lasting one.
    """

    @property
    def shared(self) -> bool:
        """Whether other nodes keep their objects here too."""

    @property
    def side_by_side(self) -> int:
        """How many objects it pays to keep at the same time."""

    @property
    def few(self) -> int:
        """Fewer than this are kept one after the other: threads would cost more than they save."""

    def owner(self, claimant: str | None) -> str | None:
        """The mark of the database whose storage it is; what is nobody's becomes the claimant's, if there is one.

        Of several who claim it at once all are told the same.
        """

    def prepare(self, customer: str) -> None:
        """Makes room for objects of this customer."""

    def path(self, name: str) -> Path | None:
        """The object's own file, which a file may also be moved to; None where objects are no files."""

    def put(self, file: Path, name: str) -> Kept:
        """Keeps a finished file under this name, in whose stead it may be there already; the file itself may go.

        The bytes are durable; the name is once :meth:`sync` has returned.
        """

    def sync(self, customer: str) -> None:
        """Makes the names of a customer's objects durable."""

    def local(self, kept: Kept) -> AbstractContextManager[Path]:
        """The object as a file of this node to be read, for as long as the context lasts.

        Raises :class:`ObjectLost` where it is not there, or is not what was kept.
        """

    def size(self, name: str) -> int | None:
        """In bytes; None where there is no such object."""

    def remove(self, names: Collection[str]) -> None:
        """Those that are not there are no trouble."""

    def clean(self, recorded: Recorded) -> list[str]:
        """Puts aside the objects without a record that nobody is about to record; returns the names they had.

        A crash may have left them. Or somebody has brought back an older database, and these are customers' files.
        """

    def aside(self, kept_for: timedelta = timedelta(0)) -> list[str]:
        """The names of what was put aside so long ago or longer, for :meth:`remove`."""

    def trouble(self) -> str | None:
        """Why nothing can be kept here just now, in few words without names; None where it can. May block."""


def customer_of(name: str) -> str:
    """Whose object has this name."""
    return name.partition("/")[0]


def owner_of(mark: Callable[[], str | None], leave: Callable[[str], None], claimant: str | None) -> str | None:
    """As :meth:`Objects.owner`, for storage whose ``mark`` can be read, and left by one of several at the most."""
    found = mark()
    if found is None and claimant is not None:
        leave(claimant)
        found = mark()
    return found


def aside(name: str) -> str:
    """What an object CUSTOMER/TOKEN is called once it is put aside."""
    return f"{ASIDE}/{name.replace('/', '-')}"


def lost() -> ObjectLost:
    return ObjectLost("its file is not in the spool any more; ask for it to be sent again")


def damaged(kept: Kept, found: int) -> ObjectLost:
    return ObjectLost(
        f"its file in the spool is not the one that was received ({found:,} bytes, and {kept.size:,} were received);"
        " ask for it to be sent again"
    )


def strays(listed: Iterable[tuple[str, datetime]], now: datetime, recorded: Recorded) -> list[str]:
    """Objects of shared storage that nobody will record any more. ``listed`` are names and when each was kept.

    Both times are the storage's own: a node whose clock is wrong must not take another's fresh object for an old one.
    """
    old = {name for name, kept_at in listed if now - kept_at >= FRESH and _NAME.fullmatch(name)}
    # Asked after the listing: what is recorded meanwhile is in the answer.
    return sorted(old - recorded()) if old else []
