"""The distinct texts of a column, block after block, against the texts themselves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alp_daemon.files import vocabulary
from alp_daemon.files.bytecells import LOOKAHEAD, ByteCells
from alp_daemon.files.knowntexts import MANY_COLUMNS, MOST_OF_MANY, KnownColumns, KnownTexts
from alp_daemon.files.vocabulary import Vocabulary, group

short = st.sampled_from(["", "a", "b", "North", "region 1", "region 2", "é"])
free = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
long = st.sampled_from(["x" * LOOKAHEAD, "x" * (LOOKAHEAD + 1), "y" * 200])
blocks = st.lists(st.lists(st.one_of(short, short, free, long), max_size=30), min_size=1, max_size=5)


def cells_of(texts: list[str]) -> ByteCells:
    encoded = [text.encode() for text in texts]
    lengths = np.array([len(text) for text in encoded], np.intp)
    return ByteCells(b"".join(encoded) + b"." * LOOKAHEAD, np.cumsum(lengths) - lengths, lengths, None)


@pytest.mark.parametrize(
    "bits", [(2, 2), (2, 17), (10, 17)], ids=["most cells meet in a slot", "the table grows", "few meet"]
)
@pytest.mark.parametrize("most", [3, 4096], ids=["soon full", "never full"])
def test_each_block_is_told_in_distinct_texts(
    bits: tuple[int, int], most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vocabulary, "_LEAST_BITS", bits[0])
    monkeypatch.setattr(vocabulary, "_MOST_BITS", bits[1])

    @given(blocks)
    def same(blocks: list[list[str]]) -> None:
        known = KnownTexts(most)
        for texts in blocks:
            codes, distinct = known.distinct(cells_of(texts))
            assert [distinct[code] for code in codes.tolist()] == texts
            assert sorted(distinct) == sorted(set(texts))

    same()


def test_what_was_learned_is_found() -> None:
    words = np.arange(1, 9, dtype=np.uint64).reshape(4, 2)
    known = Vocabulary(2)
    assert not known.find(words)[1].any()
    learned = known.learn(words)
    codes, found = known.find(words)
    assert found.all()
    assert codes[learned].tolist() == [1, 2, 3, 4]
    assert known.find(np.zeros((1, 2), np.uint64))[0].tolist() == [0]


def test_what_was_learned_is_found_in_a_table_that_has_grown() -> None:
    words = np.arange(1, 4001, dtype=np.uint64).reshape(2000, 2)
    known = Vocabulary(2)
    first = known.learn(words[:20])
    before = known.find(words[first])[0].tolist()
    known.learn(words[20:])
    assert known.find(words[first])[0].tolist() == before
    assert known.find(words[first])[1].all()
    assert len(known) > 1900


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2**64 - 1)), max_size=50))
def test_equal_rows_are_one_group(pairs: list[tuple[int, int]]) -> None:
    words = np.array(pairs, np.uint64).reshape(-1, 2)
    codes, examples = group(words)
    assert [words[examples[code]].tolist() for code in codes.tolist()] == words.tolist()
    assert len(examples) == len(set(pairs))


def test_many_columns_know_few_texts_each() -> None:
    known, texts = KnownColumns(), cells_of([f"t{n}" for n in range(2_000)])
    for column in range(MANY_COLUMNS + 2):
        known[column].distinct(texts)
    sizes = [known[column].size for column in range(MANY_COLUMNS + 2)]
    assert min(sizes[:MANY_COLUMNS]) > 1_900
    assert sizes[MANY_COLUMNS:] == [MOST_OF_MANY] * 2
