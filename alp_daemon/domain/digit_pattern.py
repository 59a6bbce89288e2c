"""The regular expressions of numbering plans, written out as the strings of digits they match.

libphonenumber's patterns use digits, ``\\d``, classes such as ``[2-57-9]``, ``(?:…)``, ``|``, ``?`` and counts
such as ``{6}``: nothing that could match without end. Written out, a pattern is a list of products of digit
sets, and whole ranges of numbers can be decided at once.
"""

from __future__ import annotations

import re
from typing import Final

Digits = tuple[int, ...]
"""The digits that may stand at one place, in order."""

Product = tuple[Digits, ...]
"""The strings with one digit of each set, in this order."""

ANY: Final[Digits] = tuple(range(10))

_TOKEN = re.compile(
    r"(?P<group>\(\?:)|[|)]"
    r"|(?P<count>\?|\{(?P<least>\d+)(?:,(?P<most>\d+))?\})"
    r"|\[(?P<set>(?:\d(?:-\d)?)+)\]|(?P<any>\\d)|\d",
    re.ASCII,
)


def expand(pattern: str) -> list[Product]:
    """Return the products that together are all strings the pattern matches from end to end.

    Raises ``ValueError`` for a pattern with anything but the constructs named above.
    """
    tokens = list(_TOKEN.finditer(pattern))
    if "".join(token[0] for token in tokens) != pattern or pattern.count("(") != pattern.count(")"):
        raise ValueError(f"not a pattern of digits: {pattern}")
    tokens.reverse()  # popped from the end
    products = _alternatives(tokens)
    if tokens:
        raise ValueError(f"not a pattern of digits: {pattern}")
    return products


def _alternatives(tokens: list[re.Match[str]]) -> list[Product]:
    products = _sequence(tokens)
    while tokens and tokens[-1][0] == "|":
        tokens.pop()
        products += _sequence(tokens)
    return products


def _sequence(tokens: list[re.Match[str]]) -> list[Product]:
    products: list[Product] = [()]
    while tokens and tokens[-1][0] not in "|)":
        products = _join(products, _repeated(tokens))
    return products


def _repeated(tokens: list[re.Match[str]]) -> list[Product]:
    unit = _unit(tokens)
    if not tokens or not tokens[-1]["count"]:
        return unit
    count = tokens.pop()
    if count[0] == "?":
        return [(), *unit]
    least, most = int(count["least"]), int(count["most"] or count["least"])
    power: list[Product] = [()]
    repeated: list[Product] = []
    for times in range(most + 1):
        if times >= least:
            repeated += power
        power = _join(power, unit)
    return repeated


def _unit(tokens: list[re.Match[str]]) -> list[Product]:
    token = tokens.pop()
    if token["group"]:
        products = _alternatives(tokens)
        tokens.pop()  # the closing bracket
        return products
    if token["any"]:
        return [(ANY,)]
    if token["set"]:
        return [(_digit_set(token["set"]),)]
    return [((int(token[0]),),)]


def _digit_set(text: str) -> Digits:
    ranges = re.findall(r"(\d)(?:-(\d))?", text)
    digits = {digit for first, last in ranges for digit in range(int(first), int(last or first) + 1)}
    return tuple(sorted(digits))


def _join(heads: list[Product], tails: list[Product]) -> list[Product]:
    return [head + tail for head in heads for tail in tails]
