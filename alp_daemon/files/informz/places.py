"""The full sets of states and countries, for demographic categories of these types."""

from __future__ import annotations

import unicodedata
from typing import Final

from alp_daemon.files.informz import placenames

_MARKS: Final = ".'’"


def canonical_state(text: str) -> str | None:
    """The name of a state of the USA, given that or its postal code, in any case; ``None`` where there is no such."""
    return _STATES_BY_FORM.get(_form(text))


def canonical_country(text: str) -> str | None:
    """The name of a country, given that, a usual other one, or its ISO 3166-1 code of two or three letters."""
    return _COUNTRIES_BY_FORM.get(_form(text))


def _form(text: str) -> str:
    """How names are compared: without case, accents and punctuation, ``&`` and ``St.`` written out."""
    decomposed = unicodedata.normalize("NFKD", text.casefold().replace("&", " and "))
    letters = "".join(c if c.isalnum() else " " for c in decomposed if not unicodedata.combining(c) and c not in _MARKS)
    return " ".join("saint" if word == "st" else word for word in letters.split())


def _read(table: str, codes: int) -> tuple[tuple[str, ...], dict[str, str]]:
    """The names of a table whose lines begin with some codes, and from every form to the name."""
    rows = [line.split(" | ") for line in table.splitlines()]
    forms = {_form(text): row[codes] for row in rows for text in row}
    return tuple(row[codes] for row in rows), forms


STATES, _STATES_BY_FORM = _read(placenames.STATES, 1)
COUNTRIES, _COUNTRIES_BY_FORM = _read(placenames.COUNTRIES, 2)
