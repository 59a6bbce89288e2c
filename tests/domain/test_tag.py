"""What is a tag: the rule, and the reasons it gives."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alp_daemon.domain import tag
from alp_daemon.domain.tag import BadTag


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("North", "North"),
        (" North Side\u00a0\t", "North Side"),
        ("north", "north"),
        ("Cafe\u0301", "Café"),
        ("x" * 75, "x" * 75),
        (" " + "x" * 75 + " ", "x" * 75),
        ("e\u0301" * 75, "é" * 75),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
        ("", BadTag.empty),
        (" \u3000", BadTag.empty),
        ("x" * 76, BadTag.too_long),
        ("a,b", BadTag.separator),
        ("a;b", BadTag.separator),
        ("a\tb", BadTag.control_character),
        ("a\nb", BadTag.control_character),
        ("a\0", BadTag.control_character),
        ("a\x85b", BadTag.control_character),
        ("a\u2028b", BadTag.control_character),
        ("a\ufffdb", BadTag.control_character),
        ("a\ud800", BadTag.control_character),
    ],
)
def test_clean(text: str, cleaned: str) -> None:
    assert tag.clean(text) == cleaned
    assert isinstance(tag.clean(text), BadTag) == isinstance(cleaned, BadTag)


@given(st.text(max_size=90))
def test_a_clean_tag_is_clean_and_can_be_stored(text: str) -> None:
    cleaned = tag.clean(text)
    if isinstance(cleaned, BadTag):
        assert tag.REASONS[cleaned]
        return
    assert tag.clean(cleaned) == cleaned == cleaned.strip()
    assert 1 <= len(cleaned) <= tag.MAX_LENGTH
    assert unicodedata.is_normalized("NFC", cleaned)
    assert cleaned.encode().decode() == cleaned
    assert not set(cleaned) & set(",;\n\r\t\0")


def test_each_reason_has_a_sentence_with_a_cure() -> None:
    assert set(tag.REASONS) == {bad.value for bad in BadTag}


def test_every_rule_is_said_to_who_has_typed_a_tag() -> None:
    assert BadTag.separator.rule == "a tag may not hold commas or semicolons"
    assert all(bad.rule.startswith("a tag ") for bad in BadTag)
