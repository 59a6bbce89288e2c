"""Verdicts on the cells of a phone column, as one integer each, so that a column of them is an array."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Sequence
from functools import lru_cache
from itertools import compress
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from alp_daemon.domain import nanp, phone
from alp_daemon.domain.model import Keys
from alp_daemon.files.shapes import Shapes

Verdicts = NDArray[np.int64]
"""One integer a cell: a key (positive), ``BLANK``, or a negative number: why it is refused, and which number it means.

``-(256 * key + code)``, with the key 0 where the cell means no number that could be told.
"""

BLANK: Final = 0

REMOVE: Final = 1 << 60
"""Added to the key of a number that asks to be opted out. E.164 keys have 15 digits and stay below 2**50."""

_CODE_BITS: Final = 8

MINUS_MEANS_REMOVE: Final = "minus_means_remove"

TABLE_PAYS_FROM: Final = 3000
"""Distinct texts from which making the table (0.1 s) is cheaper than asking for each one (32 µs).

A process that has made it, for another file or beforehand, uses it for any number of them.
"""

_MOST_REMEMBERED: Final = 1024

# Anything that people or their word processors write for a minus. A number behind it must never be opted in.
MINUS: Final = "[-\u2010-\u2015\u2212\ufe58\ufe63\uff0d]"

_STARTS_WITH_MINUS = re.compile(rf"\s*{MINUS}")
_NOT_A_DIGIT = re.compile("[^0-9]+")
_HAS_A_NUMBER = re.compile(r"\d(?:\D{0,3}\d){6}")  # numbers have seven digits at least; not worth parsing are names
_SIMPLE = re.compile(phone.SIMPLE_NANP)
_BETWEEN_CELLS = re.compile("[\r\n,;|\t]+")

Minus = Literal["ignore", "reject", "opt_out"]

TakesTexts = Callable[[NDArray[np.int64]], NDArray[np.bool_]]
"""Says for each key whether a text can reach it, where line types were loaded."""


class PhoneCells:
    """The rule for phone cells of one file: whose country, and what a leading minus means."""

    def __init__(self, region: str, minus: Minus = "ignore", takes_texts: TakesTexts | None = None) -> None:
        self._takes_texts = takes_texts
        self._simple_holds = phone.is_nanp_region(region)
        """Whether the short cut for texts that match ``phone.SIMPLE_NANP`` may be taken."""
        self._rule = rule = _Rule(region, minus)
        self.is_simple = rule.is_simple
        """Whether ``of_simple`` may judge a text by its digits."""
        self.shapes = Shapes(rule.is_simple)
        self.verdict = lru_cache(_MOST_REMEMBERED)(rule.verdict)
        """The verdict on one cell. Every block of a file holds the same few that are no number."""
        self._region = region

    @property
    def parsed(self) -> int:
        """How many cells had to be asked for one by one, those that were remembered not among them."""
        return self.verdict.cache_info().misses

    def verdicts(self, texts: Sequence[str]) -> Verdicts:
        """The verdict on each of many distinct cells."""
        if not self.table_pays(len(texts)):
            return np.fromiter(map(self.verdict, texts), np.int64, len(texts))
        found = np.empty(len(texts), np.int64)
        simple = np.fromiter(map(self.is_simple, texts), np.bool_, len(texts))
        digits = [int(_NOT_A_DIGIT.sub("", text)) for text in compress(texts, simple)]
        found[simple] = self.of_simple(np.array(digits, np.int64))
        found[~simple] = [self.verdict(text) for text in compress(texts, ~simple)]
        return found

    def table_pays(self, texts: int) -> bool:
        """Whether ``of_simple`` is the quicker way to so many verdicts, for the texts that it may judge."""
        return self._simple_holds and (texts >= TABLE_PAYS_FROM or nanp.is_made())

    def of_simple(self, digits: NDArray[np.int64]) -> Verdicts:
        """The verdicts on texts that match ``phone.SIMPLE_NANP``, given all their digits as integers."""
        ten_digits = nanp.ten_digits(digits)
        table = nanp.table()
        of_class = np.array([self._rule.code("invalid"), 0, self._rule.code("not_mobile")], np.int64)
        classes = table.classify(ten_digits)
        keys = table.keys(ten_digits)
        return np.where(classes == nanp.Verdict.textable, keys, of_class[classes] - (keys << _CODE_BITS))

    def without_landlines(self, verdicts: Verdicts) -> Verdicts:
        """The same, with numbers refused that the operator's line types say take no texts."""
        if self._takes_texts is None:
            return verdicts
        at = np.flatnonzero((verdicts > BLANK) & (verdicts < REMOVE))
        refused = at[~self._takes_texts(verdicts[at])]
        verdicts[refused] = self._rule.code("not_mobile") - (verdicts[refused] << _CODE_BITS)
        return verdicts

    def reason(self, verdict: int) -> str:
        """The reason code that a negative verdict stands for."""
        return self._rule.reasons[-verdict % (1 << _CODE_BITS) - 1]

    def reasons(self, verdicts: Verdicts) -> dict[str, int]:
        """How many of these negative verdicts stand for each reason code."""
        counts = np.bincount(-verdicts % (1 << _CODE_BITS)).tolist()
        return {self._rule.reasons[code - 1]: count for code, count in enumerate(counts) if count}

    def meant(self, verdicts: Verdicts) -> Keys:
        """The numbers that refused cells mean, of any shape of verdicts."""
        keys: Keys = -verdicts[verdicts < BLANK] >> _CODE_BITS
        return keys[keys > 0]

    def named(self, verdicts: Verdicts) -> Keys:
        """The numbers that cells give, whether or not they are taken, of any shape of verdicts."""
        return np.concatenate((verdicts[verdicts > BLANK], self.meant(verdicts)))

    def named_in(self, texts: Iterable[str], judged: Container[str] = ()) -> Keys:
        """The numbers that some cells give, of which most are something else: names, dates, accounts.

        Cells that are ``judged`` already are left out, but not what they may have swallowed.
        """
        pieces = (piece for text in texts for piece in _pieces(text) if piece not in judged)
        return self.named(self.verdicts([*filter(self._may_be_number, pieces)]))

    def _may_be_number(self, text: str) -> bool:
        """Whether it is worth asking the parser, which takes many times as long as this."""
        if not _HAS_A_NUMBER.search(text):
            return False
        return not (self._simple_holds and phone.has_wrong_length(text, self._region))


class _Rule:
    """The rule for one cell, and the codes of the reasons that were found.

    What a file's ``PhoneCells`` remembers leads to this and not back to them: else they and their tables would stay
    until Python next looks for cycles, which in a process of many small files is seldom.
    """

    def __init__(self, region: str, minus: Minus) -> None:
        self._region = region
        self._minus = minus
        self.reasons: list[str] = []
        self._codes: dict[str, int] = {}

    def verdict(self, text: str) -> int:
        text = text.strip()
        if not text:
            return BLANK
        if self._minus != "ignore" and _STARTS_WITH_MINUS.match(text):
            return self._removal(text)
        found = phone.parse(text, self._region)
        if isinstance(found, int):
            return found
        return self.code(found) - ((phone.meant(text, self._region) or 0) << _CODE_BITS)

    def is_simple(self, text: str) -> bool:
        if self._minus != "ignore" and _STARTS_WITH_MINUS.match(text):
            return False
        return _SIMPLE.fullmatch(text) is not None

    def code(self, reason: str) -> int:
        if reason not in self._codes:
            self.reasons.append(reason)
            self._codes[reason] = -len(self.reasons)
        return self._codes[reason]

    def _removal(self, text: str) -> int:
        if self._minus == "reject":
            return self.code(MINUS_MEANS_REMOVE)
        found = phone.parse(_STARTS_WITH_MINUS.sub("", text), self._region)
        return found + REMOVE if isinstance(found, int) else self.code(found)


def _pieces(text: str) -> Sequence[str]:
    """A cell, and what it may have swallowed: where a quote is not closed, whole rows stand in one cell."""
    return (text, *_BETWEEN_CELLS.split(text)) if "\n" in text else (text,)
