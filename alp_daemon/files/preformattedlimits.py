"""How much a preformatted file may hold: no person has seen, and approved, what its columns are.

All is far more than the tags that a file may bring along before a person has to look at it.
"""

from __future__ import annotations

from typing import Final

from alp_daemon.errors import UnusableFile
from alp_daemon.files.blocks import Block
from alp_daemon.files.judge import Judged

MAX_COLUMNS: Final = 1_000
"""Each takes its memory: 30,000 in a file of 3 MB took 600 MB."""

MAX_TAGS: Final = 100_000
"""Different ones in one file, texts that are none included. Three million, one for each number, took two minutes and
2 GB."""

MAX_CELLS: Final = 100_000_000
"""10,000,000 numbers with nine tags each. Cells that are all alike take 0.15 µs each, and some thousand of them a byte
of a packed file; where they differ from row to row it may be 5 µs."""

MAX_COMBINED: Final = 50_000_000
"""The weight of all tag sets (``Combinations.weight``): 400 MB. That is more than a million sets of ten tags."""

_COMPARED: Final = 100
"""Characters of a text that is no tag by which it differs from others: more than a tag may have."""


class PreformattedLimits:
    """Counts block after block of one file; ``name`` is what messages call it."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._tags: set[str] = set()
        self._cells = 0

    def check_width(self, block: Block) -> None:
        """Before anything is made of its columns. Raises ``UnusableFile`` (``too_many_columns``)."""
        if block.width > MAX_COLUMNS:
            raise UnusableFile(
                "too_many_columns",
                f"{self._name}: a row has {block.width:,} columns. A preformatted file has the number in column A and "
                f"tags in the next ones, {MAX_COLUMNS:,} columns at most. Are the line ends missing, or are there "
                "empty columns far to the right?",
            )

    def check(self, judged: Judged, combined: int) -> None:
        """Raises ``UnusableFile``: ``too_many_cells``, ``too_many_tags``, ``too_many_combinations``.

        ``combined`` is the weight of all tag sets so far.
        """
        self._check_cells(judged)
        self._check_tags(judged)
        if combined > MAX_COMBINED:
            raise UnusableFile(
                "too_many_combinations",
                f"{self._name}: nearly every row has tags of its own. A tag is for many numbers, and so are most "
                "combinations of tags. Does a column hold names, dates or account numbers? Leave it out, or send the "
                "list in several files.",
            )

    def _check_cells(self, judged: Judged) -> None:
        self._cells += len(judged.block) * judged.block.width
        if self._cells > MAX_CELLS:
            raise UnusableFile(
                "too_many_cells",
                f"{self._name}: the file has more than {MAX_CELLS:,} cells (rows by columns), the most that is read of "
                "a preformatted file. Are there empty columns to the right? Else send the list in several files.",
            )

    def _check_tags(self, judged: Judged) -> None:
        for column in judged.tags:
            self._tags.update(tag for cell in column.cells for tag in cell.tags)
            self._tags.update(word.text[:_COMPARED] for cell in column.cells for word in cell.bad)
        if len(self._tags) > MAX_TAGS:
            raise UnusableFile(
                "too_many_tags",
                f"{self._name}: the file has more than {MAX_TAGS:,} different tags. A preformatted file has the number "
                "in column A and tags, each for many numbers, in the next ones. Does a column hold names, addresses or "
                "account numbers? Leave it out.",
            )
