"""Subscribers of a brand: e-mail addresses as numbers, and the attributes that an upload gives them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from alp_daemon.domain.model import Buckets, Codes, Keys, Rejects, Tags

Value = str | int | float | tuple[str, ...]
"""Of one attribute: text, an ISO date, a number, or several texts."""

BLANK = 0
UNSAID = -1
"""A code of ``Column``: the upload says nothing usable, so what is there stays."""
UNKNOWN = 0
NO_ATTRIBUTES = 0


class AddressBook:
    """The addresses that a list has ever held, and the keys of new ones. Keys count from 1 and are never reused."""

    def __init__(self, known: Mapping[str, int], next_key: int) -> None:
        self._keys = dict(known)
        self._next = next_key
        self._new: list[tuple[int, str]] = []

    def find(self, addresses: Iterable[str]) -> Keys:
        """Their keys; UNKNOWN for those that the list has never held."""
        return np.fromiter((self._keys.get(address, UNKNOWN) for address in addresses), np.int64)

    def take_in(self, addresses: Iterable[str]) -> Keys:
        """Their keys; who is new gets one. New keys rise with the address, so that both are stored in order."""
        listed = list(addresses)
        new = sorted(set(listed).difference(self._keys))
        keys = range(self._next, self._next + len(new))
        self._keys.update(zip(new, keys, strict=True))
        self._new += zip(keys, new, strict=True)
        self._next += len(new)
        return np.fromiter(map(self._keys.__getitem__, listed), np.int64, len(listed))

    def take_new(self) -> list[tuple[int, str]]:
        """Keys and addresses made since the last call, which are still to be stored."""
        new, self._new = self._new, []
        return new


class AttributeSets:
    """Attributes as immutable records: canonical JSON texts, and the ids of new ones that a plan makes."""

    def __init__(self, known: Mapping[int, str], next_id: int) -> None:
        self._texts = {NO_ATTRIBUTES: "{}", **known}
        self._next = next_id
        self._new: dict[str, int] = {}

    def texts(self, ids: Codes) -> list[str]:
        return [self._texts[id_] for id_ in ids.tolist()]

    def changed(self, ids: Codes, texts: Sequence[str]) -> Codes:
        """The ids after a change. Who keeps the same text keeps the same id."""
        return np.fromiter(map(self._id_after, ids.tolist(), texts), np.int32, len(ids))

    def take_new(self) -> list[tuple[int, str]]:
        """Ids and texts made since the last call, which are still to be stored."""
        new, self._new = self._new, {}
        return [(id_, text) for text, id_ in new.items()]

    def _id_after(self, before: int, text: str) -> int:
        if self._texts[before] == text:
            return before
        if text == "{}":
            return NO_ATTRIBUTES
        id_ = self._new.get(text)
        if id_ is None:
            id_ = self._new[text] = self._next
            self._texts[id_] = text
            self._next += 1
        return id_


@dataclass(frozen=True, slots=True)
class Column:
    """One defined field of an upload. ``codes`` has a place in ``values`` for each address, or BLANK or UNSAID.

    ``default`` fills what is blank on a new subscriber or has no value yet. With ``blank_removes`` a blank also
    replaces the value that is there: by the default, else by nothing.
    """

    name: str
    values: Sequence[Value]
    codes: Codes
    default: Value | None = None
    blank_removes: bool = False

    def of(self, rows: NDArray[np.intp]) -> Column:
        """The same field of some addresses only."""
        return replace(self, codes=self.codes[rows])


@dataclass(frozen=True, slots=True)
class Subscribers:
    """The distinct addresses of an upload in order of appearance; arrays have a place for each of them."""

    addresses: list[str]
    interests: Codes
    """The index of each address's interests in ``sets``: those named for all, and those of its records."""
    sets: Sequence[Tags]
    columns: tuple[Column, ...]
    """One for each field but the address and the interests, in the order of their definitions."""
    interests_named: Tags
    """Those named for all that exist."""
    ignored_interests: dict[str, int]
    """Names of no interest, and how often they were met: named for all, and in how many records."""
    buckets: Buckets
    rejects: Rejects
    unusable: Collection[str] = ()
    """Addresses in refused records: not listed, and not omitted either, since the file does name them."""


def attributes_after(before: Sequence[str], columns: Sequence[Column]) -> list[str]:
    """The canonical texts after the upload. What no column names is kept."""
    named = sorted(columns, key=lambda column: column.name)
    fresh = _as_of_new_subscribers(len(before), named)
    # Who had no attributes, or just these, needs no closer look: nearly everybody, on most nights.
    return [
        new if old in ("{}", new) else _merged(old, row, named)
        for row, (old, new) in enumerate(zip(before, fresh, strict=True))
    ]


def _as_of_new_subscribers(rows: int, named: Sequence[Column]) -> list[str]:
    if not named:
        return ["{}"] * rows
    pieces = [_pieces(column) for column in named]
    columns = [[known[code] for code in column.codes.tolist()] for known, column in zip(pieces, named, strict=True)]
    return ["{" + ",".join(filter(None, row)) + "}" for row in zip(*columns, strict=True)]


def _pieces(column: Column) -> list[str]:
    """``"name":value`` for each value of the column, for BLANK what its default gives, and last (UNSAID) nothing."""
    name = _json(column.name)
    blank = "" if column.default is None else f"{name}:{_json(column.default)}"
    return [blank, *(f"{name}:{_json(value)}" for value in column.values[1:]), ""]


def _merged(before: str, row: int, named: Sequence[Column]) -> str:
    attributes = json.loads(before)
    for column in named:
        code = int(column.codes[row])
        if code == UNSAID:
            continue
        if code != BLANK:
            attributes[column.name] = column.values[code]
        elif column.default is not None and (column.blank_removes or column.name not in attributes):
            attributes[column.name] = column.default
        elif column.blank_removes:
            attributes.pop(column.name, None)
    return "{" + ",".join(f"{_json(name)}:{_json(attributes[name])}" for name in sorted(attributes)) + "}"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
