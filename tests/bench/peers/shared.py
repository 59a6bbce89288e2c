"""What the peers in Python have in common: a number, a row's tags, and what a mode does to who is omitted."""

from __future__ import annotations

import phonenumbers

TAG_COLUMNS = ("Region", "Feeder", "Program")
OMITTED = {"append_tags": None, "soft_opt_out_tags": "suspended", "hard_opt_out": "opted_out"}
CREATE = "CREATE TABLE IF NOT EXISTS list (number TEXT PRIMARY KEY, status TEXT NOT NULL, tags TEXT NOT NULL)"
UPSERT = (
    "INSERT INTO list VALUES (?, 'opted_in', ?) ON CONFLICT (number) DO UPDATE SET tags = excluded.tags,"
    " status = 'opted_in' WHERE status != 'opted_out' AND (status != 'opted_in' OR tags != excluded.tags)"
)


def number(text: str) -> str | None:
    """E.164, or None where it is no valid number."""
    try:
        parsed = phonenumbers.parse(text, "US")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(parsed):
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def joined(tags: set[str]) -> str:
    return ";".join(sorted(tags))
