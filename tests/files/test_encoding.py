"""Byte order mark, strict UTF-8, Windows-1252: in this order, unless the feed says otherwise."""

from __future__ import annotations

import pytest

from alp_daemon.errors import UnusableFile
from alp_daemon.files import container

from .conftest import ReadFile, listed

TAGS = [{"column": "Tag"}]
A = 12125550123


def tag_in(reading: ReadFile, content: bytes, encoding: str = "auto") -> tuple[str, ...]:
    return listed(reading(content, tags=TAGS, file={"encoding": encoding, "delimiter": ","}))[A]


TEXT = "Phone,Tag\n2125550123,Zoë\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_the_encoding_is_found(reading: ReadFile, encoding: str) -> None:
    assert tag_in(reading, TEXT.encode(encoding)) == ("Zoë",)


def test_utf_16_big_endian_with_its_mark(reading: ReadFile) -> None:
    assert tag_in(reading, b"\xfe\xff" + TEXT.encode("utf-16-be")) == ("Zoë",)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "cp1250", "utf-8"])
def test_the_encoding_may_be_said(reading: ReadFile, encoding: str) -> None:
    assert tag_in(reading, TEXT.encode(encoding), encoding) == ("Zoë",)


def test_windows_1252_is_decided_for_the_whole_file(reading: ReadFile) -> None:
    text = TEXT.encode() + b"2125550124,caf\xe9\n" * 10
    assert tag_in(reading, text) == ("ZoÃ«",)


@pytest.mark.parametrize("chunk", range(20, 36))
def test_a_character_may_be_split_between_two_pieces(
    reading: ReadFile, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(container, "FIRST_CHUNK", chunk)
    monkeypatch.setattr(container, "CHUNK", 1)
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "cp1252"):
        assert tag_in(reading, TEXT.encode(encoding)) == ("Zoë",)


def test_a_byte_without_meaning_costs_its_tag_and_not_the_file(reading: ReadFile) -> None:
    found = reading(b"Phone,Tag,Note\n2125550123,a\x81,x\n2125550124,b,\x81\n", tags=TAGS)
    assert listed(found) == {A: (), A + 1: ("b",)}
    assert found.rejects.by_reason == {"tag_control_character": 1}


@pytest.mark.parametrize(("encoding", "content"), [("utf-8", b"Phone\n\xe9\n"), ("utf-16-le", b"P\0h\0o")])
def test_bytes_that_are_not_of_the_encoding_said_refuse_the_file(
    reading: ReadFile, encoding: str, content: bytes
) -> None:
    with pytest.raises(UnusableFile, match=rf"members\.csv: byte \d cannot be read as {encoding}\.") as error:
        reading(content, file={"encoding": encoding})
    assert error.value.code == "encoding"


@pytest.mark.parametrize("encoding", ["auto", "utf-8"])
@pytest.mark.parametrize("chunk", [1, 5, 2**20])
@pytest.mark.parametrize("text", ["Zo\u00eb", "\u20ac", "\U0001f600"])
def test_text_that_ends_inside_a_character_is_utf_8_and_cut(
    reading: ReadFile, monkeypatch: pytest.MonkeyPatch, text: str, chunk: int, encoding: str
) -> None:
    """Read as Windows-1252 it would be whole, with tags that nobody has given."""
    monkeypatch.setattr(container, "FIRST_CHUNK", 20)
    monkeypatch.setattr(container, "CHUNK", chunk)
    whole = f"Phone,Tag\n2125550123,Zo\u00eb\n2125550124,{text}".encode()
    for lost in range(1, len(text[-1].encode())):
        found = reading(whole[:-lost], tags=TAGS, file={"encoding": encoding, "delimiter": ","})
        assert (found.ends_whole, found.cut_reason) == (False, "the file ends inside a character")
        assert listed(found)[A] == ("Zo\u00eb",)
    assert reading(whole, tags=TAGS, file={"encoding": encoding, "delimiter": ","}).ends_whole is None


def test_windows_1252_that_ends_with_an_accent_is_not_torn(reading: ReadFile) -> None:
    found = reading("Phone,Tag\n2125550123,Zo\u00eb\n2125550124,caf\u00e9".encode("cp1252"), tags=TAGS)
    assert found.ends_whole is None
    assert listed(found) == {A: ("Zo\u00eb",), A + 1: ("caf\u00e9",)}


def test_a_torn_end_proves_no_trailer(reading: ReadFile) -> None:
    trailer = {"trailer": {"starts_with": "END"}, "delimiter": ","}
    text = "Phone,Tag\n2125550123,a\nEND,\u00e9".encode()
    assert reading(text, file=trailer).ends_whole is True
    assert reading(text[:-1], file=trailer).ends_whole is False


def test_utf_16_without_its_mark_is_recognised_and_the_cure_named(reading: ReadFile) -> None:
    with pytest.raises(UnusableFile, match="set `encoding: utf-16-le`") as error:
        reading(TEXT.encode("utf-16-le"))
    assert error.value.code == "not_text"
