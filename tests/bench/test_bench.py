"""The benchmark itself, small: every case and every installed peer ends in the list that it must."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench import api, others, ours, small, subscribers
from tests.bench.cases import CASES, Files
from tests.bench.small import Extent

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


def test_a_brand_s_request_ends_in_its_list_also_when_it_comes_again(tmp_path: Path) -> None:
    found = subscribers.measure(tmp_path, ROWS, runs=1)
    assert found.keys() == subscribers.WHAT.keys()


def test_programs_at_the_api_all_get_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "SECONDS", 1.0)
    found = api.measure(tmp_path, ROWS)
    assert len(found) == 4
    assert all(figure.values for figure in found)


def test_small_files_of_many_customers_end_in_their_lists(tmp_path: Path) -> None:
    (speed,) = small.measure(tmp_path, Extent(customers=2, files_each=3, workers=(1,)), runs=1)
    assert (speed.store, speed.workers, speed.files) == ("SQLite", 1, 6)
    assert "SQLite" in small.table([speed])
