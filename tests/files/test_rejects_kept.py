"""However many rejects a file has, the first ones are kept whole and all are counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from alp_daemon.domain import model
from alp_daemon.domain.model import Reading
from alp_daemon.files import container, fastcsv
from alp_daemon.files.reader import read

from .conftest import WriteFile, feed

# Every way to be refused, some of them two at a time in one row, and good rows between.
ROWS = (
    "12,34,North\n" "2125550123,,a;b\n" ",,South\n" "2125550124,x,a;b|b;c|d\n" "2125550125\n" "2125550126,,North\n"
    "nonsense,,a,b\n" ",12,b;c\n"
)  # fmt: skip
RULES = feed(phones=["Phone", "Cell"], tags=[{"column": "Tag", "split": "|"}])


def found(path: Path) -> Reading:
    return read(path, RULES, region="US")


@pytest.mark.parametrize("most", [0, 1, 5, 7, 23, 1_000])
@pytest.mark.parametrize("rows", [ROWS, ROWS.replace("2125550125\n", "").replace("a,b\n", "ab\n")], ids=["", "even"])
def test_the_first_are_those_that_there_would_be_without_a_limit(
    rows: str, most: int, write: WriteFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fastcsv, "PAYS_FROM", 1)
    monkeypatch.setattr(container, "CHUNK", 1_000)
    path = write("Phone,Cell,Tag\n" + rows * 40)
    whole = found(path).rejects
    assert len(whole.kept) == whole.total > 240
    monkeypatch.setattr(model, "MAX_KEPT_REJECTS", most)
    limited = found(path).rejects
    assert limited.kept == whole.kept[:most]
    assert limited.by_reason == whole.by_reason
