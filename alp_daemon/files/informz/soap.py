"""The SOAP operation PostInformzMessage, which carries the ActionRequest as one text."""

from __future__ import annotations

import re
from pathlib import Path
from typing import BinaryIO, Final

from alp_daemon.errors import UnusableFile
from alp_daemon.files.informz.document import MAX_DEPTH, Document, split
from alp_daemon.files.informz.root import ENVELOPE

SOAP_1_1: Final = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP_1_2: Final = "http://www.w3.org/2003/05/soap-envelope"

_PATH: Final = (ENVELOPE, "Body", "PostInformzMessage")
"""The nodes around the operation's only parameter, whose name does not matter."""

_HEADER: Final = (ENVELOPE, "Header")

# A text has no encoding of its own any more, whatever its first line says (.NET says UTF-16 in any string).
_DECLARATION = re.compile(r"\A\s*(?:<\?xml\s[^>]*\?>)?\s*")
_LONGEST_DECLARATION: Final = 1024


def unwrap(source: Path, target: BinaryIO, name: str = "") -> str:
    """Write the request that an envelope carries, entity-encoded or in CDATA, into an open file, as UTF-8.

    Returns the envelope's namespace, ``SOAP_1_1`` or ``SOAP_1_2``, which the answer's must be too. Memory stays
    bounded whatever the size. Raises ``UnusableFile``: what ``Document.pieces`` raises, ``wrong_root``,
    ``wrong_namespace``, ``unknown_node``, and ``missing_node`` where there is no request in it. ``target`` may hold
    a part of it then, the password too, and must be thrown away.
    """
    document = Document(source, name)
    message = _Message(document)
    for _ in document.pieces():
        message.write_to(target)
    message.check_has_come()
    return message.namespace


class _Message:
    """Collects the text of the operation's parameter."""

    def __init__(self, document: Document) -> None:
        self.namespace = ""
        self._has_begun = False
        self._document = document
        self._open: list[str] = []
        self._texts: list[str] = []
        document.parser.StartElementHandler = self._begin
        document.parser.EndElementHandler = self._end
        document.parser.CharacterDataHandler = self._text

    def write_to(self, target: BinaryIO) -> None:
        """Write what has been collected, which must be enough to hold the declaration, and forget it."""
        text = "".join(self._texts)
        if not self._has_begun:
            text = text.lstrip("\ufeff")
            if self._open and len(text) < _LONGEST_DECLARATION:
                return
            text = _DECLARATION.sub("", text, count=1)
            self._has_begun = bool(text)
        target.write(text.encode())
        self._texts = []

    def check_has_come(self) -> None:
        if not self._has_begun:
            raise UnusableFile(
                "missing_node",
                f"{self._document.name}: {'/'.join(_PATH)} carries no request. Expected an ActionRequest as the text "
                "of its parameter.",
            )

    def _begin(self, full_name: str, _: dict[str, str]) -> None:
        namespace, name = split(full_name)
        if not self._open:
            self._check_root(namespace, name)
        self._open.append(name)
        inside = tuple(self._open)
        if len(inside) > MAX_DEPTH:
            raise self._document.fault(
                "too_large", f"nodes stand in each other {MAX_DEPTH} deep, the most that is read."
            )
        if inside[: len(_HEADER)] == _HEADER:
            return
        if inside[: len(_PATH)] != _PATH[: len(inside)]:
            raise self._document.fault("unknown_node", f"there is no node {'/'.join(inside)} in this operation.")
        if len(inside) > len(_PATH) + 1:
            raise self._document.fault(
                "unknown_node", "the request must come as text: entity-encoded or in a CDATA section."
            )

    def _end(self, _: str) -> None:
        self._open.pop()

    def _text(self, text: str) -> None:
        if len(self._open) > len(_PATH) and tuple(self._open[: len(_PATH)]) == _PATH:
            self._texts.append(text)

    def _check_root(self, namespace: str, name: str) -> None:
        if name != ENVELOPE:
            raise self._document.fault("wrong_root", f"expected {ENVELOPE} as the outermost node, found {name}.")
        if namespace not in (SOAP_1_1, SOAP_1_2):
            raise self._document.fault("wrong_namespace", f"expected an envelope in {SOAP_1_1} or {SOAP_1_2}.")
        self.namespace = namespace
