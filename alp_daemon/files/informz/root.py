"""Whether a file is a BulkUpload, by its outermost node."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from xml.parsers import expat

from alp_daemon.files.informz import nodes
from alp_daemon.files.informz.document import local

ENVELOPE: Final = "Envelope"

_BEGINNING: Final = 64 * 2**10
"""Bytes within which the outermost node must begin."""


class _Seen(Exception):
    """The outermost node's name, thrown so that nothing behind it is parsed."""


def is_bulk_upload(path: Path) -> bool:
    """Whether a file should be read as an ActionRequest, be it well-formed or not, or as an envelope around one."""
    return _root(path) in (nodes.ROOT, ENVELOPE)


def is_envelope(path: Path) -> bool:
    """Whether a file is a SOAP envelope, which ``soap.unwrap`` must open first."""
    return _root(path) == ENVELOPE


def _root(path: Path) -> str | None:
    with path.open("rb") as stream:
        beginning = stream.read(_BEGINNING)
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = _see
    parser.StartDoctypeDeclHandler = _see  # names the node too; what it declares stays unread
    try:
        parser.Parse(beginning, False)
    except _Seen as seen:
        return local(str(seen))
    except (expat.ExpatError, LookupError, ValueError):
        pass
    return None


def _see(name: str, *_: object) -> None:
    raise _Seen(name)
