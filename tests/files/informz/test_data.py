"""The records are the same however they were put into XML."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alp_daemon.files import container
from alp_daemon.files.informz import document
from alp_daemon.files.informz.data import data_chunks

from .requests import cdata, request, write

texts = st.text(
    st.one_of(st.sampled_from("a,~\t\n\"'<>&] "), st.characters(exclude_categories=["Cs", "Cc", "Cn"])), max_size=60
)


def text_of(folder: Path, data: str) -> str:
    return b"".join(data_chunks(write(folder, request(data=data)))).decode()


@given(texts)
def test_cdata_and_entities_give_the_same(text: str) -> None:
    with TemporaryDirectory() as folder:
        plain, encoded = text_of(Path(folder), cdata(text)), text_of(Path(folder), escape(text))
    assert plain == text
    assert encoded == text


@given(texts, st.integers(1, 40))
def test_pieces_may_end_anywhere(text: str, size: int) -> None:
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(document, "CHUNK", size)
        patch.setattr(container, "CHUNK", size)
        assert text_of(Path(folder), cdata(text)) == text
        assert text_of(Path(folder), escape(text)) == text


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_line_ends(line_end: str, tmp_path: Path) -> None:
    assert text_of(tmp_path, cdata(f"a{line_end}b{line_end}")) == "a\nb\n"
    assert text_of(tmp_path, f"a{line_end}b{line_end}") == "a\nb\n"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (f"\n\t\t{cdata('a@example.com')}\n\t", "\na@example.com\n"),
        (f"\t{cdata('a')}\n\t{cdata('b')}\t", "a\nb"),
        (f"{cdata('a')}{cdata('b')}", "ab"),
        (f"{cdata(chr(9))}{cdata('a')}", "\ta"),
        (f"\t<!-- x -->\t{cdata(chr(9) + 'a')}", "\ta"),
        ("\t\ta\n", "\t\ta\n"),
        (f"\t\ta\n\t{cdata('b')}", "\t\ta\n\tb"),
        ("\t \n", "\t \n"),
        ("", ""),
    ],
)
def test_how_a_document_is_laid_out_is_no_data(data: str, expected: str, tmp_path: Path) -> None:
    assert text_of(tmp_path, data) == expected


def test_blank_text_without_end_is_not_held_back(tmp_path: Path) -> None:
    assert len(text_of(tmp_path, " " * 2**20 + cdata("a"))) > 2**19
