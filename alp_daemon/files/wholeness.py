"""Whether a file ends as a whole file does: its trailer, its last row, an open quote."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from alp_daemon.customers import Trailer
from alp_daemon.files.blocks import NumberedRow
from alp_daemon.files.header import Header


@dataclass(frozen=True, slots=True)
class Ending:
    """``whole``: ``True`` proven, ``False`` cut, ``None`` nothing speaks against it."""

    whole: bool | None
    cut_reason: str = ""


INSIDE_A_CHARACTER: Final = "the file ends inside a character"


def is_trailer(row: NumberedRow, trailer: Trailer | None) -> bool:
    return trailer is not None and bool(row.cells) and row.cells[0].strip().startswith(trailer.starts_with)


def of_trailer(row: NumberedRow, trailer: Trailer, header: Header, data_rows: int) -> Ending:
    """A trailer that is there proves the file whole, if its count (where it has one) is that of the data rows."""
    if trailer.count_column is None:
        return Ending(True)
    index = header.locate([trailer.count_column])[trailer.count_column]
    cell = row.cells[index].strip() if index < len(row.cells) else ""
    # Mainframes pad with zeros, reports group by thousands.
    if not re.fullmatch(r"[0-9][0-9,. ]*", cell):
        return Ending(False, f"the trailer (row {row.number}) should hold the number of rows, but it holds {cell!r}")
    announced = int(re.sub(r"[,. ]", "", cell))
    if announced != data_rows:
        return Ending(False, f"the trailer (row {row.number}) announces {announced:,} rows, the file has {data_rows:,}")
    return Ending(True)


def of_last_row(row: NumberedRow | None, trailer: Trailer | None, least_cells: int, *, ends_in_quote: bool) -> Ending:
    """The ending of a file whose last row, if it has one, is a data row."""
    if row is not None and ends_in_quote:
        return Ending(False, f"the file ends inside a quoted cell of row {row.number}")
    if trailer is not None:
        return Ending(False, f'the last row should be a trailer that starts with "{trailer.starts_with}"')
    if row is not None and len(row.cells) < least_cells:
        return Ending(
            False,
            f"the last row ({row.number}) has {len(row.cells)} cells, expected {least_cells} (if it is a total or "
            "a remark, it has to be agreed on as the feed's trailer)",
        )
    return Ending(None)
