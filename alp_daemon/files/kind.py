"""What kind of file some bytes are: a text, a spreadsheet, an archive, or something that cannot be a list."""

from __future__ import annotations

import zipfile
from typing import Final, Literal

from alp_daemon.errors import UnusableFile

Kind = Literal["text", "xlsx", "xls", "ods"]

GZIP: Final = b"\x1f\x8b"
ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # xls, and any Office file with a password
_OPENDOCUMENT_SHEET: Final = b"application/vnd.oasis.opendocument.spreadsheet"

_SIGNATURES: Final[dict[bytes, str]] = {
    b"%PDF": "a PDF document",
    b"\x89PNG": "an image",
    b"GIF8": "an image",
    b"\xff\xd8\xff": "an image",
    b"{\\rtf": "a word processor's document (RTF)",
    b"<?xml": "an XML document",
    b"<html": "a web page",
    b"<!doctype": "a web page",
    b"7z\xbc\xaf": "a 7-Zip archive",
    b"rar!": "a RAR archive",
    b"bzh": "a bzip2 archive",
    b"\xfd7zxz": "an xz archive",
    b"\x28\xb5\x2f\xfd": "a zstd archive",
    b"-----begin pgp": "a file encrypted with PGP",
    b"sqlite format 3": "a database",
    b"par1": "a Parquet file",
}


def kind_of(head: bytes, name: str) -> Kind:
    """What a file is by its first bytes. Raises ``UnusableFile``, ``not_text``, for what is known to be no list."""
    if head.startswith(_OLE):
        return "xls"
    start = head.lstrip().lower()
    for signature, what in _SIGNATURES.items():
        if start.startswith(signature.lower()):
            raise _not_text(name, what)
    return "text"


def office_kind(archive: zipfile.ZipFile, name: str) -> Kind | None:
    """xlsx and ods are zip archives of many parts, known by one of them. ``None`` for an archive of files."""
    names = archive.namelist()
    if any(part.startswith("xl/") for part in names):
        return "xlsx"
    if "mimetype" in names and archive.getinfo("mimetype").file_size < 100:
        return "ods" if archive.read("mimetype").startswith(_OPENDOCUMENT_SHEET) else None
    if any(part.startswith("word/") for part in names):
        raise _not_text(name, "a Word document")
    return None


def kind_inside(head: bytes, name: str) -> Kind:
    """What is packed into an archive: ``kind_of`` its own first bytes, and no second wrapping."""
    if not head:
        raise UnusableFile("empty_file", f"{name}: the file inside the archive is empty (0 bytes).")
    if head.startswith((GZIP, *ZIP, _OLE)):
        raise UnusableFile(
            "not_text", f"{name}: the archive holds another archive or a spreadsheet. Send that without wrapping."
        )
    return kind_of(head, name)


def _not_text(name: str, what: str) -> UnusableFile:
    return UnusableFile(
        "not_text", f"{name}: this looks like {what}. Expected a text file (CSV) or a spreadsheet (xlsx, xls, ods)."
    )
