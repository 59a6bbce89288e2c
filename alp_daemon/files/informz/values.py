"""What the cells of a field stand for: text, whole numbers, numbers, days."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import date
from enum import StrEnum
from typing import Final

from alp_daemon.domain.subscribers import Value

SEPARATOR: Final = ";"
"""Between the values of a field with several. Not the comma: it stands within the names of countries and people, and
Informz keeps it for interests. Exports join with this one too."""

_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")  # what 64 bits hold, here and in every database
_FLOAT = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_ISO_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_US_DATE = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})")


class DataType(StrEnum):
    string = "String"
    integer = "Integer"
    float = "Float"
    date = "Date"


class BadValue(StrEnum):
    """Why a text is no value of its type. The values are the stable reason codes of rejects."""

    integer = "bad_integer"
    float = "bad_float"
    date = "bad_date"


REASONS: Final[dict[str, str]] = {
    BadValue.integer.value: "This is no whole number of up to 18 digits: write it without separators, such as 1250.",
    BadValue.float.value: "This is no number: write it without separators and with a decimal point, such as 1250.5.",
    BadValue.date.value: "This is no date: write it as 2026-11-30 or 11/30/2026.",
}
"""Why a text was refused, as one sentence with the cure."""


Parser = Callable[[str], Value | BadValue | None]


def parser(data_type: DataType, *, multiple: bool = False) -> Parser:
    """Return the function that gives a cell's value in its canonical form, ``None`` for a blank, or why it has none.

    With ``multiple`` the value is a tuple: the canonical texts between the separators, distinct and sorted.
    A ``BadValue`` is a ``str`` too, so ask for its type.
    """
    single = _PARSERS[data_type]

    def parse(text: str) -> Value | BadValue | None:
        text = text.strip()
        return single(text) if text else None

    def parse_multiple(text: str) -> Value | BadValue | None:
        values = [single(part) for part in map(str.strip, text.split(SEPARATOR)) if part]
        bad = next((value for value in values if type(value) is BadValue), None)
        return bad or tuple(sorted(set(map(str, values)))) or None

    return parse_multiple if multiple else parse


def _integer(text: str) -> int | BadValue:
    return int(text) if _INTEGER.fullmatch(text) else BadValue.integer


def _float(text: str) -> float | BadValue:
    number = float(text) if _FLOAT.fullmatch(text) else math.inf
    return number + 0.0 if math.isfinite(number) else BadValue.float  # + 0.0 takes the sign off -0.0


def _date(text: str) -> str:
    """ISO 8601, or month/day/year as they write in the country that Informz comes from; never a guess between two."""
    if iso := _ISO_DATE.fullmatch(text):
        year, month, day = iso.groups()
    elif us := _US_DATE.fullmatch(text):
        month, day, year = us.groups()
    else:
        return BadValue.date
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return BadValue.date


_PARSERS: Final[dict[DataType, Callable[[str], str | int | float]]] = {
    DataType.string: str,
    DataType.integer: _integer,
    DataType.float: _float,
    DataType.date: _date,
}
