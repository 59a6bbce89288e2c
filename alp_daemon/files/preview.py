"""The first rows of a file as it is, for a person who is writing its field map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from alp_daemon.customers import FileFormat
from alp_daemon.files.blocks import NumberedRow
from alp_daemon.files.table import open_table


@dataclass(frozen=True, slots=True)
class Preview:
    """A file's own columns (``A, B, C…`` where it has no header), and its first data rows with all their cells."""

    columns: Sequence[str]
    rows: Sequence[NumberedRow]


def first_rows(path: Path, file: FileFormat, *, name: str = "", limit: int = 20) -> Preview:
    """Return the first data rows of a file. Raises ``UnusableFile`` as ``reader.read`` does."""
    table = open_table(path, file, name)
    return Preview(table.header.names, list(islice(table.rows(), limit)))
