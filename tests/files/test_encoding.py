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


def test_utf_16_without_its_mark_is_recognised_and_the_cure_named(reading: ReadFile) -> None:
    with pytest.raises(UnusableFile, match="set `encoding: utf-16-le`") as error:
        reading(TEXT.encode("utf-16-le"))
    assert error.value.code == "not_text"
