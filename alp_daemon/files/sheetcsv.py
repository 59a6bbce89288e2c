"""A program of its own: write one sheet of a spreadsheet to standard output as CSV, each cell as a person sees it.

It runs in a process of its own because a damaged file can do to the spreadsheet library what no ``except`` catches:
end its process, loop, or ask for hundreds of gigabytes for a stray cell in the last corner of a sheet. It imports
nothing of this package, which keeps its start cheap.
"""

from __future__ import annotations

import csv
import datetime as dt
import resource
import sys
from collections.abc import Iterator
from typing import Final

from python_calamine import CalamineError, CalamineWorkbook, PasswordError, WorksheetNotFound

MAX_MEMORY: Final = 2 * 2**30
"""Bytes; a million rows of ten columns take a quarter of it."""

MAX_SECONDS: Final = 300
"""Of processor time; a million rows of ten columns take ten."""


def rows(path: str, sheet_name: str) -> Iterator[list[str]]:
    """The rows of a sheet (of the first one, without a name) from row 1 and column A on."""
    workbook = CalamineWorkbook.from_path(path)
    sheet = workbook.get_sheet_by_name(sheet_name) if sheet_name else workbook.get_sheet_by_index(0)
    # iter_rows begins at row 1 but at the first column in use.
    left_out = [""] * (sheet.start[1] if sheet.start else 0)
    for row in sheet.iter_rows():
        yield left_out + [cell if isinstance(cell, str) else text(cell) for cell in row]


def text(cell: object) -> str:
    """Numbers arrive as floats; a whole one is written without its fraction, as a phone number must be."""
    match cell:
        case bool():
            return "TRUE" if cell else "FALSE"
        case float() if cell.is_integer():
            return str(int(cell))
        case dt.date() | dt.time():
            return cell.isoformat()
        case _:
            return str(cell)


def main(path: str, sheet_name: str) -> str | None:
    """Return the stable code of what is wrong, if anything is."""
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_SECONDS, MAX_SECONDS))
    sys.stdout.reconfigure(encoding="utf-8", errors="replace", newline="")  # type: ignore[union-attr]
    try:
        csv.writer(sys.stdout).writerows(rows(path, sheet_name))
    except PasswordError:
        return "encrypted_spreadsheet"
    except WorksheetNotFound:
        return "missing_sheet"
    except (CalamineError, OSError, ValueError, MemoryError):
        return "corrupt_spreadsheet"
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
