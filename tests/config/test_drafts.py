"""A draft loads as it is, whatever the sample looks like."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alp_daemon.customers import DRAFT_FEED, Customer, Draft, draft_yaml, feed_for, load_file


def loaded(id_: str, draft: Draft) -> Customer:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{id_}.yaml"
        path.write_text(draft_yaml(id_, draft), encoding="utf-8")
        return load_file(path)


def test_a_draft_says_what_was_found():
    draft = Draft(
        "members_2026-11-21.csv", 1500, ["Phone", "Cell", "Group"], ["Phone", "Cell"], ["Group"], ";", "cp1252"
    )
    customer = loaded("acme-water", draft)
    feed = customer.feeds[DRAFT_FEED]
    assert (customer.name, customer.keyword) == ("Acme Water", "ACMEWATER")
    assert (feed.mode, feed.phones, [tag.column for tag in feed.tags]) == ("append", ("Phone", "Cell"), ["Group"])
    assert (feed.match, feed.file.delimiter, feed.file.encoding) == ("members_*.csv", ";", "cp1252")
    assert "(1,500 rows)" in draft_yaml("acme-water", draft)
    assert "(its first 1,500 rows)" in draft_yaml("acme-water", replace(draft, is_whole=False))


def test_a_sample_without_header_or_phones():
    draft = Draft("list.txt", 3, ["A", "B"], [], header=False)
    assert loaded("acme", draft).feeds[DRAFT_FEED].phones == ("1",)
    assert "no column looked like phone numbers" in draft_yaml("acme", draft)


@pytest.mark.parametrize(("id_", "keyword"), [("stop", "STOPALERTS"), ("help", "HELPALERTS"), ("no", "NOALERTS")])
def test_a_keyword_that_would_opt_nobody_in_is_not_drafted(id_, keyword):
    assert loaded(id_, Draft("x.csv", 1, ["A"], ["A"])).keyword == keyword


def test_a_name_and_a_keyword_of_ones_own(tmp_path):
    path = tmp_path / "acme.yaml"
    path.write_text(draft_yaml("acme", Draft("x.csv", 1, ["A"], ["A"]), name='The "Acme"', keyword="WATER"))
    assert (load_file(path).name, load_file(path).keyword) == ('The "Acme"', "WATER")


columns = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)


@given(
    st.from_regex(r"[a-z0-9][a-z0-9_-]{0,20}", fullmatch=True),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1, max_size=20),
    st.lists(columns, min_size=1, max_size=4, unique=True),
    st.sampled_from([",", ";", "\t", "|", "'", '"', "auto", "tab"]),
)
def test_any_sample_gives_a_draft_that_loads(id_, sample_name, names, delimiter):
    quote_safe = delimiter if delimiter != '"' else ","
    customer = loaded(id_, Draft(sample_name, 7, names, names[:2], names[2:], quote_safe))
    feed = customer.feeds[DRAFT_FEED]
    assert feed.phones == tuple(names[:2])
    assert [tag.column for tag in feed.tags] == names[2:]


@pytest.mark.parametrize("name", ["a.csv", "Members 2026.11.21.xlsx", "x[1].csv", "20261121", "export-7.CSV.gz"])
def test_the_sample_itself_matches_the_drafted_pattern(name):
    assert feed_for(loaded("acme", Draft(name, 1, ["A"], ["A"])), name) == DRAFT_FEED
