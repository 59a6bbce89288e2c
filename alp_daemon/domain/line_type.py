"""Which lines take texts, from data that the operator loads: numbers and prefixes with their line types.

libphonenumber cannot tell a mobile from a landline in most of NANP; a numbering or porting data base can. A row
for a whole number beats every prefix, since a ported number keeps its digits; among prefixes the longest wins.
"""

from __future__ import annotations

import re
from enum import IntEnum
from typing import Final, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from alp_daemon.domain.phone import valid_key


class LineType(IntEnum):
    """What kind of line a number is. The codes are stored: never renumber them. Only ``mobile`` takes texts."""

    unknown = 0
    mobile = 1
    landline = 2
    voip = 3
    toll_free = 4
    other = 5


# The names in use: ours, those of Twilio's Line Type Intelligence, and what carriers' files say. Compared
# without case and punctuation, so that tollFree, toll_free and "Toll Free" are one.
_NAMES: Final = {
    "unknown": LineType.unknown,
    "mobile": LineType.mobile,
    "wireless": LineType.mobile,
    "cellular": LineType.mobile,
    "cell": LineType.mobile,
    "landline": LineType.landline,
    "wireline": LineType.landline,
    "fixed": LineType.landline,
    "fixedline": LineType.landline,
    "voip": LineType.voip,
    "fixedvoip": LineType.voip,
    "nonfixedvoip": LineType.voip,
    "tollfree": LineType.toll_free,
    "other": LineType.other,
    "premium": LineType.other,
    "sharedcost": LineType.other,
    "personal": LineType.other,
    "pager": LineType.other,
    "uan": LineType.other,
    "voicemail": LineType.other,
}


class LineTypeRow(NamedTuple):
    """One row of line-type data: E.164 digits, whether they are a whole number, and the type."""

    digits: int
    whole: bool
    line_type: LineType


# +1 and up to ten digits, the same without +1 or without the +, or any other country with its +.
_NUMBER = re.compile(r"\+?1[0-9]{0,10}|[2-9][0-9]{0,9}|\+[2-9][0-9]{0,14}")


def parse_row(number: str, type_name: str) -> LineTypeRow | str:
    """Read one row, or say what is wrong with it.

    Digits without a ``+`` belong to +1: ``212555``, ``1212555`` and ``+1212555`` are the same prefix, since no
    area code begins with 1. Digits that make a whole number are that number (in +1 those with eleven digits,
    elsewhere those that libphonenumber calls valid); others are a prefix.
    """
    line_type = _NAMES.get(re.sub(r"[\W_]", "", type_name).lower())
    if line_type is None:
        # The value is not repeated: where the columns are swapped it is a phone number.
        return f"expected a line type: {', '.join(LineType.__members__)}"
    plain = re.sub(r"[-. ()/\u00a0]", "", number)
    if not _NUMBER.fullmatch(plain):
        return "expected a number or prefix: up to 15 digits, with + and the country code outside +1"
    digits = int(plain if plain[0] in "+1" else f"1{plain}")
    if str(digits)[0] == "1":
        return LineTypeRow(digits, digits >= 10**10, line_type)  # spares millions of rows the slow question
    key = valid_key(plain)
    return LineTypeRow(digits if key is None else key, key is not None, line_type)


class LineTypes:
    """Line types by number and by prefix, for whole columns of keys at once."""

    def __init__(self, numbers: _Types, prefixes: dict[int, _Types]) -> None:
        self._numbers = numbers
        self._prefixes = prefixes

    @classmethod
    def of(cls, digits: ArrayLike, whole: ArrayLike, line_types: ArrayLike) -> Self:
        """Build from the columns of ``LineTypeRow``s; of two rows for the same digits the later one holds."""
        all_digits = np.asarray(digits, np.int64)
        is_whole = np.asarray(whole, np.bool_)
        codes = np.asarray(line_types, np.uint8)
        lengths = np.where(is_whole, 0, _lengths(all_digits))

        def select(length: int) -> _Types:
            chosen = lengths == length
            return _Types.of(all_digits[chosen], codes[chosen])

        longest_first = sorted({*lengths.tolist()} - {0}, reverse=True)
        return cls(select(0), {length: select(length) for length in longest_first})

    def lookup(self, keys: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Return the ``LineType`` code of each key."""
        types, found = self._numbers.find(keys)
        lengths = _lengths(keys)
        for length, prefixes in self._prefixes.items():
            undecided = np.flatnonzero(~found & (lengths >= length))
            heads = keys[undecided] // 10 ** (lengths[undecided] - length)
            prefix_types, hit = prefixes.find(heads)
            types[undecided[hit]] = prefix_types[hit]
            found[undecided[hit]] = True
        return types

    def textable(self, keys: NDArray[np.int64], unknown: Literal["accept", "reject"]) -> NDArray[np.bool_]:
        """Say for each key whether a text can reach it; ``unknown`` decides where the data does not know."""
        types = self.lookup(keys)
        accepted = [LineType.mobile, LineType.unknown] if unknown == "accept" else [LineType.mobile]
        return np.isin(types, accepted)


class _Types(NamedTuple):
    """Sorted distinct digits and the type of each."""

    digits: NDArray[np.int64]
    codes: NDArray[np.uint8]

    @classmethod
    def of(cls, digits: NDArray[np.int64], codes: NDArray[np.uint8]) -> Self:
        latest_first = digits[::-1]
        distinct, first = np.unique(latest_first, return_index=True)
        return cls(distinct, codes[::-1][first])

    def find(self, wanted: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """Return the types of the wanted digits (``unknown`` where there is no row) and where there is a row."""
        if not len(self.digits):
            return np.zeros(len(wanted), np.uint8), np.zeros(len(wanted), np.bool_)
        at = np.minimum(np.searchsorted(self.digits, wanted), len(self.digits) - 1)
        found = self.digits[at] == wanted
        return np.where(found, self.codes[at], np.uint8(LineType.unknown)), found


_POWERS = 10 ** np.arange(1, 19, dtype=np.int64)


def _lengths(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    return 1 + np.searchsorted(_POWERS, numbers, side="right")
