"""Which ten-digit numbers of the numbering plan +1 are valid and take texts, as one table for whole columns.

``phonenumbers`` decides 31,000 numbers a second; the table answers a million in a few hundredths of one, and
alike: it is made from the metadata of the installed release, by the rules of ``is_valid_number`` and
``number_type``. Those look at the first seven digits of a NANP number only, which is checked while the table is
made. (Six are too few: 246521, 246522 and 876606 need the seventh.)

Making it takes 0.02 s. So each process that needs it makes its own, and nothing is kept on disk, where it could
be torn or belong to another release.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE
from phonenumbers.phonemetadata import PhoneMetadata, PhoneNumberDesc

from alp_daemon.domain.digit_pattern import ANY, Product, expand

COUNTRY_CODE: Final = 1
_NUMBER_LENGTH: Final = 10
_DECIDING_DIGITS: Final = 7
_AREA_SHAPE: Final = (10,) * 4
_BEHIND: Final = 10 ** (_NUMBER_LENGTH - _DECIDING_DIGITS)

Area = NDArray[np.bool_]
"""One truth for each of the four deciding digits behind an area code: shape (10, 10, 10, 10)."""


Tails = tuple[Product, ...]
"""What the four deciding digits behind an area code may be."""


class Verdict(IntEnum):
    """What ``NanpTable.classify`` answers; ``phone.parse`` says a key, ``invalid`` or ``not_mobile``."""

    invalid = 0
    textable = 1
    not_mobile = 2


@dataclass(frozen=True, slots=True)
class NanpTable:
    """The verdict of every number, found by its first seven digits."""

    verdicts: NDArray[np.uint8]

    def classify(self, ten_digits: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Return a ``Verdict`` code for each number of ten digits (0 to 9,999,999,999)."""
        return self.verdicts[ten_digits // _BEHIND]

    def keys(self, ten_digits: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the keys (E.164 digits) of numbers of ten digits, valid or not."""
        return ten_digits + COUNTRY_CODE * 10**_NUMBER_LENGTH


def ten_digits(digits: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the ten digits of texts that match ``phone.SIMPLE_NANP``, given all their digits as integers.

    Such a text has ten digits of which the first is 2 to 9, perhaps a 1 before them, and a 0 behind them if it
    was written as a float. So from 20,000,000,000 on the last digit is that 0.
    """
    whole = np.where(digits >= 2 * 10**_NUMBER_LENGTH, digits // 10, digits)
    return whole % 10**_NUMBER_LENGTH


@lru_cache(maxsize=1)
def table() -> NanpTable:
    """Return the table of the installed ``phonenumbers`` release; the first call makes it."""
    plans = [_Plan.of(region) for region in COUNTRY_CODE_TO_REGION_CODE[COUNTRY_CODE]]
    verdicts = np.zeros((1000, 10**4), np.uint8)
    for code in sorted(set().union(*(plan.area_codes for plan in plans))):
        verdicts[code] = _area_verdicts(code, [plan for plan in plans if code in plan.area_codes]).ravel()
    return NanpTable(verdicts.ravel())


def is_made() -> bool:
    """Whether this process has the table already, so that the shortest column is cheaper to look up than to parse."""
    return table.cache_info().currsize > 0


def _area_verdicts(code: int, plans: Sequence[_Plan]) -> NDArray[np.uint8]:
    """Decide one area code as ``region_code_for_number`` does: the first region to claim a number judges it."""
    verdicts = np.zeros(_AREA_SHAPE, np.uint8)
    unclaimed = np.ones(_AREA_SHAPE, np.bool_)
    for plan in plans:
        judged = plan.judge(code)
        claimed = unclaimed & (_area(plan.claims.tails(code)) if plan.claims else judged > Verdict.invalid)
        verdicts[claimed] = judged[claimed]
        unclaimed &= ~claimed
    return verdicts


@dataclass(frozen=True, slots=True)
class _Plan:
    """One region's numbers. ``claims`` is what belongs to it, valid or not; ``None``: whatever is valid in it."""

    claims: _Numbers | None
    general: _Numbers
    special: _Numbers
    fixed: _Numbers
    mobile: _Numbers
    area_codes: Set[int]
    """Where the region may claim a number."""

    @classmethod
    def of(cls, region: str) -> _Plan:
        metadata = PhoneMetadata.metadata_for_region(region)
        assert metadata is not None, region
        claims = _Numbers.beginning(metadata.leading_digits) if metadata.leading_digits else None
        special = _Numbers.of(
            metadata.premium_rate,
            metadata.toll_free,
            metadata.shared_cost,
            metadata.voip,
            metadata.personal_number,
            metadata.pager,
            metadata.uan,
            metadata.voicemail,
        )
        fixed, mobile = _Numbers.of(metadata.fixed_line), _Numbers.of(metadata.mobile)
        area_codes = claims.area_codes if claims else special.area_codes | fixed.area_codes | mobile.area_codes
        return cls(claims, _Numbers.of(metadata.general_desc), special, fixed, mobile, area_codes)

    def judge(self, code: int) -> NDArray[np.uint8]:
        return _judged(*(numbers.tails(code) for numbers in (self.general, self.special, self.fixed, self.mobile)))


class _Numbers:
    """A set of ten-digit numbers: for each area code the products that the next four digits may be."""

    def __init__(self, products: Iterable[Product]) -> None:
        self._tails: defaultdict[int, Tails] = defaultdict(tuple)
        for first, second, third, *tail in products:
            for code in (100 * a + 10 * b + c for a in first for b in second for c in third):
                self._tails[code] += (tuple(tail),)

    @classmethod
    def of(cls, *descriptions: PhoneNumberDesc | None) -> _Numbers:
        """What any of the descriptions matches, by the rule of ``_is_number_matching_desc``."""
        able = (description for description in descriptions if description and _may_be_long_enough(description))
        return _matching(tuple(description.national_number_pattern or "" for description in able))

    @classmethod
    def beginning(cls, leading_digits: str) -> _Numbers:
        """The numbers that begin with what the pattern matches."""
        anything = (ANY,) * _DECIDING_DIGITS
        return cls((product + anything)[:_DECIDING_DIGITS] for product in expand(leading_digits))

    @property
    def area_codes(self) -> Set[int]:
        return self._tails.keys()

    def tails(self, code: int) -> Tails:
        return self._tails.get(code, ())


def _may_be_long_enough(description: PhoneNumberDesc) -> bool:
    return not description.possible_length or _NUMBER_LENGTH in description.possible_length


# Hundreds of area codes have the same tails ([2-9] and six free digits) and dozens of regions the same patterns:
# with these caches the table takes a third of the time.
@lru_cache(maxsize=256)
def _judged(general: Tails, special: Tails, fixed: Tails, mobile: Tails) -> NDArray[np.uint8]:
    """Follow ``_number_type_helper``: special types come first; what is mobile, even if also fixed, is textable."""
    verdicts = np.zeros(_AREA_SHAPE, np.uint8)
    verdicts[_area(special) | _area(fixed)] = Verdict.not_mobile
    verdicts[_area(mobile) & ~_area(special)] = Verdict.textable
    verdicts[~_area(general)] = Verdict.invalid
    verdicts.flags.writeable = False
    return verdicts


@lru_cache(maxsize=256)
def _matching(patterns: tuple[str, ...]) -> _Numbers:
    products = [p for pattern in patterns for p in expand(pattern) if len(p) == _NUMBER_LENGTH]
    if any(digits != ANY for product in products for digits in product[_DECIDING_DIGITS:]):
        raise ValueError("this release of phonenumbers decides NANP numbers by more than seven digits")
    return _Numbers(product[:_DECIDING_DIGITS] for product in products)


@lru_cache(maxsize=256)
def _area(tails: Tails) -> Area:
    area = np.zeros(_AREA_SHAPE, np.bool_)
    for tail in tails:
        area[np.ix_(*tail)] = True
    area.flags.writeable = False
    return area
