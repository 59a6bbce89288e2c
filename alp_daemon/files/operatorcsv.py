"""CSV files that an operator prepares to our own description: UTF-8, commas, a row a line."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from alp_daemon.errors import NotFound, UnusableFile


@contextmanager
def opened(path: Path) -> Iterator[IO[str]]:
    """The text, to be read with the csv module in the body. What goes wrong there too is said in a person's words.

    Raises ``NotFound``, and ``UnusableFile`` (``encoding``, ``csv``) for what is not such a file.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield file
    except FileNotFoundError as error:
        raise NotFound(f"{path}: there is no such file") from error
    except UnicodeDecodeError as error:
        raise UnusableFile("encoding", f"{path.name}: is not UTF-8 ({error.reason} at byte {error.start})") from error
    except csv.Error as error:
        raise UnusableFile("csv", f"{path.name}: is no CSV file ({error})") from error


def rows(path: Path, columns: Sequence[str], described: str) -> Iterator[tuple[int, dict[str, str | None]]]:
    """Each row by the names of the header, with the number that a spreadsheet shows.

    ``described`` says in a message what such a file has. Raises as ``opened``, and ``UnusableFile``
    (``missing_column``).
    """
    with opened(path) as file:
        reader = csv.DictReader(file)
        missing = [name for name in columns if name not in (reader.fieldnames or ())]
        if missing:
            raise UnusableFile("missing_column", f"{path.name}: no column {', '.join(missing)}; {described}")
        yield from enumerate(reader, start=2)
