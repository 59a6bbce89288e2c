"""What may not be read in a log line or a mail: full numbers, addresses, secrets.

Texts from elsewhere get into both: the name of a file, a cell that an error quotes, an id that a gateway chose. So
they are masked where they leave, whatever has been put into them.
"""

from __future__ import annotations

import re
import unicodedata

# Ten digits or more, however they are grouped, and what looks like that but is none: a time, a time in a file's name,
# an IPv4 address, a digest or an id in hexadecimal. Counts with commas have fewer digits in a row.
_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|\d?\d)"
_DIGITS = re.compile(
    rf"""
    (?P<other>
        \b20\d\d-[01]\d-[0-3]\d[T ][0-2]\d:[0-5]\d
      | (?<!\d)(?<!\+)20\d\d(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])[-_T]?[0-2]\d[0-5]\d(?:[0-5]\d)?(?!\d)
      | (?<![\d.]){_OCTET}(?:\.{_OCTET}){{3}}(?![\d.])
      | \b(?=\d*[a-f])(?:[0-9a-f]{{16}}|[0-9a-f]{{32}}|[0-9a-f]{{64}})\b
    )
    | \+?\(?\d(?:[ ().-]{{0,3}}\d){{9,}}
    """,
    re.VERBOSE,
)
_DIGITS_AT_LEAST = 10
# From the beginning of a word only: from each of its letters, a long word without @ would take the square of its time.
_ADDRESS = re.compile(r"(?<![^\s\"'<>@])[^\s\"'<>@]+@[^\s\"'<>@]+")
# Passwords and tokens as `services.credentials` makes them, and what `secrets.token_urlsafe(32)` returns.
_SECRET = re.compile(
    r"\balp_[0-9a-z]{26}\b"
    r"|\b(?:[0-9a-z]{4}-){6}[0-9a-z]{4}\b"
    r"|(?<![\w-])(?=[\w-]*[A-Z])(?=[\w-]*[a-z])(?=[\w-]*\d)[A-Za-z0-9_-]{43}(?![\w-])"
)
_SECRET_AT_LEAST = 30
_HIDDEN = "•••"


def mask(number: str) -> str:
    """The text of a number as logs and mail may show it: ``+1212•••0123``.

    At least three digits are hidden, or all of them where there are fewer than six; letters never show.
    """
    text = number.strip()
    digits = "".join(str(unicodedata.decimal(character)) for character in text if character.isdecimal())
    if len(digits) < 6:
        head, tail = "", ""
    elif len(digits) < 10:
        head, tail = "", digits[-2:]
    else:
        head, tail = digits[: min(4, len(digits) - 7)], digits[-4:]
    return f"{'+' if text.startswith('+') else ''}{head}{_HIDDEN}{tail}"


def masked(text: str) -> str:
    """A text with the numbers and the e-mail addresses in it masked. To mask it again changes nothing."""
    if sum(map(str.isdecimal, text)) >= _DIGITS_AT_LEAST:  # most texts of a log line have none
        text = _DIGITS.sub(lambda found: found["other"] or mask(found[0]), text)
    return _ADDRESS.sub(_HIDDEN, text) if "@" in text else text


def without_secrets(text: str) -> str:
    """A text with the passwords and tokens that are made here hidden. A mail may hold one: the link to a decision."""
    return _SECRET.sub(_HIDDEN, text) if len(text) >= _SECRET_AT_LEAST else text
