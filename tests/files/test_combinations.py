"""Each row's tags are the union of what its cells say, whichever way it is made."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alp_daemon.domain.model import Codes, Tags
from alp_daemon.files.combinations import Combinations
from alp_daemon.files.judge import TagCells
from alp_daemon.files.tagrule import CellTags

TAGS: list[Tags] = [(), ("North",), ("South",), ("East", "North"), ("West",)]

codes = st.integers(0, len(TAGS) - 1)
pieces = st.integers(0, 9).flatmap(
    lambda width: st.lists(st.lists(st.tuples(*[codes] * width), max_size=12), min_size=1, max_size=3)
)


def columns(rows: Codes, cells: list[Tags]) -> list[TagCells]:
    """A matrix of codes, column by column."""
    said = [CellTags(tags, ()) for tags in cells]
    return [TagCells("", column, said) for column in rows.T.astype(np.int32)]


@pytest.mark.parametrize("constants", [(), ("Member", "North")])
def test_rows_have_the_tags_of_their_cells(constants: Tags) -> None:
    @given(pieces)
    def same(pieces: list[list[tuple[int, ...]]]) -> None:
        combinations = Combinations(constants)
        for rows in pieces:
            width = len(rows[0]) if rows else 0
            matrix = np.array(rows, np.int32).reshape(len(rows), width)
            sets = [combinations.sets[id_] for id_ in combinations.of_rows(len(rows), columns(matrix, TAGS)).tolist()]
            assert sets == [tuple(sorted({*constants, *(t for code in row for t in TAGS[code])})) for row in rows]

    same()


def test_what_wide_rows_take_grows_with_their_cells_and_not_with_the_square() -> None:
    width, tags = 300, 1_000
    rows = np.random.default_rng(1).integers(0, tags, (20, width))
    combinations = Combinations(())
    sets = combinations.of_rows(len(rows), columns(rows, [(f"t{n:04}",) for n in range(tags)]))
    assert [combinations.sets[id_] for id_ in sets.tolist()] == [
        tuple(f"t{n:04}" for n in sorted(set(row))) for row in rows.tolist()
    ]
    assert combinations.weight < 2 * rows.size + 26 * tags
    before = combinations.weight
    combinations.of_rows(len(rows), columns(rows[::-1], [(f"t{n:04}",) for n in range(tags)]))
    assert combinations.weight == before
