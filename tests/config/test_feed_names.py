"""Which feed a file belongs to is decided by its name and folder."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alp_daemon.customers import Customer, Feed, feed_for, is_temporary
from alp_daemon.customers.names import common_name, pattern_fault


def customer(**patterns: str) -> Customer:
    feeds = {name: Feed(match=match, mode="append", phones=("A",)) for name, match in patterns.items()}
    return Customer(id="acme", name="Acme", keyword="ACME", feeds=feeds)


TWO = customer(members="Members_*.csv", rest="*.csv")


@pytest.mark.parametrize(
    ("filename", "folder", "feed"),
    [
        ("Members_1.csv", "", "members"),
        ("MEMBERS_1.CSV", "", "members"),
        ("other.csv", "", "rest"),
        ("other.txt", "", None),
        ("other.txt", "preformatted", "preformatted"),
        ("Members_1.csv", "preformatted", "preformatted"),
        ("Members_1.csv", "reports", None),
    ],
)
def test_the_first_pattern_that_fits_has_the_file(filename, folder, feed):
    assert feed_for(TWO, filename, folder) == feed


def test_the_root_is_preformatted_only_where_there_are_no_feeds():
    assert feed_for(customer(), "anything.txt") == "preformatted"
    assert feed_for(customer(members="m*"), "anything.txt") is None


def test_composed_and_decomposed_names_are_one():
    assert feed_for(customer(members="mitglieder_ä*"), "Mitglieder_A\u0308.csv") == "members"


@pytest.mark.parametrize("name", ["a.tmp", "a.csv.PART", "a.filepart", "a.crdownload", "a.csv~", ".a.csv", ".", "~"])
def test_temporary_names(name):
    assert is_temporary(name)


@pytest.mark.parametrize("name", ["a.csv", "tmp", "part.csv", "a.tmp.csv", "a~1.csv", ""])
def test_names_that_last(name):
    assert not is_temporary(name)


patterns = st.lists(st.sampled_from([*"ab1", "*", "?", "[ab]", "[!a]", "[0-9]"]), max_size=6).map("".join)


@given(patterns, patterns)
def test_a_common_name_matches_both_patterns(first, second):
    name = common_name(first, second)
    if name is not None:
        assert fnmatchcase(name, first)
        assert fnmatchcase(name, second)


@given(patterns, patterns, st.text("ab1z", max_size=6))
def test_no_common_name_is_overlooked(first, second, name):
    if fnmatchcase(name, first) and fnmatchcase(name, second):
        assert common_name(first, second) is not None


@given(patterns.filter(str.strip))
def test_a_sound_pattern_has_no_fault(pattern):
    assert pattern_fault(pattern) is None
