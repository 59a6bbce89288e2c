"""What must not be read in a log line, on stderr or in a mail. Written without a look at how the product masks."""

from __future__ import annotations

import re
from collections.abc import Iterator

# The ways in which the tests, and people, write a number: E.164, bare digits, a North American one in its groups.
_NUMBERS = (
    re.compile(r"\+\d{10,15}"),
    re.compile(r"(?<![\w.+-])(?:\+?1[ .-]?)?\(?[2-9]\d\d\)?[ .-]{0,2}[2-9]\d\d[ .-]{0,2}\d{4}(?!\d)"),
    re.compile(r"(?<![\w.-])(?!20[2-9]\d[01]\d[0-3]\d)\d{11,15}(?![\w.-])"),
)
# Who runs this or is told of it. Everybody else who has an address is a subscriber.
_OURS = r"(?:ops|alp|operators?|postmaster|reports?)@|@(?:provider|localhost)\b"
_ADDRESS = re.compile(rf"(?<![\w.+-])(?![^\s<>\"']*(?:{_OURS}))[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_SECRETS = (
    re.compile(r"alp_[0-9a-z]{26}"),
    re.compile(r"\b(?:[0-9a-z]{4}-){6}[0-9a-z]{4}\b"),
    re.compile(r"(?<![\w-])(?=[\w-]*[A-Z])(?=[\w-]*[a-z])(?=[\w-]*\d)[\w-]{43}(?![\w-])"),
    # Those that the tests choose themselves: log-ins, requests of BulkUpload, the mail server, the database.
    re.compile(r"hunter2|apasswordgoeshere|(?i:sesame)|://[^\s:/@]+:[^\s@]+@"),
)
# Ids and digests, in which ten digits may stand in a row by chance.
_HEXADECIMAL = re.compile(r"\b(?=\d*[a-f])(?:[0-9a-f]{16}|[0-9a-f]{32}|[0-9a-f]{64})\b")
# Ours, and nobody's: it shows how a number is written.
_EXAMPLE = "give exactly one, such as (212) 555-0123."
_LINK = re.compile(r"https?://\S+/approval/[\w-]{43}")


def in_line(text: str) -> Iterator[str]:
    """What a log line or a line on stderr gives away."""
    rest = _HEXADECIMAL.sub("", text.replace(_EXAMPLE, ""))
    for pattern in (*_NUMBERS, _ADDRESS, *_SECRETS):
        yield from (found[0] for found in pattern.finditer(rest))


def in_mail(text: str) -> Iterator[str]:
    """What a mail gives away. It may hold one secret, which is its purpose: the link to a decision."""
    yield from in_line(_LINK.sub("", text))
