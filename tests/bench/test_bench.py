"""The benchmark itself, small: every case and every installed peer ends in the list that it must."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench import others, ours
from tests.bench.cases import CASES, Files

ROWS = 2_000


def test_every_case_ends_in_its_list(tmp_path: Path) -> None:
    pytest.importorskip("polars", reason="the floor needs polars: pip install '.[bench]'")
    found = ours.measure(tmp_path, Files(tmp_path / "files", ROWS), runs=1)
    assert list(found) == ["floor", *(case.name for case in CASES)]


def test_the_peers_end_in_the_same_lists(tmp_path: Path) -> None:
    found = others.measure(tmp_path, Files(tmp_path / "files", ROWS), runs=1)
    assert {"sqlite-utils upsert", "csv + phonenumbers + SQL"} <= found.keys(), "their libraries always are installed"


def test_a_wrong_list_is_told() -> None:
    with pytest.raises(SystemExit, match=r"case A: the wrong list; missing \['b'\], surplus \['c'\]"):
        ours.check("a\nc\n", "a\nb\n", "case A")
