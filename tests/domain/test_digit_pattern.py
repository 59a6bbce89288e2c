"""A pattern written out matches what Python's ``re`` says it matches."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alp_daemon.domain.digit_pattern import expand

units = st.sampled_from(["0", "1", "2", r"\d", "[01]", "[0-2]", "[13-57]"])


def grown(patterns: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    groups = patterns.map("(?:{})".format)
    counts = st.sampled_from(["?", "{2}", "{0,2}", "{1,2}"])
    return st.one_of(
        st.tuples(st.one_of(units, groups), counts).map("".join),
        st.lists(st.one_of(units, groups), max_size=3).map("".join),
        st.lists(patterns, min_size=2, max_size=3).map("|".join),
    )


@given(st.recursive(units, grown, max_leaves=5))
def test_a_pattern_is_its_products(pattern: str) -> None:
    products = expand(pattern)
    for length in range(4):
        written_out = {
            string for product in products if len(product) == length for string in itertools.product(*product)
        }
        for string in itertools.product(range(10), repeat=length):
            matches = re.fullmatch(pattern, "".join(map(str, string)))
            assert (string in written_out) == bool(matches)


@pytest.mark.parametrize(
    "pattern", ["1+", "1*", ".", "(?!1)2", "(1)", "^1", "1$", "[^1]", "[1", r"\w", "(?:1", "1)", ")(?:", "{2}", "?"]
)
def test_anything_else_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError):
        expand(pattern)
