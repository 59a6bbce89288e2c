"""Who sends a request, as far as its beginning tells: asked before gigabytes of a stranger's are kept."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from xml.parsers import expat

from alp_daemon.files.informz.document import local
from alp_daemon.files.informz.nodes import ROOT
from alp_daemon.files.informz.root import ENVELOPE

MOST_BEFORE = 2**20
"""Bytes within which brand, user and password must stand."""


@dataclass(frozen=True, slots=True)
class Sender:
    """What a request says of its sender. Nothing of it is proven."""

    brand_id: str
    user: str
    password: str = field(repr=False)
    envelope: str = ""
    """The namespace of the SOAP envelope around the request, which the answer's must be too; "" for a bare one."""


def sender_of(beginning: bytes) -> Sender | None:
    """Who sends the request, or the envelope around one, that begins so; ``None`` where that is not said (yet)."""
    parser = _Beginning()
    parser.read(beginning)
    if parser.root == ENVELOPE:
        inside = sender_of(parser.text.encode()) if parser.text else None
        return inside and replace(inside, envelope=parser.namespace)
    if parser.root != ROOT or parser.brand_id is None or "Password" not in parser.texts or "User" not in parser.texts:
        return None
    return Sender(parser.brand_id, parser.texts["User"].strip(), parser.texts["Password"].strip())


class _Beginning:
    """The nodes below the root that are over, and of an envelope all its text."""

    def __init__(self) -> None:
        self.root = ""
        self.namespace = ""
        self.brand_id: str | None = None
        self.texts: dict[str, str] = {}
        self._open: list[str] = []
        self._pieces: list[str] = []

    @property
    def text(self) -> str:
        return "".join(self._pieces).lstrip("\ufeff \t\r\n")

    def read(self, beginning: bytes) -> None:
        """Takes what can be read of it; a fault is for those to tell who read the whole."""
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.StartElementHandler = self._begin
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._pieces.append
        parser.StartDoctypeDeclHandler = _refuse
        try:
            parser.Parse(beginning, False)
        except (expat.ExpatError, LookupError, ValueError):
            return

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        self._open.append(local(name))
        if len(self._open) == 1:
            self.namespace, _, self.root = name.rpartition(" ")
        elif self.root == ROOT and len(self._open) == 2:
            self._pieces.clear()
            if local(name) == "Brand":
                self.brand_id = attributes.get("id", "").strip()

    def _end(self, name: str) -> None:
        if self.root == ROOT and len(self._open) == 2:
            self.texts.setdefault(local(name), "".join(self._pieces))
        self._open.pop()


def _refuse(*_: object) -> None:
    raise ValueError("a DOCTYPE is never read")
