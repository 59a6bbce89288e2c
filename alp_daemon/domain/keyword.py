"""What an inbound text message (MO) asks for.

The rules, of which the first that fits decides:

1. an opt-out word starts among the first three words: ``opt_out``
2. a help word among the first three words: ``help``
3. the customer's keyword among the first two words, and no opt-out word and no negation anywhere: ``opt_in``
4. anything else: ``other``, for a person to read

They are taken literally ("Stop sign is down" opts out): a wrong opt-out is one message away from being undone, while a
missed one breaks the law. ``samples/messages.csv`` shows texts and their intents.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

COMMAND_REACH: Final = 3
KEYWORD_REACH: Final = 2

Phrase = tuple[str, ...]


class Intent(StrEnum):
    """What the sender wants."""

    opt_out = "opt_out"
    opt_in = "opt_in"
    help = "help"
    other = "other"


@dataclass(frozen=True, slots=True)
class Words:
    """The words that decide. An entry may be several words (``opt out``); case and punctuation do not matter."""

    opt_out: tuple[str, ...] = (
        # 47 CFR § 64.1200(a)(10), the FCC's revocation rule of 2024, names these seven as reasonable per se.
        "STOP",
        "QUIT",
        "END",
        "REVOKE",
        "opt out",
        "CANCEL",
        "UNSUBSCRIBE",
        # Carriers and aggregators honour these as well, so phones' users have learnt them.
        "OPTOUT",
        "STOPALL",
    )
    help: tuple[str, ...] = (
        "HELP",  # CTIA Messaging Principles and Best Practices: the answer names the sender and the way out
        "INFO",
    )
    negations: tuple[str, ...] = ("no", "not", "don't", "remove", "leave", "off")


DEFAULT_WORDS: Final = Words()


def classify(text: str, keyword: str, words: Words = DEFAULT_WORDS) -> Intent:
    """Return what ``text`` asks of the customer who has this ``keyword``."""
    message = _Message(text)
    if message.holds(_phrases(words.opt_out), COMMAND_REACH):
        return Intent.opt_out
    if message.holds(_phrases(words.help), COMMAND_REACH):
        return Intent.help
    if message.holds(_phrases((keyword,)), KEYWORD_REACH) and not message.holds(
        _phrases(words.opt_out + words.negations)
    ):
        return Intent.opt_in
    return Intent.other


def holds_keyword(text: str, keyword: str) -> bool:
    """Whether ``text`` names the customer who has this ``keyword``, wherever in it."""
    return _Message(text).holds(_phrases((keyword,)))


def keyword_conflict(keyword: str, words: Words = DEFAULT_WORDS) -> str | None:
    """Return why a message of nothing but the keyword would not opt anybody in, or ``None`` if it would."""
    problem = {
        Intent.opt_out: "is or holds an opt-out word",
        Intent.help: "is or holds a help word",
        Intent.other: "has no letter or digit, or holds a word that turns a message down",
    }.get(classify(keyword, keyword, words))
    return problem and f'the keyword "{keyword}" {problem}, so nobody could opt in with it; choose another'


class _Message:
    """A text as words: small letters and digits, whatever punctuation, emoji or width they came in.

    Punctuation both parts and joins: ``Stop.Thanks`` is two words, ``un-subscribe`` and ``S.T.O.P`` are also one.
    """

    def __init__(self, text: str) -> None:
        plain = _plain(text)
        self._words = tuple(_WORD.findall(plain))
        self._joined = tuple(filter(None, ("".join(_WORD.findall(token)) for token in plain.split())))

    def holds(self, phrases: Sequence[Phrase], reach: int | None = None) -> bool:
        """Whether any of the phrases starts among the first ``reach`` words, or anywhere."""
        starts = range(len(self._words[:reach]))
        return any(
            any(self._words[start : start + len(phrase)] == phrase for start in starts)
            or "".join(phrase) in self._joined[:reach]
            for phrase in phrases
        )


_WORD = re.compile(r"[^\W_]+")
# Dropped, so that "don’t" is one word. NFKC would turn the acute accent into a space, hence they go before it.
_APOSTROPHES = dict.fromkeys(map(ord, "'‘’ʼ`´＇"))


def _plain(text: str) -> str:
    normal = unicodedata.normalize("NFKC", text.translate(_APOSTROPHES)).casefold()
    return "".join(character for character in normal if unicodedata.category(character) != "Cf")  # zero width


@lru_cache(maxsize=1024)
def _phrases(entries: tuple[str, ...]) -> tuple[Phrase, ...]:
    return tuple(filter(None, (tuple(_WORD.findall(_plain(entry))) for entry in entries)))
