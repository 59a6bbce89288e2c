"""What is a tag: a label of 1 to 75 characters that can stand in a list separated by commas or semicolons."""

from __future__ import annotations

import unicodedata
from enum import StrEnum
from typing import Final

MAX_LENGTH: Final = 75
"""Characters after normalising to NFC."""

_SEPARATORS: Final = frozenset(",;")  # the export joins tags with one of them, people with the other
_UNPRINTABLE: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
_UNREADABLE: Final = "\ufffd"  # stands where a byte of the file could not be decoded


class BadTag(StrEnum):
    """Why a text is no tag. The values are the stable reason codes of rejects."""

    empty = "tag_empty"
    too_long = "tag_too_long"
    control_character = "tag_control_character"
    separator = "tag_separator"

    @property
    def rule(self) -> str:
        """What a tag may be, for who has typed this one; ``REASONS`` are for who sends files."""
        return _RULES[self]


_RULES: Final[dict[BadTag, str]] = {
    BadTag.empty: "a tag needs at least one character",
    BadTag.too_long: f"a tag may have at most {MAX_LENGTH} characters",
    BadTag.control_character: "a tag may not hold line breaks, tabs or unreadable characters",
    BadTag.separator: "a tag may not hold commas or semicolons",
}

REASONS: Final[dict[str, str]] = {
    BadTag.empty.value: "A tag needs at least one character.",
    BadTag.too_long.value: f"A tag has at most {MAX_LENGTH} characters: shorten it.",
    BadTag.control_character.value: "This holds a line break, a tab or an unreadable character: type the tag anew.",
    BadTag.separator.value: "A tag holds no comma and no semicolon: use one tag column for each, or `split`.",
}
"""Why a text was refused, as one sentence with the cure."""


def clean(text: str) -> str | BadTag:
    """Return the tag that a text stands for (trimmed, NFC, case kept), or why it stands for none.

    ``BadTag`` is a ``str`` too, so ask for it with ``isinstance``. Cleaning a tag gives the tag itself.
    """
    tag = unicodedata.normalize("NFC", text).strip()
    if not tag:
        return BadTag.empty
    if len(tag) > MAX_LENGTH:
        return BadTag.too_long
    if not _SEPARATORS.isdisjoint(tag):
        return BadTag.separator
    if not tag.isprintable() and any(unicodedata.category(c) in _UNPRINTABLE for c in tag):
        return BadTag.control_character
    return BadTag.control_character if _UNREADABLE in tag else tag
