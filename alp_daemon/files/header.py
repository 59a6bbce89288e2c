"""The columns of a file, and which one a reference in the field map means."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from alp_daemon.errors import UnusableFile

_REJECTS_HEADER = ("row", "column", "value", "reason")
_LETTERS = re.compile(r"[A-Za-z]{1,3}")


@dataclass(frozen=True, slots=True)
class Header:
    """The names of a file's columns: its own, or ``A, B, C…`` where it has none (``named`` is false)."""

    names: tuple[str, ...]
    named: bool
    place: str
    """Where the columns are seen, for messages: ``members.csv: row 1 (the header)``."""

    @classmethod
    def lettered(cls, width: int, place: str) -> Header:
        return cls(tuple(map(letter, range(width))), False, place)

    def locate(self, references: Iterable[str]) -> dict[str, int]:
        """Return the index of each referenced column: by name if the file has names, else by number or letter.

        Raises ``UnusableFile``: ``missing_column`` naming every column that is not there, ``duplicate_column``.
        """
        found = {reference: self._index(reference) for reference in references}
        missing = [reference for reference, index in found.items() if index is None]
        if missing:
            raise UnusableFile(
                "missing_column",
                f"{self.place} has no column {', '.join(self._with_hint(name) for name in missing)}. "
                f"The file has: {', '.join(self.names)}. Send the file with that column, or correct the field map.",
            )
        return {reference: index for reference, index in found.items() if index is not None}

    def _index(self, reference: str) -> int | None:
        wanted = fold(reference)
        same_name = [i for i, name in enumerate(self.names) if self.named and fold(name) == wanted]
        if len(same_name) > 1:
            raise UnusableFile(
                "duplicate_column",
                f'{self.place} has several columns "{reference.strip()}": {", ".join(map(letter, same_name))}. '
                "Give each its own name, or map the column by its letter.",
            )
        return same_name[0] if same_name else self._index_by_place(reference.strip())

    def _index_by_place(self, reference: str) -> int | None:
        if reference.isascii() and reference.isdigit():
            index = int(reference) - 1
        elif _LETTERS.fullmatch(reference):
            index = _letter_index(reference)
        else:
            return None
        return index if 0 <= index < len(self.names) else None

    def _with_hint(self, missing: str) -> str:
        by_folded = {fold(name): name for name in self.names}
        near = difflib.get_close_matches(fold(missing), by_folded, n=1, cutoff=0.7) if self.named else []
        return f'"{missing}" (did you mean "{by_folded[near[0]]}"?)' if near else f'"{missing}"'


def fold(text: str) -> str:
    """The form in which names and filter words are compared: trimmed, case ignored."""
    return text.strip().casefold()


def letter(index: int) -> str:
    """The spreadsheet's letter of a column: 0 is ``A``, 26 is ``AA``."""
    letters = ""
    index += 1
    while index:
        index, digit = divmod(index - 1, 26)
        letters = chr(ord("A") + digit) + letters
    return letters


def _letter_index(letters: str) -> int:
    index = 0
    for character in letters.upper():
        index = index * 26 + ord(character) - ord("A") + 1
    return index - 1


def is_rejects_header(row: Sequence[str]) -> bool:
    """Whether a row is the header of a ``rejects.csv``, whatever program has saved it anew in between."""
    cells = re.split(r"[,;\t|]", ",".join(row).replace('"', ""))
    return tuple(map(fold, cells))[:4] == _REJECTS_HEADER and not any(cells[4:])
