"""An SQLite file that many have open, and that only one who has it alone may replace.

The locks lie in a file beside it, since the file itself goes. A lock within SQLite would not do: who waited for that
would then write to what was replaced, and be told that it was kept.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from alp_daemon.errors import TryAgain, Unavailable
from alp_daemon.flock import alone_among, one_of_many

_TAKEN = "a backup is being put in its place, or it is being copied to another database; try again after that"


class Connection(sqlite3.Connection):
    """Keeps its file from being replaced until it is closed, or nobody has it any more."""

    _let_go: Callable[[], object] | None = None

    def holds(self, descriptor: int) -> None:
        self._let_go = finalizer = weakref.finalize(self, os.close, descriptor)
        finalizer.atexit = False  # a thread may be writing to the last

    def close(self) -> None:
        super().close()
        if self._let_go is not None:
            self._let_go()


def opened(path: Path, busy_seconds: float, *, sole: bool) -> Connection:
    """A connection in autocommit mode. Raises ``TryAgain`` within somebody's ``sole_use``, unless that is the caller's
    (``sole``) or the file nobody else's.
    """
    # First: the file might be replaced between the two.
    user = None if sole else _locked(path, one_of_many, _TAKEN)
    try:
        connection = sqlite3.connect(path, timeout=busy_seconds, isolation_level=None, factory=Connection)
    except BaseException:
        if user is not None:
            os.close(user)
        raise
    if user is not None:
        connection.holds(user)
    return connection


@contextmanager
def sole_use(path: Path) -> Iterator[None]:
    """Nobody on this machine opens the database meanwhile, but ``SqliteStore(path, sole=True)``.

    Raises ``TryAgain`` where somebody has it open.
    """
    descriptor = _locked(path, alone_among, "another program has it open; end that first")
    try:
        yield
    finally:
        os.close(descriptor)


def locks_of(path: Path) -> Path:
    """The file beside a database whose bytes are its locks."""
    return path.with_name(f"{path.name}-locks")


def _locked(path: Path, lock: Callable[[Path], int], taken: str) -> int:
    try:
        return lock(locks_of(path))
    except BlockingIOError as error:
        raise TryAgain(f"{path}: {taken}") from error
    except OSError as error:
        kind = TryAgain if error.errno in (errno.ENOSPC, errno.EDQUOT) else Unavailable
        raise kind(f"{path}: cannot be opened ({error.strerror}); check the folder, its owner and its disk") from error
