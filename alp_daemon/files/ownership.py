"""Whose the storage of a spool is: one database's alone, whose mark lies in it."""

from __future__ import annotations

from collections.abc import Callable

from alp_daemon import log
from alp_daemon.files.objects import ForeignStorage, Objects


class Ownership:
    """Whether it is this database's. ``mark`` is asked for that one's, outside of any transaction; only who gives it
    may keep files."""

    def __init__(self, objects: Objects, where: str, mark: Callable[[], str] | None) -> None:
        self._objects = objects
        self._where = where
        self._mark = mark
        self._is_ours: bool | None = None
        """None until the storage has said it."""

    def claim(self) -> None:
        """Makes sure that the storage is this database's; what is nobody's becomes so. It is asked anew each time.

        Raises :class:`ForeignStorage`, and :class:`StorageAway` while nobody can tell.
        """
        assert self._mark is not None, "only who knows the database's mark may keep files"
        mark = self._mark()
        self._is_ours = self._objects.owner(mark) == mark
        if not self._is_ours:
            error = ForeignStorage(self._where)
            log.error("storage_foreign", spool=self._where, what=error.told)
            raise error

    def must_be_ours(self) -> None:
        """As :meth:`claim`, until that has succeeded once: what was away at the start may turn out to be another's."""
        if self._objects.shared and not self._is_ours:
            self.claim()

    def told_foreign(self, mark: str | None) -> str | None:
        """What to do, where it is another database's than the one of this mark; the storage stays as it is.

        Raises :class:`StorageAway` while nobody can tell.
        """
        owner = self._objects.owner(None)
        return None if owner in (None, mark) else ForeignStorage(self._where).told

    def trouble(self) -> str | None:
        """In few words, as far as the storage has been asked."""
        return "is another database's" if self._is_ours is False else None
