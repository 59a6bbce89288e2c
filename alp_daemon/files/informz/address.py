"""What is an e-mail address, by email-validator, and how a million of them are judged in a second."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Any, Final

NO_EMAIL: Final = "no_email"
BAD_EMAIL: Final = "bad_email"

REASONS: Final[dict[str, str]] = {
    NO_EMAIL: "The first column must hold the e-mail address: fill it in, or leave the record out.",
    BAD_EMAIL: "This is no e-mail address: correct it. One address stands in a record, without a name around it.",
}
"""Why a record was refused, as one sentence with the cure."""

_LOCAL: Final = "[a-z0-9_+&'-]++"
_LABEL: Final = "[a-z0-9]++(?:-[a-z0-9]++)*+"

# Nearly all addresses. 64 characters, because a label of a domain may have 63.
_PLAIN = re.compile(rf"(?!.{{65}}){_LOCAL}(?:\.{_LOCAL})*+@(?:{_LABEL}\.)+[a-z]{{2,}}+")


# None of it stands in an address, unless in quotes, which nobody writes.
_AROUND = re.compile(r"""[\s<>()\[\],;:"\\]+""")

# Signs of an address that prose writes behind one, or on both sides.
_PROSE: Final = ".'"


def parse(text: str) -> str | None:
    """Return the address that a text stands for: trimmed, in lower case, NFC; ``None`` where it stands for none.

    This judges how an address is written (RFC 5321, 6531 and 5891), not whether mail would arrive: nothing is looked
    up, and names reserved for examples and tests are names. Parsing an address gives the address itself.
    """
    address = text.strip().lower()
    return address if _PLAIN.fullmatch(address) else _validated(address)


def parts_of(text: str) -> set[str]:
    """What in a text may be an address: ``ann@example.com`` in ``Ann <ann@example.com>``. Each is to be parsed."""
    parts = {part for part in _AROUND.split(text) if "@" in part}
    return parts | {part.strip(_PROSE) for part in parts}


def are_plain(addresses: Iterable[str]) -> bool:
    """Whether these are certainly addresses, each in its final form; ``False`` leaves the question open."""
    return all(map(_PLAIN.fullmatch, addresses))


def _validated(address: str) -> str | None:
    validate, invalid = _validator()
    try:
        normalized: str = validate(address, check_deliverability=False).normalized.lower()
    except invalid:
        return None
    return normalized


@cache
def _validator() -> tuple[Any, type[Exception]]:
    # 50 ms that a list of plain addresses does not pay.
    import email_validator

    email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()  # the way its documentation names to allow them
    return email_validator.validate_email, email_validator.EmailNotValidError
