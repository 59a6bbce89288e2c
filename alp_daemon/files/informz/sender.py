"""Who sends a request, as far as its beginning tells: asked before gigabytes of a stranger's are kept."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from io import BytesIO
from xml.parsers import expat

from alp_daemon.errors import UnusableFile
from alp_daemon.files.informz.document import encoding_of, local
from alp_daemon.files.informz.nodes import ROOT
from alp_daemon.files.informz.root import ENVELOPE

MOST_BEFORE = 2**14
"""Bytes within which brand, user and password must stand."""

_MOST_NODES = 256
"""Nodes within which they must stand, those of a SOAP envelope and its header among them. Each is told here one by
one, which is what a stranger's beginning costs."""

_NOT_ASCII = bytes(range(0x80, 0x100))


@dataclass(frozen=True, slots=True)
class Sender:
    """What a request says of its sender. Nothing of it is proven."""

    brand_id: str
    user: str
    password: str = field(repr=False)
    envelope: str = ""
    """The namespace of the SOAP envelope around the request, which the answer's must be too; "" for a bare one."""


def sender_of(beginning: bytes) -> Sender | None:
    """Who sends the request, or the envelope around one, that begins so; ``None`` where that is not said (yet).

    At most ``MOST_BEFORE`` bytes are looked at.

    An envelope within an envelope is nobody's: opening them one after the other would cost a stranger nothing.
    """
    outer = _Beginning(beginning[:MOST_BEFORE])
    if outer.root != ENVELOPE:
        return outer.sender()
    inside = _Beginning(outer.text.encode()).sender()
    return inside and replace(inside, envelope=outer.namespace)


class _Beginning:
    """What can be read of a beginning: the nodes below the root that are over, and of an envelope its last text."""

    def __init__(self, beginning: bytes) -> None:
        self.root = ""
        self.namespace = ""
        self._brand_id: str | None = None
        self._texts: dict[str, str] = {}
        self._open: list[str] = []
        self._nodes = 0
        self._pieces: list[str] = []
        # A fault is for those to tell who read the whole.
        with suppress(UnusableFile, expat.ExpatError, LookupError, ValueError):
            self._read(beginning)

    @property
    def text(self) -> str:
        return "".join(self._pieces).lstrip("\ufeff \t\r\n")

    def sender(self) -> Sender | None:
        user, password = self._texts.get("User"), self._texts.get("Password")
        if self.root != ROOT or self._brand_id is None or user is None or password is None:
            return None
        return Sender(self._brand_id, user.strip(), password.strip())

    def _read(self, beginning: bytes) -> None:
        whole = beginning.rstrip(_NOT_ASCII)  # it may end within a character
        parser = expat.ParserCreate(encoding_of(lambda: BytesIO(whole), ""), namespace_separator=" ")
        parser.StartElementHandler = self._begin
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._pieces.append
        parser.StartDoctypeDeclHandler = _refuse
        parser.Parse(beginning, False)

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        self._nodes += 1
        if self._nodes > _MOST_NODES:
            raise ValueError("no request begins with so many nodes")
        self._open.append(local(name))
        if len(self._open) == 1:
            self.namespace, _, self.root = name.rpartition(" ")
        elif self.root == ENVELOPE:
            self._pieces.clear()  # what stands in the envelope's header is no request
        elif self.root == ROOT and len(self._open) == 2:
            self._pieces.clear()
            if local(name) == "Brand":
                self._brand_id = attributes.get("id", "").strip()

    def _end(self, name: str) -> None:
        if self.root == ROOT and len(self._open) == 2:
            self._texts.setdefault(local(name), "".join(self._pieces))
        self._open.pop()


def _refuse(*_: object) -> None:
    raise ValueError("a DOCTYPE is never read")
