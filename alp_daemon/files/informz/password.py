"""A request without its password, so that no secret lies in the spool."""

from __future__ import annotations

import codecs
import mmap
import os
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Final, NamedTuple

from alp_daemon.errors import UnusableFile
from alp_daemon.files.informz import nodes
from alp_daemon.files.informz.document import MAX_DEPTH, Document, local

_NODE: Final = "password"
_BLANKS_AT_ONCE: Final = 2**16
# A search lets no other thread run until it ends: of a whole file that would be seconds.
_SEARCHED_AT_ONCE: Final = 2**18
_LONGEST_TAG: Final = 2**16

Span = tuple[int, int]
"""Bytes from the first to the one behind the last."""


class _Writing(NamedTuple):
    """How characters stand in a file. What a parser cannot read is looked through by bytes, in envelopes too."""

    width: int
    """Bytes to a character."""
    blank: bytes
    opens: re.Pattern[bytes]
    """A node's start tag; what it hides goes up to the next end tag, or to the end of what came."""
    closes: re.Pattern[bytes]


def _writing(before: bytes = b"", behind: bytes = b"") -> _Writing:
    """Of characters of one byte each with these zeros around it, as in UTF-16; without any, as in UTF-8."""

    def one(of: bytes) -> bytes:
        return re.escape(before) + of + re.escape(behind)

    def text(characters: str) -> bytes:
        return b"".join(one(re.escape(each.encode())) for each in characters)

    def either(*texts: str) -> bytes:
        return b"(?:" + b"|".join(map(text, texts)) + b")"

    width = len(before) + 1 + len(behind)
    less, greater = either("<", "&lt;", "&#60;", "&#x3c;"), either(">", "&gt;", "&#62;", "&#x3e;")
    prefix = b"(?:(?:" + one(rb"[\w.-]") + b")+" + text(":") + b")?"
    attributes = b"(?:(?!" + one(b"[<>&]") + b")" + b"." * width + b")*"
    opens = less + prefix + text(_NODE) + b"(?=" + one(rb"[\s>/&]") + b")" + attributes + greater
    closes = less + text("/") + prefix + text(_NODE)
    flags = re.IGNORECASE | re.DOTALL
    return _Writing(width, before + b" " + behind, re.compile(opens, flags), re.compile(closes, flags))


_OF_BYTES: Final = _writing()
_LITTLE_END_FIRST: Final = _writing(behind=b"\0")
_BIG_END_FIRST: Final = _writing(before=b"\0")


def _writing_of(path: Path) -> _Writing:
    """As the parser sees it: by the byte order mark, or else by the zero beside the first character."""
    with path.open("rb") as file:
        first = file.read(2)
    if first == codecs.BOM_UTF16_LE or first.endswith(b"\0"):
        return _LITTLE_END_FIRST
    if first == codecs.BOM_UTF16_BE or first.startswith(b"\0"):
        return _BIG_END_FIRST
    return _OF_BYTES


def blank_password(path: Path, name: str = "") -> None:
    """Overwrite with blanks what stands in the nodes Password, whatever their namespace and case.

    The file keeps its size and, but for that, every byte. Of what is no well-formed request all that looks like such
    a node is blanked. A crash half-way leaves a part of the blanks.
    """
    spans: list[Span] = []
    writing = _writing_of(path)
    try:
        _by_parser(path, name, spans)
    except UnusableFile:
        _overwrite(path, writing, chain(spans, _by_bytes(path, writing)))
    else:
        _overwrite(path, writing, spans)


def _by_parser(path: Path, name: str, spans: list[Span]) -> None:
    """Adds what stands in the nodes, as far as the document can be read."""
    document = Document(path, name)
    _Passwords(document, spans)
    document.read()


def _by_bytes(path: Path, writing: _Writing) -> Iterator[Span]:
    if path.stat().st_size == 0:
        return
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        end = 0
        while (opening := _search(writing.opens, writing.width, content, end)) is not None:
            begin = opening[1]
            end, _ = _search(writing.closes, writing.width, content, begin) or (len(content), 0)
            yield begin, end


def _search(pattern: re.Pattern[bytes], width: int, content: mmap.mmap, start: int) -> Span | None:
    """Where the pattern is found next, piece by piece; a tag that begins in one piece may end in the next."""
    for begin in range(start, len(content), _SEARCHED_AT_ONCE):
        at, end = begin, begin + _SEARCHED_AT_ONCE
        while (found := pattern.search(content, at, end + _LONGEST_TAG)) is not None and found.start() < end:
            if found.start() % width == 0:
                return found.span()
            at = found.start() + 1  # what was found begins with half a character
    return None


def _overwrite(path: Path, writing: _Writing, spans: Iterable[Span]) -> None:
    blanks, is_changed = writing.blank * (_BLANKS_AT_ONCE // writing.width), False
    with path.open("r+b") as file:
        for begin, end in spans:
            file.seek(begin)
            for start in range(begin, end, len(blanks)):
                file.write(blanks[: end - start])
                is_changed = True
        if is_changed:
            file.flush()
            os.fsync(file.fileno())


class _Passwords:
    """Finds what stands in the nodes Password, to the byte."""

    def __init__(self, document: Document, spans: list[Span]) -> None:
        self._spans = spans
        self._document = document
        self._parser = document.parser
        self._depth = 0
        self._nodes = 0
        self._password_depth = 0
        """Of the node Password that is open; 0 where none is."""
        self._content_begins: int | None = None
        self._parser.StartElementHandler = self._begin
        self._parser.EndElementHandler = self._end

    def _begin(self, name: str, _: dict[str, str]) -> None:
        self._depth += 1
        self._nodes += 1
        if self._depth > MAX_DEPTH or self._nodes > nodes.MAX_NODES:
            raise self._document.fault("too_large", "there are more nodes, or deeper ones, than any request has.")
        if self._depth == 1 and local(name) != nodes.ROOT:
            raise self._document.fault(
                "wrong_root", f"expected {nodes.ROOT} as the outermost node, found {local(name)}."
            )
        if self._password_depth:
            self._see_content()
        elif local(name).lower() == _NODE:
            self._password_depth = self._depth
            self._content_begins = None
            # Whatever comes first behind the start tag tells where that ends.
            self._parser.DefaultHandler = self._see_content

    def _end(self, _: str) -> None:
        if self._depth == self._password_depth:
            self._see_content()
            assert self._content_begins is not None
            self._spans.append((self._content_begins, self._parser.CurrentByteIndex))
            self._password_depth = 0
            self._parser.DefaultHandler = None
        self._depth -= 1

    def _see_content(self, *_: object) -> None:
        if self._content_begins is None:
            self._content_begins = self._parser.CurrentByteIndex
