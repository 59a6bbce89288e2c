"""What lists are after files, in the fewest words: an independent second opinion, and not the engine."""

from __future__ import annotations

from collections.abc import Iterable

List = dict[str, tuple[str, frozenset[str]]]
"""Number → status and tags."""
Rows = list[tuple[str, str]]
"""A number and a tag each."""

_SETS_TAGS = ("append_tags", "soft_opt_out_tags", "hard_opt_out")
_OMITTED = {"soft_opt_out": "suspended", "soft_opt_out_tags": "suspended", "hard_opt_out": "opted_out"}


def apply(numbers: List, rows: Rows, mode: str) -> int:
    """Changes the list as one file of this mode does; returns how many numbers it changed."""
    before = dict(numbers)
    for number in {number for number, _ in rows}:
        tags = frozenset(tag for other, tag in rows if other == number)
        status, had = before.get(number, ("", frozenset()))
        if status != "opted_out":
            numbers[number] = ("opted_in", tags if mode in _SETS_TAGS else had | tags)
    for number in before.keys() - {number for number, _ in rows}:
        status, had = before[number]
        if status == "opted_in":
            numbers[number] = (_OMITTED.get(mode, status), had)
    return sum(before.get(number) != now for number, now in numbers.items())


def exported(numbers: List) -> str:
    """The list as ``alp-daemon export`` prints it."""
    lines = (f"+1{number},{status},{';'.join(sorted(tags))}" for number, (status, tags) in sorted(numbers.items()))
    return _lines(["number,status,tags", *lines])


def file_of(rows: Rows) -> str:
    return _lines(["Phone,Tag", *(f"{number},{tag}" for number, tag in rows)])


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
