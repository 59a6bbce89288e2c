"""How many rows one file may have: the cost of reading is theirs, and a packed file has millions in a few kilobytes."""

from __future__ import annotations

from alp_daemon.errors import UnusableFile

MAX_ROWS = 50_000_000
"""More than one for each number that a country texts. At the slowest (each row a reject) they keep a worker from the
other customers' files for some minutes; without a limit it would be hours."""


def check_rows(count: int, name: str) -> None:
    """Raises ``UnusableFile`` (``too_many_rows``) where a file, as far as it has been read, has too many."""
    if count > MAX_ROWS:
        raise UnusableFile(
            "too_many_rows",
            f"{name}: the file has more than {MAX_ROWS:,} rows, the most that is read. Send the list in several files.",
        )
