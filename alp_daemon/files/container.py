"""From a path to the bytes of one file: gzip and one-file zip are unpacked, and what cannot be a list is named."""

from __future__ import annotations

import gzip
import io
import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from alp_daemon.errors import UnusableFile
from alp_daemon.files.kind import GZIP, ZIP, Kind, kind_inside, kind_of, office_kind

MAX_UNPACKED = 4 * 2**30
"""Bytes that a file may have when unpacked: what the largest upload may have packed."""

MAX_SPREADSHEET = 2**30
"""Bytes that all parts of a spreadsheet may have when unpacked."""

MAX_DIRECTORY: Final = 2 * 2**20
"""Bytes that the directory of a zip archive may have. Read, it takes ten times that; a spreadsheet of 10,000 parts has
less than half of it."""

FIRST_CHUNK: Final = 64 * 2**10
"""Bytes that are enough to see what a file is and to find its header."""

CHUNK: Final = 4 * 2**20
"""Bytes read at a time: 8 MiB took a tenth longer and more memory, below 2 MiB what is done once a piece counts."""

# zipfile lets through what it stumbles over: names in no encoding, offsets before the start (both ValueError), numbers
# that do not fit, an unknown method (Explorer packs large files with Deflate64) or version (NotImplementedError).
_DAMAGE: Final = (
    OSError,
    EOFError,
    ValueError,
    OverflowError,
    NotImplementedError,
    struct.error,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
)


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes of one file, whatever it came wrapped in."""

    name: str
    """What messages call the file."""
    kind: Kind
    checked: bool
    """A checksum at the end of its wrapping proves that nothing is missing."""
    open: Callable[[], BinaryIO]
    size: int | None = None
    """Bytes when unpacked, of a spreadsheet all its parts'; ``None`` where only reading can tell."""

    def chunks(self, at_most: int = MAX_UNPACKED) -> Iterator[bytes]:
        """The unpacked bytes, piece by piece; raises ``UnusableFile`` for damage and for too much of it."""
        total = 0
        with self.open() as stream:
            while chunk := _read(stream, min(CHUNK if total else FIRST_CHUNK, at_most), self):
                total += len(chunk)
                if total > MAX_UNPACKED:
                    raise UnusableFile(
                        "too_large",
                        f"{self.name}: unpacked it is larger than {MAX_UNPACKED:,} bytes, the most that is read. "
                        "Send the list in several files.",
                    )
                yield chunk


def is_larger(path: Path, most: int) -> bool:
    """Whether a file has more than so many bytes when unpacked; of a spreadsheet all its parts count.

    A damaged one is as large as what can be unpacked of it, or not large at all.
    """
    total = 0
    with suppress(UnusableFile):
        content = unwrap(path)
        if content.size is not None:
            return content.size > most
        for chunk in content.chunks():
            total += len(chunk)
            if total > most:
                break
    return total > most


def unwrap(path: Path, name: str = "") -> Content:
    """Return what a file holds. ``name`` is what messages call it (else its own name).

    Raises ``UnusableFile``: ``empty_file``, ``not_text``, ``corrupt_archive``, ``encrypted_archive``,
    ``several_files`` (also where a directory could name thousands), ``too_large``.
    """
    name = name or path.name
    head = _head(path.open("rb"))
    if not head:
        raise UnusableFile("empty_file", f"{name}: the file is empty (0 bytes). Nothing was changed.")
    if head.startswith(GZIP):
        return _inside_gzip(path, name)
    if head.startswith(ZIP):
        return _inside_zip(path, name)
    return Content(name, kind_of(head, name), False, lambda: path.open("rb"), path.stat().st_size)


def _inside_gzip(path: Path, name: str) -> Content:
    def unpacked() -> BinaryIO:
        return gzip.open(path, "rb")  # type: ignore[return-value]  # a GzipFile reads like any binary file

    try:
        head = _head(unpacked())
    except _DAMAGE as error:
        raise _damaged(name, error) from error
    return Content(name, kind_inside(head, name), True, unpacked)


class _Directory(io.FileIO):
    """An archive of which only the directory and the beginnings of a few members are read.

    ``zipfile`` reads a directory in one go, as large as the end of the file says that it is.
    """

    def __init__(self, path: Path, name: str) -> None:
        super().__init__(path)
        self._name = name

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > MAX_DIRECTORY:
            raise UnusableFile(
                "several_files",
                f"{self._name}: the zip archive's directory says that it has {size:,} bytes ({MAX_DIRECTORY:,} are the "
                "most that is read). Expected exactly one file in it.",
            )
        return super().read(-1 if size is None else size)


def _inside_zip(path: Path, name: str) -> Content:
    try:
        with _Directory(path, name) as directory, zipfile.ZipFile(directory) as archive:
            office = office_kind(archive, name)
            if office:
                _refuse_large_spreadsheet(archive, name)
                return Content(name, office, True, lambda: path.open("rb"), _size(archive))
            member = _only_member(archive, name)
            with archive.open(member) as stream:
                head = stream.read(64)
    except _DAMAGE as error:
        raise _damaged(name, error) from error

    def unpacked() -> BinaryIO:
        return zipfile.ZipFile(path).open(member)  # type: ignore[return-value]  # reads like any binary file

    return Content(name, kind_inside(head, name), True, unpacked, member.file_size)


def _refuse_large_spreadsheet(archive: zipfile.ZipFile, name: str) -> None:
    if _size(archive) > MAX_SPREADSHEET:
        raise UnusableFile(
            "too_large",
            f"{name}: the spreadsheet unpacks to more than {MAX_SPREADSHEET:,} bytes, the most that is read. "
            "Save it as CSV and send that.",
        )


def _size(archive: zipfile.ZipFile) -> int:
    return sum(part.file_size for part in archive.infolist())


def _only_member(archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    members = [m for m in archive.infolist() if not m.is_dir() and not m.filename.startswith("__MACOSX/")]
    if len(members) != 1:
        raise UnusableFile(
            "several_files", f"{name}: the zip archive holds {len(members)} files, expected exactly one."
        )
    if members[0].flag_bits & 1:
        raise UnusableFile("encrypted_archive", f"{name}: the zip archive asks for a password. Send it without one.")
    return members[0]


def _head(stream: BinaryIO) -> bytes:
    with stream:
        return stream.read(64)


def _read(stream: BinaryIO, size: int, content: Content) -> bytes:
    try:
        return stream.read(size)
    except _DAMAGE as error:
        if not content.checked:
            raise  # a disk that cannot be read is no fault of the file
        raise _damaged(content.name, error) from error


def _damaged(name: str, error: Exception) -> UnusableFile:
    if isinstance(error, NotImplementedError):
        return UnusableFile(
            "corrupt_archive",
            f"{name}: the archive is damaged, or packed in a way that is not understood here ({error}). Pack the file "
            "as gzip or as an ordinary zip archive (deflate), or send it as it is.",
        )
    return UnusableFile(
        "corrupt_archive", f"{name}: the archive cannot be unpacked, it is damaged or cut off ({error}). Send it again."
    )
