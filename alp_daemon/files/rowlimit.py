"""How many rows one file may have: the cost of reading is theirs, and a packed file has millions in a few kilobytes."""

from __future__ import annotations

from alp_daemon.errors import UnusableFile

MAX_ROWS = 50_000_000
"""More than one for each number that a country texts, and none takes much more than a microsecond: a minute in all.
Without a limit it would be hours. The cells that take longer have limits of their own."""

MAX_PARSED = 30_000_000
"""Cells with a number, or what should be one, that had to be taken apart one by one: 30 to 60 µs each, so that a worker
is kept from the other customers' files for half an hour at the most. It is all numbers of a large country; of North
America those that are written as usual take 1 µs, and do not count."""


def check_rows(count: int, name: str) -> None:
    """Raises ``UnusableFile`` (``too_many_rows``) where a file, as far as it has been read, has too many."""
    if count > MAX_ROWS:
        raise UnusableFile(
            "too_many_rows",
            f"{name}: the file has more than {MAX_ROWS:,} rows, the most that is read. Send the list in several files.",
        )


def check_parsed(count: int, name: str) -> None:
    """Raises ``UnusableFile`` (``too_many_to_parse``) where so many cells of a file were taken apart one by one."""
    if count > MAX_PARSED:
        raise UnusableFile(
            "too_many_to_parse",
            f"{name}: more than {MAX_PARSED:,} different cells hold something else than a number of ten digits as it "
            "is written in North America, the most that is read. Is it the right column? Else send the list in several "
            "files.",
        )
