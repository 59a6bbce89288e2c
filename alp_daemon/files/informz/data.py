"""The records of a BulkUpload as one stream of UTF-8, so that they are read by the code that reads CSV files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from alp_daemon.files.informz.document import Document, local
from alp_daemon.files.informz.nodes import DATA

_MOST_LAYOUT: Final = 2**16
"""Characters of blank text that may be held back. No indentation is longer."""


def data_chunks(path: Path, name: str = "") -> Iterator[bytes]:
    """The text of the node Data in pieces that may end anywhere, its line ends LF or as character references have them.

    CDATA sections and entities are resolved. Raises as ``Document.pieces``; the request itself should have been read
    before by ``read_bulk_upload``.
    """
    document = Document(path, name)
    records = _Records(document)
    for _ in document.pieces(are_large=True):
        if piece := records.take():
            yield piece.encode()


class _Records:
    """Collects the text of Data.

    Blank text between the node's tags and a CDATA section, or between two of them, is how the document was laid out,
    not part of a record: a Tab there would be an empty first column. Only its line breaks count.
    """

    def __init__(self, document: Document) -> None:
        self._parser = document.parser
        self._texts: list[str] = []
        self._blanks: list[str] = []
        self._blanks_size = 0
        self._in_cdata = False
        self._had_cdata = False
        self._parser.StartElementHandler = self._begin
        self._parser.EndElementHandler = self._end

    def take(self) -> str:
        """What has been collected since the last call."""
        text = "".join(self._texts)
        self._texts = []
        return text

    def _begin(self, name: str, _: dict[str, str]) -> None:
        if local(name) == DATA:
            self._parser.CharacterDataHandler = self._text
            self._parser.StartCdataSectionHandler = self._begin_cdata
            self._parser.EndCdataSectionHandler = self._end_cdata

    def _end(self, name: str) -> None:
        if local(name) == DATA:
            self._release(is_layout=self._had_cdata)
            self._parser.CharacterDataHandler = None
            self._parser.StartCdataSectionHandler = None
            self._parser.EndCdataSectionHandler = None

    def _text(self, text: str) -> None:
        if not self._in_cdata and self._blanks_size < _MOST_LAYOUT and text.isspace():
            self._blanks.append(text)
            self._blanks_size += len(text)
            return
        self._release(is_layout=False)
        self._texts.append(text)

    def _begin_cdata(self) -> None:
        self._release(is_layout=True)
        self._in_cdata = self._had_cdata = True

    def _end_cdata(self) -> None:
        self._in_cdata = False

    def _release(self, *, is_layout: bool) -> None:
        if self._blanks:
            text = "".join(self._blanks)
            self._texts.append("\n" * text.count("\n") if is_layout else text)
            self._blanks, self._blanks_size = [], 0
