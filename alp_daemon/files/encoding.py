"""Text of any encoding as one stream of UTF-8, so that everything behind it knows a single one.

Order of trial: byte order mark, strict UTF-8, Windows-1252. Guessers that look at letter frequencies take plain
Windows-1252 for its Central European sister; this rule cannot, and it is one that people can be told.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import Final

from alp_daemon.errors import UnusableFile
from alp_daemon.files.container import Content

UTF8: Final = "utf-8"
FALLBACK: Final = "cp1252"

_MARKS: Final = {codecs.BOM_UTF8: UTF8, codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_LOOKED_AT_FOR_NUL: Final = 4096
_CHECKED_AT_ONCE: Final = 256 * 2**10
"""Bytes that stay in the processor's cache with the text made of them, which is thrown away."""
_NULS_OF_NO_TEXT: Final = 0.25
"""Every other byte of UTF-16 is NUL. A single one is a fault of the cell that holds it."""


def detect(content: Content, configured: str = "auto") -> str:
    """Return the encoding of a text file, which reads it once from end to end.

    Raises ``UnusableFile`` (``not_text``, ``encoding``) where the file cannot be text in it.
    """
    if configured != "auto" and codecs.lookup(configured).name != UTF8:
        return configured
    first = next(content.chunks())[:_LOOKED_AT_FOR_NUL]
    marked = next((name for mark, name in _MARKS.items() if first.startswith(mark)), UTF8)
    if marked != UTF8 and configured == "auto":
        return marked
    if first.count(b"\0") > len(first) * _NULS_OF_NO_TEXT:
        raise UnusableFile(
            "not_text",
            f"{content.name}: the file is full of NUL bytes, so it is not text. If it is UTF-16 without a byte order "
            "mark, set `encoding: utf-16-le` (or utf-16-be).",
        )
    invalid = _first_invalid_utf8(content)
    if invalid is None:
        return UTF8
    if configured != "auto":
        raise _undecodable(content.name, configured, invalid)
    return FALLBACK


class Utf8Chunks(Iterator[bytes]):
    """The text of a file as UTF-8 without byte order mark, in pieces that may end anywhere."""

    def __init__(self, content: Content, encoding: str) -> None:
        self.ends_with_newline = False
        """Of what has been read so far."""
        self._chunks = _without_mark(content) if encoding == UTF8 else _transcoded(content, encoding)

    def __next__(self) -> bytes:
        chunk = next(self._chunks)
        if chunk:
            self.ends_with_newline = chunk.endswith((b"\n", b"\r"))
        return chunk


def _without_mark(content: Content) -> Iterator[bytes]:
    chunks = content.chunks()
    yield next(chunks).removeprefix(codecs.BOM_UTF8)
    yield from chunks


def _transcoded(content: Content, encoding: str) -> Iterator[bytes]:
    # Windows-1252 leaves five bytes undefined. As the last resort it must not fail over an odd character in a column
    # that nobody asked for; in a tag the replacement character is refused.
    decoder = codecs.getincrementaldecoder(encoding)("replace" if encoding == FALLBACK else "strict")
    offset, beginning = 0, True
    try:
        for chunk in content.chunks():
            text = decoder.decode(chunk)
            yield (text.removeprefix("\ufeff") if beginning else text).encode(UTF8)
            offset, beginning = offset + len(chunk), False
        yield decoder.decode(b"", final=True).encode(UTF8)
    except UnicodeError as error:
        raise _undecodable(content.name, encoding, offset + getattr(error, "start", 0)) from error


def _first_invalid_utf8(content: Content) -> int | None:
    decoder = codecs.getincrementaldecoder(UTF8)()
    offset = 0
    try:
        for chunk in content.chunks(_CHECKED_AT_ONCE):
            pending = decoder.getstate()[0]
            if pending or not chunk.isascii():
                decoder.decode(chunk)
            offset += len(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        return offset + error.start
    return None


def _undecodable(name: str, encoding: str, offset: int) -> UnusableFile:
    return UnusableFile(
        "encoding",
        f"{name}: byte {offset:,} cannot be read as {encoding}. Set `encoding: auto`, or the one the file is saved in.",
    )
