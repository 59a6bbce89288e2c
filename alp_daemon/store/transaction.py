"""An open transaction: named queries, and the tables of a list that are read and written by the million.

What each database does in its own way stands in ``sqlitetransaction.py`` and ``postgrestransaction.py``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from alp_daemon.domain.model import Keys, ListState
from alp_daemon.store.rows import Columns

Row = Mapping[str, Any]

ADDRESS = ("key", "status", "tag_set", "attrs", "feeds")
EVENT = ("key", "status_before", "status_after", "tags_before", "tags_after", "attrs_before", "attrs_after")


class Answer(Protocol):
    """What a statement gave: a cursor of either library, with rows as mappings."""

    @property
    def rowcount(self) -> int: ...
    def fetchone(self) -> Any: ...
    def fetchall(self) -> list[Any]: ...
    def close(self) -> None: ...


class Transaction(ABC):
    """One open transaction. Runs named queries; see ``queries/`` for what each does and takes."""

    @abstractmethod
    def _execute(self, name: str, values: Mapping[str, object]) -> Answer: ...

    def run(self, name: str, /, **values: object) -> int:
        """The number of rows that the statement changed."""
        return self._execute(name, values).rowcount

    def one(self, name: str, /, **values: object) -> Row | None:
        answer = self._execute(name, values)
        row: Row | None = answer.fetchone()
        answer.close()
        return row

    def all(self, name: str, /, **values: object) -> list[Row]:
        return self._execute(name, values).fetchall()

    @abstractmethod
    def many(self, name: str, rows: Iterable[Mapping[str, object]]) -> None:
        """Runs the statement for each of the rows."""

    @abstractmethod
    def time(self, now: datetime) -> datetime:
        """What all who use the database take for now, where each has a clock of its own; ``now`` is by this one's."""

    @abstractmethod
    def lock(self, *subject: str) -> None:
        """Waits until no other write transaction has locked this subject, and keeps it locked until the end.

        Who decides by what it has read, and writes by that decision, locks the subject before it reads. What was
        committed before is then seen, and nothing is decided beside it. Does nothing in a read transaction.
        """

    @abstractmethod
    def read_addresses(self, list_id: int, version: int) -> ListState:
        """Every row of the list, in the order of the keys."""

    @abstractmethod
    def read_some_addresses(self, list_id: int, version: int, keys: Keys) -> ListState:
        """Only the rows of these keys, which must be sorted."""

    @abstractmethod
    def upsert_addresses(self, list_id: int, rows: ListState) -> None:
        """Inserts the rows, or updates those that are there."""

    def is_read_right(self, list_id: int) -> bool:  # noqa: ARG002  only who reads from a copy can read wrongly
        """Whether what is read is what stands in the table."""
        return True

    @abstractmethod
    def insert_events(self, list_id: int, version: int, columns: Columns) -> None:
        """``columns``: key, status before and after, tag set before and after, attrs before and after."""

    @abstractmethod
    def read_events(self, list_id: int, version: int) -> list[NDArray[np.int64]]:
        """The columns of ``insert_events``, in key order."""

    @abstractmethod
    def read_texts(self, name: str, list_id: int) -> dict[int, str]:
        """Texts by their numbers, in the order of these. No text may hold a line break.

        The named query selects ``id`` and ``text``; it takes ``:list``, the id after which to begin (``:after``), and
        ``:limit``.
        """

    @abstractmethod
    def insert_emails(self, list_id: int, rows: Sequence[tuple[int, str]]) -> None:
        """``rows``: keys and addresses, sorted by both."""

    @abstractmethod
    def insert_attribute_sets(self, list_id: int, rows: Sequence[tuple[int, str]]) -> None:
        """``rows``: ids and JSON texts, sorted by id."""

    @abstractmethod
    def columns(self, table: str) -> list[str]:
        """The names of the columns of a table of ``copying.py``."""

    @abstractmethod
    def rows(self, select: str) -> Iterator[tuple[Any, ...]]:
        """All rows of a statement of ``copying.py``, of which only a part is in memory."""

    @abstractmethod
    def append(self, table: str, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
        """Adds rows as they are, ids included; the ids of later ones follow on."""
