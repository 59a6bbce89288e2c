"""The records of a BulkUpload: who is in it, with which interests and values, and what became of each record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from itertools import filterfalse
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from alp_daemon.domain.model import Buckets, Codes, Keys, Rejects
from alp_daemon.domain.subscribers import Subscribers
from alp_daemon.domain.tag_sets import TagSets
from alp_daemon.errors import UnusableFile
from alp_daemon.files.blocks import Block, Indices, Mask, RowsBlock, Widths
from alp_daemon.files.csvrows import CsvRows, Dialect
from alp_daemon.files.fastcsv import FastBlocks
from alp_daemon.files.informz import address
from alp_daemon.files.informz.columns import ColumnReader
from alp_daemon.files.informz.data import data_chunks
from alp_daemon.files.informz.fields import EMAIL, FieldDefinition, FieldType
from alp_daemon.files.informz.interests import KnownInterests
from alp_daemon.files.informz.request import QUOTE, BulkUpload
from alp_daemon.files.merge import merge
from alp_daemon.files.refusals import RAGGED_ROW, Refusal, refusal
from alp_daemon.files.rowlimit import check_rows

_ANY_WIDTH: Final = 2**31

_NOT_AN_ADDRESS: Final = -1


def read_subscribers(path: Path, upload: BulkUpload, *, name: str, known_interests: Collection[str]) -> Subscribers:
    """Read the records of a request that ``read_bulk_upload`` has read; ``name`` is what messages call the file.

    Records count from 1, blank lines too. Raises ``UnusableFile``: ``row_too_long``, ``too_many_rows``, ``open_quote``
    where the last record never ends, and what ``Document.pieces`` raises.
    """
    tally = _Tally(upload, KnownInterests(known_interests))
    dialect = Dialect(upload.delimiter, QUOTE if upload.quotes else None)
    widths = Widths(max(field.column for field in upload.fields) + 1, _ANY_WIDTH)
    blocks = FastBlocks(CsvRows(data_chunks(path, name), dialect, f"{name}: Data"), widths, ())
    for block in blocks:
        tally.add(block)
        check_rows(tally.rows_read, f"{name}: Data")
    tally.pass_over(blocks.blank)
    if blocks.last is not None:
        if blocks.ends_in_quote:
            raise UnusableFile(
                "open_quote",
                f"{name}: Data: row {blocks.last.number} opens a quote that is never closed, so that the records "
                "behind it cannot be told apart.",
            )
        tally.add(RowsBlock([blocks.last], widths))
    return tally.finish()


class _Tally:
    """Takes blocks of records in order. Each goes the same way: blank → ragged → address → interests and values.

    An address that can be read in a refused record is in the file all the same, though it is not listed.
    """

    def __init__(self, upload: BulkUpload, known: KnownInterests) -> None:
        self._buckets = Buckets()
        self._rejects = Rejects()
        self._unusable: set[str] = set()
        self._addresses = _Addresses()
        self._known = known
        self._sets = TagSets()
        self._named = known.look_up(upload.interests)
        self._ignored = Counter(self._named.unknown)
        self._interest_column = next(
            (field.column for field in upload.fields if field.field_type is FieldType.interest), None
        )
        self._columns = [
            ColumnReader(field, blank_removes=upload.blank_removes and field.field_type is FieldType.personal_info)
            for field in upload.fields
            if _is_value(field)
        ]
        self._rows: list[Keys] = []
        self._row_sets: list[Codes] = []

    @property
    def rows_read(self) -> int:
        return self._buckets.read

    def add(self, block: Block) -> None:
        cells = block.texts(EMAIL.column, np.arange(len(block)))
        texts = np.array([cell.strip().lower() for cell in cells], np.object_)
        blank = _blank(block, texts == "")
        ragged = {row: complaint for row, complaint in block.ragged().items() if not blank[row]}
        codes = self._codes(texts, ragged)
        rows = np.flatnonzero(codes != _NOT_AN_ADDRESS)
        refused = np.flatnonzero(~blank & (codes == _NOT_AN_ADDRESS))

        self._buckets.read += len(block)
        self._buckets.blank += int(np.count_nonzero(blank))
        self._buckets.rejected += len(refused)
        refusals = [refusal(block, row, 0, "", complaint, RAGGED_ROW) for row, complaint in ragged.items()]
        refusals += [
            refusal(block, row, 0, EMAIL.name, cells[row], address.BAD_EMAIL if texts[row] else address.NO_EMAIL)
            for row in refused.tolist()
            if row not in ragged
        ]
        refusals += self._take_values(block, rows)
        for *_, reject in sorted(refusals):
            self._rejects.add(reject)
        self._rows.append(codes[rows])
        self._row_sets.append(self._interests(block, rows))
        if len(refused):
            # In any of their cells: a delimiter too many has moved what stands behind it.
            self._unusable |= self._addresses.read_in(block.all_texts(refused))

    def pass_over(self, blank: int) -> None:
        """Counts blank records that are in no block."""
        self._buckets.read += blank
        self._buckets.blank += blank

    def finish(self) -> Subscribers:
        """Return what all blocks say together."""
        rows = np.concatenate([np.empty(0, np.int64), *self._rows])
        self._rows.clear()
        addresses = self._addresses.finish()
        columns = tuple(column.finish(rows, len(addresses)) for column in self._columns)
        sets = np.concatenate([np.empty(0, np.int32), *self._row_sets])
        merged = merge(rows, sets, np.ones(len(rows), np.bool_), self._sets)
        self._buckets.listed = merged.rows_listed
        self._buckets.duplicate = len(rows) - merged.rows_listed
        self._buckets.numbers = len(addresses)
        return Subscribers(
            addresses,
            merged.listed.tag_set,
            merged.listed.sets,
            columns,
            self._named.interests,
            dict(self._ignored),
            self._buckets,
            self._rejects,
            self._unusable,
        )

    def _codes(self, texts: NDArray[np.object_], ragged: Collection[int]) -> Keys:
        """The address of each record. What a ragged one holds in the first place is not asked."""
        asked = texts != ""
        asked[list(ragged)] = False
        codes = np.full(len(texts), _NOT_AN_ADDRESS, np.int64)
        codes[asked] = self._addresses.codes(texts[asked].tolist())
        return codes

    def _take_values(self, block: Block, rows: Indices) -> list[Refusal]:
        return [
            refusal(block, row, place, column.field.name, text, reason)
            for place, column in enumerate(self._columns, start=1)
            for row, text, reason in column.add(block, rows)
        ]

    def _interests(self, block: Block, rows: Indices) -> Codes:
        """The interests of some rows, those of InterestDetails among them. Each distinct cell is looked at once."""
        if self._interest_column is None:
            return np.full(len(rows), self._sets.intern(self._named.interests), np.int32)
        codes, texts = block.distinct(self._interest_column)
        codes = codes[rows]
        cells = [self._known.in_cell(text) for text in texts]
        for cell, count in zip(cells, np.bincount(codes, minlength=len(cells)).tolist(), strict=True):
            self._ignored.update(dict.fromkeys(cell.unknown, count) if count else {})
        sets = [tuple(sorted({*self._named.interests, *cell.interests})) for cell in cells]
        by_row: Codes = self._sets.ids(sets)[codes]
        return by_row


class _Addresses:
    """The distinct addresses of a file, numbered in order of appearance. Each distinct text is judged once."""

    def __init__(self) -> None:
        self._listed: list[str] = []
        self._codes: dict[str, int] = {}

    def codes(self, texts: list[str]) -> Keys:
        """The number of each text's address, or ``_NOT_AN_ADDRESS``; texts are trimmed and in lower case."""
        new = list(filterfalse(self._codes.__contains__, dict.fromkeys(texts)))
        if address.are_plain(new):
            codes = np.arange(len(self._listed), len(self._listed) + len(new))
            self._codes.update(zip(new, codes.tolist(), strict=True))
            self._listed += new
            if len(new) == len(texts):
                return codes
        else:
            for text in new:
                self._codes[text] = self._code_of(text)
        return np.fromiter(map(self._codes.__getitem__, texts), np.int64, len(texts))

    def read_in(self, texts: Iterable[str]) -> set[str]:
        """The addresses that stand in some texts, whatever is around them. They get no number."""
        parts = {part for text in texts for part in address.parts_of(text.lower())}
        judged = {part for part in parts if self._codes.get(part) == _NOT_AN_ADDRESS}
        return set(filter(None, map(address.parse, parts - judged)))

    def finish(self) -> list[str]:
        """The addresses in the order of their numbers. What finding them took is let go."""
        self._codes.clear()
        return self._listed

    def _code_of(self, text: str) -> int:
        found = address.parse(text)
        if found is None:
            return _NOT_AN_ADDRESS
        code = self._codes.setdefault(found, len(self._listed))
        if code == len(self._listed):
            self._listed.append(found)
        return code


def _is_value(field: FieldDefinition) -> bool:
    return field.field_type not in (FieldType.email, FieldType.interest)


def _blank(block: Block, without_address: Mask) -> Mask:
    blank = np.zeros(len(block), np.bool_)
    candidates = np.flatnonzero(without_address)
    blank[candidates] = block.blank(candidates)
    return blank
