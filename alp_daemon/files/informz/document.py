"""One pass over an XML document in pieces: its size does not matter, and nothing in it can do harm.

A document type declaration is refused as soon as it is seen, so there are no entities to expand or to fetch.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final
from xml.parsers import expat

from alp_daemon.errors import UnusableFile
from alp_daemon.files import encoding
from alp_daemon.files.container import CHUNK, Content

MAX_DEPTH: Final = 64
"""Nodes that may stand in each other. The parser keeps something of each that is open."""

PIECE: Final = 2**16
"""Bytes parsed at a time. A handler's fault stops the parser only at the end of a piece: up to there it keeps what
it is sent, and no other thread runs."""

MAX_TOKEN: Final = 2**20
"""Bytes that one tag or comment may have. Text has no limit: it comes in pieces."""

_ANSI: Final = "windows-1252"
_LATIN_1: Final = {"iso-8859-1", "iso8859-1", "latin1", "latin-1"}
_BOTH_UNICODES: Final = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_DECLARED = re.compile(rb"""<\?xml\s[^>]{0,200}?\bencoding\s*=\s*["']([A-Za-z0-9._-]+)["'][^>]{0,200}\?>""")
_BEGINNING: Final = 1024
_LONGEST_NAME: Final = 80

_ENDS_EARLY: Final = frozenset(
    expat.errors.codes[message]
    for message in (
        expat.errors.XML_ERROR_NO_ELEMENTS,
        expat.errors.XML_ERROR_UNCLOSED_TOKEN,
        expat.errors.XML_ERROR_UNCLOSED_CDATA_SECTION,
        expat.errors.XML_ERROR_PARTIAL_CHAR,
    )
)
"""Expat raises these only where it was told that the document is over."""


class Document:
    """A document and its parser, whose handlers the caller sets; names come as ``namespace local``."""

    def __init__(self, path: Path, name: str = "") -> None:
        """Raises ``UnusableFile`` (``encoding``) where the declared encoding cannot be read."""
        self.name = name or path.name
        self._path = path
        self.parser = expat.ParserCreate(encoding_of(lambda: path.open("rb"), self.name), namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.buffer_size = 2**16
        self.parser.StartDoctypeDeclHandler = self._refuse_doctype

    def fault(self, code: str, message: str) -> UnusableFile:
        """What is wrong where the parser stands."""
        return UnusableFile(code, f"{self.name}: line {self.parser.CurrentLineNumber}: {message}")

    def read(self) -> None:
        """Parse the document from its first byte to its last. Raises as ``pieces``."""
        for _ in self.pieces():
            pass

    def pieces(self, *, are_large: bool = False) -> Iterator[None]:
        """Parse the document, and stop after each piece for the caller to take what the handlers have collected.

        ``are_large`` is for a document that has been read before. Raises ``UnusableFile``: ``cut_xml`` where the
        document ends before its root does, ``not_xml``, ``doctype``, ``encoding``, ``too_large``, and whatever the
        handlers raise.
        """
        fed = 0
        with self._path.open("rb") as stream:
            while piece := stream.read(CHUNK if are_large else PIECE):
                self._parse(piece)
                fed += len(piece)
                if fed - self.parser.CurrentByteIndex > MAX_TOKEN:
                    raise self.fault("too_large", f"a tag or comment is longer than {MAX_TOKEN:,} bytes.")
                yield
        self._parse(b"", is_last=True)
        yield

    def _parse(self, piece: bytes, *, is_last: bool = False) -> None:
        try:
            self.parser.Parse(piece, is_last)
        except expat.ExpatError as error:
            raise _unreadable(error, self.name) from error

    def _refuse_doctype(self, *_: object) -> None:
        raise self.fault("doctype", "the document has a DOCTYPE, which is never read. Send it without one.")


def split(full_name: str) -> tuple[str, str]:
    """A node's namespace and local name, both shortened for messages: none that is known here is so long."""
    namespace, _, name = full_name.rpartition(" ")
    return namespace[:_LONGEST_NAME], name[:_LONGEST_NAME]


def local(full_name: str) -> str:
    """A node's name without its namespace."""
    return split(full_name)[1]


def _unreadable(error: expat.ExpatError, name: str) -> UnusableFile:
    place, what = f"{name}: line {error.lineno}, column {error.offset + 1}", expat.ErrorString(error.code)
    if error.code in _ENDS_EARLY:
        return UnusableFile(
            "cut_xml", f"{place}: the document ends before its last end tag ({what}). Send the whole document again."
        )
    return UnusableFile(
        "not_xml",
        f"{place}: this is not well-formed XML ({what}). In the data, < and & must be written as &lt; and &amp; or "
        "stand in a CDATA section, and every byte must be text in the encoding that the first line declares.",
    )


def encoding_of(opened: Callable[[], BinaryIO], name: str) -> str | None:
    """What the parser must be told of the encoding; ``None`` where it sees for itself.

    Text that says ISO-8859-1 is read as Windows-1252, as browsers do (WHATWG Encoding Standard): the two differ only
    in control characters that nobody means. Text that says nothing is UTF-8, as XML wants it, or else Windows-1252:
    "ANSI" is what the format was made for. Raises ``UnusableFile`` (``encoding``) for one that cannot be read.
    """
    with opened() as stream:
        beginning = stream.read(_BEGINNING)
    if not beginning or beginning.startswith(_BOTH_UNICODES) or b"\0" in beginning[:4]:
        return None
    if declaration := _DECLARED.match(beginning):
        _check_is_known(declaration, name)
        return _ANSI if declaration[1].decode().lower() in _LATIN_1 else None
    content = Content(name, "text", False, opened)
    return _ANSI if encoding.detect(content).name == encoding.FALLBACK else None


def _check_is_known(declaration: re.Match[bytes], name: str) -> None:
    try:
        expat.ParserCreate().Parse(declaration[0], False)
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise UnusableFile(
            "encoding",
            f"{name}: line 1: the document says that it is {declaration[1].decode()}, which cannot be read ({error}). "
            "Send it as UTF-8 or Windows-1252.",
        ) from error
