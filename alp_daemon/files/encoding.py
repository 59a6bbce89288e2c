"""Text of any encoding as one stream of UTF-8, so that everything behind it knows a single one.

Order of trial: byte order mark, strict UTF-8, Windows-1252. Guessers that look at letter frequencies take plain
Windows-1252 for its Central European sister; this rule cannot, and it is one that people can be told.

Text that is UTF-8 up to a character that its end has cut short is UTF-8, and cut.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Encoding:
    """What a text is written in. ``torn_at`` is where its last character begins, if the text ends inside that."""

    name: str
    torn_at: int | None = None


def detect(content: Content, configured: str = "auto") -> Encoding:
    """Return the encoding of a text file, which reads it once from end to end.

    Raises ``UnusableFile`` (``not_text``, ``encoding``) where the file cannot be text in it.
    """
    if configured != "auto" and codecs.lookup(configured).name != UTF8:
        return Encoding(configured)
    first = next(content.chunks())[:_LOOKED_AT_FOR_NUL]
    marked = next((name for mark, name in _MARKS.items() if first.startswith(mark)), UTF8)
    if marked != UTF8 and configured == "auto":
        return Encoding(marked)
    if first.count(b"\0") > len(first) * _NULS_OF_NO_TEXT:
        raise UnusableFile(
            "not_text",
            f"{content.name}: the file is full of NUL bytes, so it is not text. If it is UTF-16 without a byte order "
            "mark, set `encoding: utf-16-le` (or utf-16-be).",
        )
    invalid = _first_invalid_utf8(content)
    if invalid is None or invalid.is_torn:
        return Encoding(UTF8, invalid.offset if invalid else None)
    if configured != "auto":
        raise _undecodable(content.name, configured, invalid.offset)
    return Encoding(FALLBACK)


class Utf8Chunks(Iterator[bytes]):
    """The text of a file as UTF-8 without byte order mark and torn character, in pieces that may end anywhere."""

    def __init__(self, content: Content, encoding: Encoding) -> None:
        self.ends_with_newline = False
        """Of what has been read so far."""
        self.is_torn = encoding.torn_at is not None
        """The text ends inside a character."""
        is_utf8 = encoding.name == UTF8
        self._chunks = _as_it_is(content, encoding.torn_at) if is_utf8 else _transcoded(content, encoding.name)

    def __next__(self) -> bytes:
        chunk = next(self._chunks)
        if chunk:
            self.ends_with_newline = chunk.endswith((b"\n", b"\r"))
        return chunk


def _as_it_is(content: Content, torn_at: int | None) -> Iterator[bytes]:
    chunks = content.chunks() if torn_at is None else _until(torn_at, content.chunks())
    yield next(chunks).removeprefix(codecs.BOM_UTF8)
    yield from chunks


def _until(end: int, chunks: Iterator[bytes]) -> Iterator[bytes]:
    offset = 0
    for chunk in chunks:
        yield chunk[: max(end - offset, 0)]
        offset += len(chunk)


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


@dataclass(frozen=True, slots=True)
class _Invalid:
    """Where the first bytes stand that are not UTF-8. ``is_torn``: they are all there is of the last character."""

    offset: int
    is_torn: bool


def _first_invalid_utf8(content: Content) -> _Invalid | None:
    decoder = codecs.getincrementaldecoder(UTF8)()
    offset = 0
    for chunk in content.chunks(_CHECKED_AT_ONCE):
        pending = decoder.getstate()[0]
        if pending or not chunk.isascii():
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError as error:
                return _Invalid(offset - len(pending) + error.start, is_torn=False)
        offset += len(chunk)
    pending = decoder.getstate()[0]
    return _Invalid(offset - len(pending), is_torn=True) if pending else None


def _undecodable(name: str, encoding: str, offset: int) -> UnusableFile:
    return UnusableFile(
        "encoding",
        f"{name}: byte {offset:,} cannot be read as {encoding}. Set `encoding: auto`, or the one the file is saved in.",
    )
