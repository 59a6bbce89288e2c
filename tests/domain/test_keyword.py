"""Intents of inbound texts: the table in samples/ and the laws behind it."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alp_daemon.domain.keyword import DEFAULT_WORDS, Intent, Words, classify, keyword_conflict

SAMPLES = Path(__file__).parents[2] / "samples" / "messages.csv"

with SAMPLES.open(encoding="utf-8", newline="") as file:
    MESSAGES = list(csv.DictReader(file))


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: ascii(message["text"]))
def test_samples(message: dict[str, str]) -> None:
    assert classify(message["text"], message["keyword"]) == message["intent"]


def test_the_samples_show_every_intent_and_every_default_word() -> None:
    assert {message["intent"] for message in MESSAGES} == set(Intent)
    texts = " ".join(message["text"].casefold() for message in MESSAGES)
    for word in DEFAULT_WORDS.opt_out + DEFAULT_WORDS.help + DEFAULT_WORDS.negations:
        assert word.casefold() in texts


opt_out_words = st.sampled_from(DEFAULT_WORDS.opt_out)
cases = st.sampled_from([str.upper, str.lower, str.title])
decoration = st.text("!?.,;:'\"*()[]…“”’🛑👍\u200b\u200d\ufe0f\u00a0\n ", max_size=5)


@given(opt_out_words, cases, decoration, decoration, st.text())
def test_an_opt_out_word_first_opts_out_whatever_follows(word, case, before, behind, rest) -> None:
    assert classify(f"{before}{case(word)}{behind} {rest}", "ACME") is Intent.opt_out


@given(st.lists(st.sampled_from(["please", "ok", "acme", "hi"]), max_size=2), opt_out_words)
def test_an_opt_out_word_among_the_first_three_opts_out(before: list[str], word: str) -> None:
    assert classify(" ".join([*before, word]), "ACME") is Intent.opt_out


@given(st.text(), st.sampled_from(DEFAULT_WORDS.opt_out + DEFAULT_WORDS.negations), st.text())
def test_no_text_that_holds_a_refusal_opts_in(before: str, word: str, behind: str) -> None:
    assert classify(f"ACME {before} {word} {behind}", "ACME") is not Intent.opt_in


@given(st.text(), st.text(min_size=1))
def test_any_text_has_an_intent(text: str, keyword: str) -> None:
    assert classify(text, keyword) in Intent


def test_words_are_configuration() -> None:
    words = Words(opt_out=("ARRET", "plus rien"), help=("AIDE",), negations=("pas",))
    assert classify("arret svp", "ACME", words) is Intent.opt_out
    assert classify("plus rien", "ACME", words) is Intent.opt_out
    assert classify("aide", "ACME", words) is Intent.help
    assert classify("ACME pas", "ACME", words) is Intent.other
    assert classify("ACME stop", "ACME", words) is Intent.opt_in


@pytest.mark.parametrize("keyword", ["ACME", "ACME-1", "STOPPER", "opt", "A&B", "Énergie"])
def test_a_keyword_that_opts_in(keyword: str) -> None:
    assert keyword_conflict(keyword) is None


@pytest.mark.parametrize(
    ("keyword", "problem"),
    [
        ("STOP", "is or holds an opt-out word"),
        ("stop", "is or holds an opt-out word"),
        ("OPT-OUT", "is or holds an opt-out word"),
        ("STOP-NOW", "is or holds an opt-out word"),
        ("Info", "is or holds a help word"),
        ("OFF", "has no letter or digit, or holds a word that turns a message down"),
        ("!!!", "has no letter or digit, or holds a word that turns a message down"),
    ],
)
def test_a_keyword_that_cannot_opt_in(keyword: str, problem: str) -> None:
    assert keyword_conflict(keyword) == (
        f'the keyword "{keyword}" {problem}, so nobody could opt in with it; choose another'
    )
