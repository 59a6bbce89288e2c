"""Names of files, and the patterns for them: what is a name for the time being only, and which patterns overlap."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from fnmatch import fnmatchcase

PREFORMATTED = "preformatted"
"""The feed that every customer has, and the FTP folder for its files."""
BULK_UPLOAD = "bulkupload"
"""The feed of every customer with a brand: its XML files."""

CUSTOMER_ID = r"[a-z0-9][a-z0-9_-]{0,62}"
CUSTOMER_ID_IS = "a name of small letters, digits, - and _"

# Names that FTP clients, browsers and copying programs give to a file until it is whole: WinSCP writes .filepart,
# Chrome .crdownload, lftp and many scripts .part or .tmp, editors a trailing ~.
_TEMPORARY = (".tmp", ".part", ".filepart", ".crdownload", "~")

# How Python keeps bytes of a name or an argument that are no UTF-8; no database and no terminal takes them so.
_UNREADABLE = re.compile("[\ud800-\udfff]")


def is_temporary(name: str) -> bool:
    """Whether a file of this name waits for its rename. ``name`` has no folder."""
    return name.startswith(".") or name.lower().endswith(_TEMPORARY)


def readable(text: str) -> str:
    """A name, or what else comes from outside, as it can be kept and shown: U+FFFD for what was no UTF-8."""
    return _UNREADABLE.sub("\ufffd", text)


def folded(text: str) -> str:
    """A name as it is compared: whatever its case, and composed (macOS decomposes)."""
    return unicodedata.normalize("NFC", text).casefold()


def pattern_fault(pattern: str) -> str | None:
    """Why no file could ever match, or ``None``."""
    if not pattern.strip():
        return 'the pattern is empty; "*" matches every name'
    if "/" in pattern or "\\" in pattern:
        return "expected a pattern for file names, without a folder"
    if "[" in _signs(pattern):
        return 'this pattern has a "[" that is never closed'
    if is_temporary(pattern):
        return "files of such a name wait to be renamed, so this pattern matches none"
    return None


def common_name(first: str, second: str) -> str | None:
    """A short name that both patterns match, or ``None`` where there is no such name."""
    one, other = _signs(folded(first)), _signs(folded(second))
    alphabet = sorted({*"x1._-", *folded(first), *folded(second), *_RANGES} - {*"/*?[]!"}, key="x1".find, reverse=True)
    queue = [(0, 0, "")]
    seen = {(0, 0)}
    for i, j, name in queue:  # grows while it is walked: breadth first, so that the example is short
        if i == len(one) and j == len(other):
            return name
        for next_i, next_j, sign in _steps(one[i : i + 1], other[j : j + 1], alphabet):
            at = (i + next_i, j + next_j)
            if at not in seen:
                seen.add(at)
                queue.append((*at, name + sign))
    return None


_SIGN = re.compile(r"\[!?+\]?+[^\]]*+\]|.", re.DOTALL)
_RANGES = "abcdefghijklmnopqrstuvwxyz0123456789"


def _signs(pattern: str) -> list[str]:
    """A pattern as what each of its parts is: ``*``, ``?``, ``[a-z]`` or a plain character."""
    return _SIGN.findall(pattern)


def _steps(a: list[str], b: list[str], alphabet: list[str]) -> Iterator[tuple[int, int, str]]:
    """How far each pattern can go on, and the character that it takes: ``*`` may end, or both take one alike."""
    if a == ["*"]:
        yield 1, 0, ""
    if b == ["*"]:
        yield 0, 1, ""
    if a and b and not a == b == ["*"]:
        for sign in alphabet:
            if fnmatchcase(sign, a[0]) and fnmatchcase(sign, b[0]):
                yield int(a != ["*"]), int(b != ["*"]), sign
                return
