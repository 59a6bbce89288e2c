"""A request without its password, so that no secret lies in the spool."""

from __future__ import annotations

import mmap
import os
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Final

from alp_daemon.errors import UnusableFile
from alp_daemon.files.informz import nodes
from alp_daemon.files.informz.document import MAX_DEPTH, Document, local

_NODE: Final = "password"
_BLANKS_AT_ONCE: Final = 2**16
_WIDE: Final = {b"\xff\xfe": " ".encode("utf-16-le"), b"\xfe\xff": " ".encode("utf-16-be")}

# What a parser cannot read still hides no password: here it is looked for as bytes, in envelopes too. Up to the next
# end tag, or to the end of what came.
_OPENS = re.compile(
    rb"(?:<|&lt;|&#60;|&#x3c;)(?:[\w.-]+:)?password(?=[\s>/&])[^<>&]*(?:>|&gt;|&#62;|&#x3e;)", re.IGNORECASE
)
_CLOSES = re.compile(rb"(?:<|&lt;|&#60;|&#x3c;)/(?:[\w.-]+:)?password", re.IGNORECASE)
# A search lets no other thread run until it ends: of a whole file that would be seconds.
_SEARCHED_AT_ONCE: Final = 2**18
_LONGEST_TAG: Final = 2**16

Span = tuple[int, int]
"""Bytes from the first to the one behind the last."""


def blank_password(path: Path, name: str = "") -> None:
    """Overwrite with blanks what stands in the nodes Password, whatever their namespace and case.

    The file keeps its size and, but for that, every byte. Of what is no well-formed request all that looks like such
    a node is blanked. A crash half-way leaves a part of the blanks.
    """
    spans: list[Span] = []
    try:
        _by_parser(path, name, spans)
    except UnusableFile:
        _overwrite(path, chain(spans, _by_bytes(path)))
    else:
        _overwrite(path, spans)


def _by_parser(path: Path, name: str, spans: list[Span]) -> None:
    """Adds what stands in the nodes, as far as the document can be read."""
    document = Document(path, name)
    _Passwords(document, spans)
    document.read()


def _by_bytes(path: Path) -> Iterator[Span]:
    if path.stat().st_size == 0:
        return
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        end = 0
        while (opening := _search(_OPENS, content, end)) is not None:
            begin = opening[1]
            end, _ = _search(_CLOSES, content, begin) or (len(content), 0)
            yield begin, end


def _search(pattern: re.Pattern[bytes], content: mmap.mmap, start: int) -> Span | None:
    """Where the pattern is found next, piece by piece; a tag that begins in one piece may end in the next."""
    for begin in range(start, len(content), _SEARCHED_AT_ONCE):
        end = begin + _SEARCHED_AT_ONCE
        found = pattern.search(content, begin, end + _LONGEST_TAG)
        if found is not None and found.start() < end:
            return found.span()
    return None


def _overwrite(path: Path, spans: Iterable[Span]) -> None:
    with path.open("r+b") as file:
        blank, is_changed = _WIDE.get(file.read(2), b" "), False
        for begin, end in spans:
            file.seek(begin)
            for start in range(begin, end, _BLANKS_AT_ONCE):
                file.write(blank * (min(_BLANKS_AT_ONCE, end - start) // len(blank)))
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
