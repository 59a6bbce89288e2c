"""Columns of integers in PostgreSQL's binary formats, as numpy lays them out: no value passes through Python.

For writing that is COPY. For reading it is an array a column: COPY hands out each row by itself, and taking a million
rows apart one by one costs five times as much.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from struct import Struct
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psycopg import Connection
from psycopg.abc import AdaptContext, PyFormat
from psycopg.adapt import Dumper
from psycopg.pq import Format

# Bytes of a column, where they are not four (see migrations/postgres).
_WIDTHS = {"key": 8, "feeds": 8, "status": 2, "status_before": 2, "status_after": 2}
# The types of numbers of so many bytes, and of arrays of them (pg_type.dat).
_TYPES = {2: (21, 1005), 4: (23, 1007), 8: (20, 1016)}

# https://www.postgresql.org/docs/15/sql-copy.html, "Binary Format": signature, flags, no extension; at the end, -1.
_COPY_HEAD, _COPY_END = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
# As array_send() writes it: dimensions, whether there are NULLs, the element's type, the length, the first index.
_ARRAY_HEAD = Struct(">5i")
_ROWS_AT_ONCE = 100_000


def narrowed(name: str, column: NDArray[Any]) -> NDArray[Any]:
    """The column in the type that it has in the database."""
    return column.astype(f"i{_WIDTHS.get(name, 4)}", copy=False)


def copy(connection: Connection[Any], table: str, columns: Mapping[str, NDArray[Any] | int]) -> None:
    """Appends rows. A column that is one number is that number in every row."""
    names = ", ".join(columns)
    with connection.cursor().copy(f"COPY {table} ({names}) FROM STDIN (FORMAT BINARY)") as target:
        target.write(_COPY_HEAD)
        for rows in _rows(columns):
            target.write(rows)
        target.write(_COPY_END)


def _rows(columns: Mapping[str, NDArray[Any] | int]) -> Iterator[bytes]:
    """Each row is the number of its fields, and each field its length and value, all of them big-endian."""
    widths = {name: _WIDTHS.get(name, 4) for name in columns}
    fields = [field for name, width in widths.items() for field in ((f"{name} length", ">i4"), (name, f">i{width}"))]
    layout = np.dtype([("fields", ">i2"), *fields])
    length = max(len(column) for column in columns.values() if not isinstance(column, int))
    for start in range(0, length, _ROWS_AT_ONCE):
        rows = np.empty(min(_ROWS_AT_ONCE, length - start), layout)
        rows["fields"] = len(columns)
        for name, column in columns.items():
            rows[f"{name} length"] = widths[name]
            rows[name] = column if isinstance(column, int) else column[start : start + _ROWS_AT_ONCE]
        yield rows.tobytes()


def from_array(data: bytes) -> NDArray[Any]:
    """The numbers of an array without NULLs, as ``array_agg`` makes it."""
    width = next(width for width, types in _TYPES.items() if types[0] == _ARRAY_HEAD.unpack_from(data)[2])
    column: NDArray[Any] = np.frombuffer(data, _elements(width), offset=_ARRAY_HEAD.size)["value"]
    return column


def _elements(width: int) -> np.dtype[np.void]:
    return np.dtype([("length", ">i4"), ("value", f">i{width}")])


class ArrayDumper(Dumper):
    """Hands a column of two, four or eight bytes over as an array."""

    format = Format.BINARY

    def get_key(self, obj: NDArray[Any], format: PyFormat) -> tuple[type, type]:  # noqa: ARG002  psycopg's name
        return (self.cls, obj.dtype.type)

    def upgrade(self, obj: NDArray[Any], format: PyFormat) -> ArrayDumper:  # noqa: ARG002
        dumper = ArrayDumper(self.cls, self._context)
        dumper.oid = _TYPES[obj.dtype.itemsize][1]
        return dumper

    def __init__(self, cls: type, context: AdaptContext | None = None) -> None:
        super().__init__(cls, context)
        self._context = context

    def dump(self, obj: NDArray[Any]) -> bytes:
        width = obj.dtype.itemsize
        elements = np.empty(len(obj), _elements(width))
        elements["length"], elements["value"] = width, obj
        return _ARRAY_HEAD.pack(1, 0, _TYPES[width][0], len(obj), 1) + elements.tobytes()
