"""The files of the benchmark, made from a seed: the same rows in every run and on every machine.

Ten columns of which four are mapped: a phone number as people write it, and three columns of tags (50 in all). One
row in a hundred has no valid number, one in two hundred repeats an earlier one.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SEED = 20261121
HEADER = "Account,Last,First,Phone,Street,Region,Feeder,Program,Balance,Since"
REGIONS = [f"region {n}" for n in range(1, 9)]
FEEDERS = [f"feeder {n}" for n in range(101, 133)]
PROGRAMS = [f"program {letter}" for letter in "ABCDEFGHIJ"]
BAD_SHARE, DUPLICATE_SHARE = 0.01, 0.005

_AREAS = (201, 202, 203, 205, 206, 207, 208, 209, 210, 212, 213, 214, 215, 216, 303, 305, 312, 313, 314, 315)
_EXCHANGES = tuple(n for n in range(220, 990) if n % 100 != 11 and n not in (555, 950, 958, 959, 976))
_FORMATS = (
    "({0}) {1}-{2}",
    "{0}-{1}-{2}",
    "{0}.{1}.{2}",
    "{0}{1}{2}",
    "+1 {0} {1} {2}",
    "1-{0}-{1}-{2}",
    "+1{0}{1}{2}",
)
_BAD = ("", "n/a", "555-0123", "(111) 555-0123", "2.12556E+09", "212-556-01234567", "unlisted")
_LAST = ("Smith", "Garcia", '"O\'Brien, Jr."', "Nguyen", "Müller", "Lee", "Johnson", "Brown")
_FIRST = ("Ann", "Bob", "Chi", "Dana", "Eve", "Fay", "Gus", "Hal")


@dataclass(frozen=True)
class People:
    """Who is on the file: one row each, in the order of the file. Tags are indices into the three vocabularies."""

    numbers: NDArray[np.int64]
    regions: NDArray[np.int64]
    feeders: NDArray[np.int64]
    programs: NDArray[np.int64]

    def take(self, rows: NDArray[np.int64]) -> People:
        return People(self.numbers[rows], self.regions[rows], self.feeders[rows], self.programs[rows])


def people(count: int) -> People:
    """So many people, and after them 0.5 % more who are on no file yet."""
    random = np.random.default_rng(SEED)
    wanted = count + count // 200 + 1
    all_numbers = len(_AREAS) * len(_EXCHANGES) * 10_000
    drawn = np.unique(random.integers(0, all_numbers, int(wanted * 1.2) + 100))
    numbers = random.permutation(drawn)[:wanted]
    assert len(numbers) == wanted, "too few distinct numbers were drawn"
    kinds = (len(REGIONS), len(FEEDERS), len(PROGRAMS))
    return People(numbers, *(random.integers(0, kind, wanted) for kind in kinds))


def first(everybody: People, count: int) -> People:
    """The file of cases A and B."""
    return everybody.take(np.arange(count))


def changed(everybody: People, count: int) -> People:
    """Case C: 1 % of the rows have another feeder, 0.5 % are gone, 0.5 % are new."""
    rows = np.arange(len(everybody.numbers))
    stays = np.ones(len(rows), np.bool_)
    stays[:count] = rows[:count] % 200 != 7
    feeders = everybody.feeders.copy()
    moved = rows % 100 == 13
    feeders[moved] = (feeders[moved] + 1) % len(FEEDERS)
    moved_people = People(everybody.numbers, everybody.regions, feeders, everybody.programs)
    return moved_people.take(np.flatnonzero(stays))


def shrunk(everybody: People, count: int) -> People:
    """Case D: one in ten is gone."""
    rows = np.arange(count)
    return everybody.take(rows[rows % 10 != 3])


def write(path: Path, listed: People) -> None:
    """Writes the CSV, with the bad rows and the duplicates among the good ones."""
    random = np.random.default_rng(SEED + 1)
    count = len(listed.numbers)
    is_bad = random.random(count) < BAD_SHARE
    repeats = random.random(count) < DUPLICATE_SHARE
    formats = random.integers(0, len(_FORMATS), count).tolist()
    columns = zip(
        listed.numbers.tolist(),
        listed.regions.tolist(),
        listed.feeders.tolist(),
        listed.programs.tolist(),
        formats,
        is_bad.tolist(),
        repeats.tolist(),
        strict=True,
    )
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(HEADER + "\n")
        for row, (number, region, feeder, program, format_, bad, repeat) in enumerate(columns):
            phone = _written(number, format_)
            if bad:
                file.write(_line(row, _BAD[row % len(_BAD)], region, feeder, program))
            file.write(_line(row, phone, region, feeder, program))
            if repeat:
                file.write(_line(row, _written(number, format_ - 1), region, feeder, program))


def digits(number: int) -> str:
    """The ten digits of a person's number."""
    rest, line = divmod(number, 10_000)
    area, exchange = divmod(rest, len(_EXCHANGES))
    return f"{_AREAS[area]}{_EXCHANGES[exchange]}{line:04}"


def tags(listed: People, row: int) -> list[str]:
    """One person's tags, sorted."""
    found = (REGIONS[listed.regions[row]], FEEDERS[listed.feeders[row]], PROGRAMS[listed.programs[row]])
    return sorted(found)


def _written(number: int, format_: int) -> str:
    ten = digits(number)
    return _FORMATS[format_].format(ten[:3], ten[3:6], ten[6:])


def _line(row: int, phone: str, region: int, feeder: int, program: int) -> str:
    return (
        f"{100_000_000 + row},{_LAST[row % 8]},{_FIRST[row // 8 % 8]},{phone},{row % 9_000 + 1} Long Meadow Street"
        f" Apartment {row % 97},{REGIONS[region]},{FEEDERS[feeder]},{PROGRAMS[program]},{row % 977}.{row % 100:02},"
        f"20{row % 20 + 5:02}-{row % 12 + 1:02}-{row % 28 + 1:02}\n"
    )
