"""What a file is, by its first bytes or its parts, and what is refused as no list."""

from __future__ import annotations

import bz2
import gzip

import pytest

from .archives import TEXT, refusal, zipped
from .conftest import ReadFile


@pytest.mark.parametrize("wrapped", [gzip.compress(b""), zipped({"members.csv": ""})], ids=["gzip", "zip"])
def test_an_empty_file_in_an_archive_is_refused(reading: ReadFile, wrapped: bytes) -> None:
    assert refusal(reading, wrapped).code == "empty_file"


@pytest.mark.parametrize("inner", [gzip.compress(TEXT.encode()), zipped({"members.csv": TEXT})], ids=["gzip", "zip"])
def test_an_archive_in_an_archive_is_refused(reading: ReadFile, inner: bytes) -> None:
    error = refusal(reading, gzip.compress(inner))
    assert (error.code, "holds another archive" in str(error)) == ("not_text", True)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"%PDF-1.7\n...", "a PDF document"),
        (b"\x89PNG\r\n\x1a\n", "an image"),
        (b"\xff\xd8\xff\xe0", "an image"),
        (b"{\\rtf1\\ansi Phone", "a word processor's document (RTF)"),
        (b'<?xml version="1.0"?><a/>', "an XML document"),
        (b"\n <!DOCTYPE HTML><html>", "a web page"),
        (b"<html><body>404", "a web page"),
        (bz2.compress(TEXT.encode()), "a bzip2 archive"),
        (b"-----BEGIN PGP MESSAGE-----", "a file encrypted with PGP"),
        (b"PAR1\0\0", "a Parquet file"),
        (zipped({"word/document.xml": "x"}), "a Word document"),
    ],
    ids=lambda value: value if isinstance(value, str) else "content",  # the bytes of an archive hold the time
)
def test_what_is_no_list_is_called_by_its_name(reading: ReadFile, content: bytes, what: str) -> None:
    error = refusal(reading, content)
    assert error.code == "not_text"
    assert f"this looks like {what}. Expected a text file (CSV) or a spreadsheet" in str(error)
