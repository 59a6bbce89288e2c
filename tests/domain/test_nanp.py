"""The table of NANP numbers is libphonenumber's own verdict, prefix by prefix."""

from __future__ import annotations

import random

import numpy as np
import phonenumbers
import pytest
from phonenumbers import PhoneNumber

from alp_daemon.domain import nanp, phone


def expected(ten_digits: int) -> nanp.Verdict:
    """The verdict of ``is_valid_number`` and ``number_type``."""
    number = PhoneNumber(country_code=1, national_number=ten_digits)
    if not phonenumbers.is_valid_number(number):
        return nanp.Verdict.invalid
    if phonenumbers.number_type(number) in phone.TEXTABLE:
        return nanp.Verdict.textable
    return nanp.Verdict.not_mobile


def differences(prefixes: np.ndarray) -> list[int]:
    """The seven-digit prefixes on which the table is wrong, each tried with random last digits."""
    last_digits = np.random.default_rng(1).integers(0, 1000, len(prefixes))
    numbers = prefixes * 1000 + last_digits
    verdicts = nanp.table().classify(numbers)
    return [
        number // 1000
        for number, verdict in zip(numbers.tolist(), verdicts.tolist(), strict=True)
        if verdict != expected(number)
    ]


def test_random_prefixes() -> None:
    assert differences(np.random.default_rng(2).integers(2_000_000, 10_000_000, 20_000)) == []


def test_both_sides_of_every_boundary() -> None:
    boundaries = np.flatnonzero(np.diff(nanp.table().verdicts))
    both_sides = np.union1d(boundaries, boundaries + 1)
    both_sides = both_sides[both_sides >= 2_000_000]
    assert len(both_sides) > 1000
    assert differences(both_sides) == []


def test_some_numbers_need_the_seventh_digit() -> None:
    by_six = nanp.table().verdicts.reshape(-1, 10)
    mixed = np.flatnonzero(by_six.min(axis=1) != by_six.max(axis=1)).tolist()
    assert {246521, 246522, 876606} <= set(mixed)


def test_a_number_never_begins_with_0_or_1() -> None:
    assert not nanp.table().verdicts[:2_000_000].any()


@pytest.mark.parametrize("national", [2125550123, 9999999999, 2000000000])
@pytest.mark.parametrize("before", ["", "1"])
@pytest.mark.parametrize("behind", ["", "0"])
def test_ten_digits(before: str, national: int, behind: str) -> None:
    digits = np.array([int(f"{before}{national}{behind}")])
    assert nanp.ten_digits(digits).tolist() == [national]


def test_a_key_has_the_country_code() -> None:
    assert nanp.table().keys(np.array([2125550123])).tolist() == [12125550123]


def test_a_column_is_classified_in_order() -> None:
    rng = random.Random(3)
    column = [rng.choice([2125550123, 8005550123, 1115550123]) for _ in range(100)]
    verdicts = nanp.table().classify(np.array(column)).tolist()
    assert verdicts == [expected(number) for number in column]


def test_it_is_made_once() -> None:
    made = nanp.table()
    assert nanp.is_made()
    assert nanp.table() is made
