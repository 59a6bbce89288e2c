"""However many rejects a file has, the first ones are kept whole and all are counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from alp_daemon.domain import model
from alp_daemon.domain.model import Reading, Rejects
from alp_daemon.files import container, fastcsv
from alp_daemon.files.blocks import NumberedRow, RowsBlock
from alp_daemon.files.fieldmap import PREFORMATTED_MAP
from alp_daemon.files.judge import Judge
from alp_daemon.files.phonecells import PhoneCells
from alp_daemon.files.reader import read
from alp_daemon.files.refusals import Refusals

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


class CountingBlock(RowsBlock):
    """Is asked for a row's number with each reject that is made."""

    made = 0

    def row_number(self, row: int) -> int:
        self.made += 1
        return super().row_number(row)


@pytest.mark.parametrize(("cell", "total"), [("a;b", 100 * 900), ("North", 0)])
def test_no_more_are_made_than_are_kept_and_one_row(cell: str, total: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "MAX_KEPT_REJECTS", 1_000)
    block = CountingBlock([NumberedRow(n, ["2125550123", *[cell] * 900]) for n in range(1, 101)], None)
    cells, rejects = PhoneCells("US"), Rejects()
    Refusals(Judge(PREFORMATTED_MAP, cells).judge(block), PREFORMATTED_MAP, cells).add_to(rejects)
    assert (rejects.total, len(rejects.kept)) == (total, min(total, 1_000))
    assert block.made <= 1_000 + 900
    assert [reject.row for reject in rejects.kept] == ([1] * 900 + [2] * 100 if total else [])
