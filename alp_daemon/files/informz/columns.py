"""The fields of an upload as columns: for each address the value that the file gives it."""

from __future__ import annotations

import numpy as np

from alp_daemon.domain.model import Codes, Keys
from alp_daemon.domain.subscribers import BLANK, UNSAID, Column, Value
from alp_daemon.files.blocks import Block, Indices
from alp_daemon.files.informz.fields import FieldDefinition
from alp_daemon.files.informz.values import BadValue, parser


class ColumnReader:
    """Takes one field's cells block by block."""

    def __init__(self, field: FieldDefinition, *, blank_removes: bool) -> None:
        self.field = field
        self._blank_removes = blank_removes
        self._parse = parser(field.data_type, multiple=field.multiple)
        self._places: dict[Value | None, int] = {None: BLANK}
        self._codes: list[Codes] = []

    def add(self, block: Block, rows: Indices) -> list[tuple[int, str, BadValue]]:
        """Take the cells of some rows; return the row, the text and the fault of those that have no value."""
        codes, texts = block.distinct(self.field.column)
        codes = codes[rows]
        places = np.full(len(texts), UNSAID, np.int32)
        bad: dict[int, BadValue] = {}
        for code, value in enumerate(map(self._parse, texts)):
            if type(value) is BadValue:
                bad[code] = value
            else:
                places[code] = self._places.setdefault(value, len(self._places))
        self._codes.append(places[codes])
        if not bad:
            return []
        at = np.flatnonzero(np.isin(codes, list(bad)))
        found = zip(rows[at].tolist(), codes[at].tolist(), strict=True)
        return [(row, texts[code], bad[code]) for row, code in found]

    def finish(self, addresses: Keys, count: int) -> Column:
        """The column over ``count`` addresses, given the address of each row that was taken; the cells are let go.

        Where an address has several rows, it is as if they had been applied one after the other.
        """
        by_row = np.concatenate([np.empty(0, np.int32), *self._codes])
        self._codes.clear()
        codes = np.full(count, UNSAID, np.int32)
        # Of several assignments to one place numpy leaves the last.
        passes = (by_row >= BLANK,) if self._blank_removes else (by_row == BLANK, by_row > BLANK)
        for said in passes:
            codes[addresses[said]] = by_row[said]
        values = ["" if value is None else value for value in self._places]
        self._places.clear()
        return Column(self.field.name, *_in_use(values, codes), self.field.default, self._blank_removes)


def _in_use(values: list[Value], codes: Codes) -> tuple[list[Value], Codes]:
    """Leave out values that a later row has replaced."""
    is_used = np.zeros(len(values) + 1, np.bool_)
    is_used[codes] = True  # UNSAID is the place behind the last
    is_used[[BLANK, UNSAID]] = True, False
    if is_used[:-1].all():
        return values, codes
    places = np.cumsum(is_used, dtype=np.int32) - np.int32(1)
    places[UNSAID] = UNSAID
    return [values[place] for place in np.flatnonzero(is_used).tolist()], places[codes]
