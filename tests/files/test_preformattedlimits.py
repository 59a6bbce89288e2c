"""What a preformatted file may hold, since nobody has looked at it: each limit refuses, and lets the most through."""

from __future__ import annotations

from pathlib import Path

import pytest

from alp_daemon.customers import Preformatted
from alp_daemon.domain.model import Reading
from alp_daemon.errors import UnusableFile
from alp_daemon.files import container, fastcsv, preformattedlimits
from alp_daemon.files.preformattedlimits import MAX_COLUMNS
from alp_daemon.files.reader import read, read_preformatted

from .conftest import WriteFile, feed, listed


def found(path: Path) -> Reading:
    return read_preformatted(path, Preformatted(), region="US")


def refused(path: Path) -> UnusableFile:
    with pytest.raises(UnusableFile) as error:
        found(path)
    return error.value


def test_a_preformatted_file_has_tags_for_many_numbers(write: WriteFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preformattedlimits, "MAX_TAGS", 1_000)
    # Of one column and block as of all together; the last row is judged by itself.
    most = "".join(f"2125550123,a{n},b{n}\n" for n in range(500)) * 20 + "2125550124,a0,b0\n"
    found = read_preformatted(write(most), Preformatted(), region="US")
    assert [len(tags) for tags in listed(found).values()] == [1_000, 2]
    path = write("2125550123,one,more\n" + most)
    with pytest.raises(UnusableFile, match="more than 1,000 different tags") as error:
        read_preformatted(path, Preformatted(), region="US")
    assert error.value.code == "too_many_tags"
    approved = feed(phones=["A"], file={"header": False}, tags=[{"column": "B"}, {"column": "C"}])
    assert [len(tags) for tags in listed(read(path, approved, region="US")).values()] == [1_002, 2]


def test_texts_that_are_no_tags_count_too(write: WriteFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preformattedlimits, "MAX_TAGS", 100)
    names = "".join(f'2125550123,"Doe{n}, Jo"\n' for n in range(100)) * 3
    assert found(write(names)).rejects.by_reason == {"tag_separator": 300}
    assert refused(write(names + "2125550123,North\n2125550124\n")).code == "too_many_tags"


def test_a_row_has_as_many_columns_as_there_may_be(write: WriteFile) -> None:
    row = "2125550123" + "," * (MAX_COLUMNS - 2) + ",North\n"
    assert listed(found(write(row))) == {12125550123: ("North",)}
    assert refused(write(row.replace(",North", ",,North"))).code == "too_many_columns"


@pytest.mark.parametrize("piece", [200, 1_000_000], ids=["in pieces", "in one"])
def test_cells_are_counted_through_all_pieces(write: WriteFile, piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fastcsv, "PAYS_FROM", 1)
    monkeypatch.setattr(container, "CHUNK", piece)
    monkeypatch.setattr(container, "FIRST_CHUNK", piece)
    monkeypatch.setattr(preformattedlimits, "MAX_CELLS", 300)
    row = "2125550123,North,East\n"
    assert found(write(row * 101)).buckets.read == 101  # the last is judged by itself
    error = refused(write(row * 102))
    assert (error.code, "more than 300 cells" in str(error)) == ("too_many_cells", True)
    rows = "".join(f"2125550123,{n}\n" for n in range(150))
    approved = feed(phones=["A"], file={"header": False}, tags=[{"column": "B"}, {"column": "C"}])
    assert read(write(row * 102), approved, region="US").buckets.read == 102
    assert found(write(rows)).buckets.read == 150


def test_rows_may_not_all_have_tags_of_their_own(write: WriteFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preformattedlimits, "MAX_COMBINED", 50_000)
    few = "2125550123" + "".join(f",t{n}" for n in range(100)) + "\n"
    assert found(write(few * 500)).buckets.read == 500
    each = "".join("2125550123" + "".join(f",t{(row * 7 + n) % 500}" for n in range(100)) + "\n" for row in range(490))
    assert refused(write(each + few)).code == "too_many_combinations"
