"""The law of the two readers: whatever bytes come, the fast one says what the csv module says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from tempfile import NamedTemporaryFile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alp_daemon.customers import Feed, Preformatted
from alp_daemon.domain import nanp
from alp_daemon.errors import UnusableFile
from alp_daemon.files import container, fastcsv, phonecells, shapes
from alp_daemon.files.byteblock import ByteBlock
from alp_daemon.files.reader import read, read_preformatted

from .conftest import feed, listed

FEEDS = {
    "one phone": feed(phones=["1"], tags=[{"column": "2"}], file={"header": False, "delimiter": ","}),
    "two phones": feed(
        phones=["3", "1"],
        tags=[{"column": "2", "split": "|"}, {"value": "All"}],
        only={"2": ["North", "a", ""]},
        file={"header": False, "delimiter": ","},
    ),
    "header": feed(phones=["A"], tags=[{"column": "C", "prefix": "x-"}], file={"delimiter": ","}),
    "no quotes": feed(phones=["1"], tags=[{"column": "2"}], file={"header": False, "delimiter": ",", "quote": "none"}),
    "trailer": feed(
        phones=["1"],
        tags=[{"column": "2"}],
        file={"header": False, "delimiter": ",", "trailer": {"starts_with": "T", "count_column": "2"}},
    ),
}

PHONES = [
    *("2125550123", "(212) 555-0124", "+1 212-555-0125", "1 212 555 0126", "212.555.0127", "2125550123.0"),
    *("0125550123", "1125550123", "112125550123", "2.12555E+09", "", " ", "n/a", "-2125550123", "−2125550128"),
    *("212555012３", "2125550129 x4", "+44 7400 123456", "8005550123", "\t2125550130", "212\u00a0555\u00a00131"),
]
TAGS = ["North", "South", "", " ", "a|b", "é", "e\u0301", "x" * 70, "y" * 200, "\u2028", "\x0b", "NULL", "#"]
ODD = ['"', '""', "\r", "\n", "\r\n", ",", ";", "\0", "'", "\ufeff", " ", "\x1c", "\u00a0"]

cell = st.one_of(
    st.sampled_from(PHONES),
    st.sampled_from(TAGS),
    st.lists(st.sampled_from([*ODD, "a", "2"]), max_size=4).map("".join),
    st.integers(2_000_000_000, 9_999_999_999).map(str),
)
quoted = cell.map(lambda text: '"' + text.replace('"', '""') + '"')


def lines(cells: st.SearchStrategy[str], widths: st.SearchStrategy[int]) -> st.SearchStrategy[str]:
    row = widths.flatmap(lambda width: st.lists(cells, min_size=width, max_size=width)).map(",".join)
    return st.tuples(row, st.sampled_from(["\n", "\n", "\n", "\r\n"])).map("".join)


tame_cell = st.one_of(st.sampled_from(PHONES), st.sampled_from(TAGS))
tame = st.lists(lines(st.one_of(tame_cell, quoted), st.just(3)), max_size=40)
wild = st.lists(lines(st.one_of(tame_cell, cell, quoted), st.integers(0, 5)), max_size=20)
trailer = st.sampled_from(["", "T,3\n", "T,12,\n", "\n\n", '"",,\n', "T"])
texts = st.tuples(st.one_of(tame, wild, st.builds(list.__add__, tame, wild)).map("".join), trailer).map("".join)
bytes_ = st.tuples(texts, st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"])).map(
    lambda pair: pair[0].encode(pair[1], "replace")
)


ROW = b"2125550123,North,\n"
NASTY = [
    b"\n" * 200,
    ROW + b'"",,\n' * 60,
    ROW * 20 + b"\r2125550124,South,\n" * 20,
    b"2125550123,North,a\rb\n" * 40,
    b"2125550123,North,\n2125550124,North\0,\n" * 30,
    b"12125550123,North,\n10125550123,North,\n11125550123,North,\n" * 20,
    ROW * 20 + b'2125550124,"South,\n' * 21,
    ROW * 20 + b'2125550124,"South",a"\n' + ROW * 20 + b'2125550124,"South",a"\n' + ROW * 20,
    ROW * 20 + b'2125550124,So"uth,\n' + ROW * 20,
    ROW * 20 + b"2125550124\n2125550124,1,2,3,4\n" + ROW * 20,
    b'2125550123,"a ""b""",\n' * 40,
    ROW * 40 + b"T,40,\n" + "\u00a0,,\n".encode() * 30,
    (b'"",",",""\n,,\n"","""",\n"", ,\n' + ROW) * 20,
    ROW * 20 + b",,\n" * 30 + ROW * 20 + b",,\r\n" * 30 + ROW,
    ROW * 20 + b"\n" * 300 + ROW * 20 + b"\r\n" * 300 + b"x\n",
    b"2125550123\n" * 30 + b"\n\n-2125550124\n" * 30,
]
"""What random search finds seldom, or has found once."""

chunks = st.sampled_from([100, 333, 2**20])


@contextmanager
def limits(monkeypatch: pytest.MonkeyPatch, *, fast: bool, chunk: int) -> Iterator[None]:
    """Make the fast reader take the smallest file, or none at all; pieces of ``chunk`` bytes end anywhere."""
    with monkeypatch.context() as patch:
        patch.setattr(fastcsv, "PAYS_FROM", 0 if fast else 2**60)
        patch.setattr(container, "FIRST_CHUNK", chunk)
        patch.setattr(container, "CHUNK", chunk)
        patch.setattr(phonecells, "TABLE_PAYS_FROM", 0 if fast else 2**60)
        patch.setattr(nanp, "is_made", lambda: fast)
        patch.setattr(shapes, "FEWEST_CELLS", 1)
        yield


def said(path: Path, rules: Feed | Preformatted) -> object:
    """All that a reading says, in a form that can be compared."""
    try:
        if isinstance(rules, Feed):
            found = read(path, rules, region="US", name="f")
        else:
            found = read_preformatted(path, rules, region="US", name="f")
    except UnusableFile as error:
        return error.code, str(error)
    buckets = asdict(found.buckets)
    assert buckets["read"] == sum(buckets[name] for name in ("listed", "duplicate", "rejected", "filtered", "blank"))
    assert np.all(np.diff(found.listed.keys) > 0)
    assert all(list(tags) == sorted(set(tags)) for tags in found.listed.sets)
    ending = (found.ends_whole, found.cut_reason, found.ends_with_newline)
    assert np.all(np.diff(found.unusable) > 0)
    return (
        listed(found),
        found.removed.tolist(),
        found.unusable.tolist(),
        buckets,
        found.rejects,
        list(found.columns),
        ending,
    )


def assert_same(content: bytes, rules: Feed | Preformatted, chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        path = Path(file.name)
        with limits(monkeypatch, fast=False, chunk=chunk):
            reference = said(path, rules)
        with limits(monkeypatch, fast=True, chunk=chunk):
            assert said(path, rules) == reference


@pytest.mark.parametrize("chunk", [100, 333, 2**20])
@pytest.mark.parametrize("name", FEEDS)
def test_nasty_files_read_the_same(name: str, chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for content in NASTY:
        assert_same(content, FEEDS[name], chunk, monkeypatch)


@pytest.mark.parametrize("name", FEEDS)
def test_fast_equals_reference(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    @given(content=bytes_, chunk=chunks)
    def same(content: bytes, chunk: int) -> None:
        assert_same(content, FEEDS[name], chunk, monkeypatch)

    same()


@pytest.mark.parametrize("minus", ["reject", "opt_out"])
def test_fast_equals_reference_for_preformatted_files(minus: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = Preformatted.model_validate({"minus": minus})
    for content in NASTY:
        assert_same(content, rules, 2**20, monkeypatch)

    @given(content=bytes_, chunk=chunks)
    def same(content: bytes, chunk: int) -> None:
        assert_same(content, rules, chunk, monkeypatch)

    same()


def test_the_fast_reader_is_indeed_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    taken: list[int] = []

    class Counted(ByteBlock):
        def __len__(self) -> int:
            taken.append(super().__len__())
            return super().__len__()

    monkeypatch.setattr(fastcsv, "ByteBlock", Counted)
    path = tmp_path / "big.csv"
    rows = [f'{2125550000 + i % 9000},"Group {i % 7}",\r\n' for i in range(9000)]
    path.write_text("Phone,Tag,Rest\r\n" + "".join(rows), newline="")
    found = read(path, feed(tags=[{"column": "Tag"}]), region="US")
    assert found.buckets.read == 9000
    assert max(taken) > 8000


def test_every_kind_of_shape_is_judged_like_its_example() -> None:
    """``shapes`` asks the pattern one example of each kind; the pattern must tell no other cells apart."""

    @given(st.sampled_from(PHONES), st.lists(st.integers(0, 9), min_size=20, max_size=20))
    def same(template: str, digits: list[int]) -> None:
        cells = phonecells.PhoneCells("US")
        values = iter(digits)
        text = "".join(str(next(values)) if "0" <= sign <= "9" else sign for sign in template)
        places = [i for i, sign in enumerate(text) if "0" <= sign <= "9"]
        kind = list(text)
        for place in places[2:-1]:
            kind[place] = "5"
        for place in places[:2]:
            kind[place] = min(kind[place], "2")
        if len(places) > 2 and kind[places[-1]] != "0":
            kind[places[-1]] = "7"
        assert cells.is_simple(text) == cells.is_simple("".join(kind))

    same()
