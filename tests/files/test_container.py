"""What a file may come wrapped in, and what is refused before anybody reads it."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Callable, Iterator

import pytest

from alp_daemon.files import container, reader
from alp_daemon.files.ahead import ahead

from .archives import TEXT, refusal, zipped
from .conftest import ReadFile, WriteFile, listed

BOTH = {12125550123, 12125550124}


@pytest.mark.parametrize(("packed", "threads"), [(False, 0), (True, 1)])
def test_only_a_packed_file_that_is_small_may_be_many_blocks(
    reading: ReadFile, monkeypatch: pytest.MonkeyPatch, packed: bool, threads: int
) -> None:
    read_ahead: list[Iterator[object]] = []

    def watched(items: Iterator[object]) -> Iterator[object]:
        read_ahead.append(items)
        return ahead(items)

    monkeypatch.setattr(reader, "ahead", watched)
    reading(gzip.compress(TEXT.encode()) if packed else TEXT)
    assert len(read_ahead) == threads


def test_gzip_and_zip_are_unpacked(reading: ReadFile) -> None:
    assert set(listed(reading(gzip.compress(TEXT.encode())))) == BOTH
    assert set(listed(reading(zipped({"members.csv": TEXT})))) == BOTH
    assert set(listed(reading(zipped({"folder/": "", "folder/a.csv": TEXT, "__MACOSX/a.csv": "x"})))) == BOTH
    assert set(listed(reading(gzip.compress(TEXT[:20].encode()) + gzip.compress(TEXT[20:].encode())))) == BOTH


@pytest.mark.parametrize(("members", "count"), [({}, 0), ({"a.csv": TEXT, "b.csv": TEXT}, 2)])
def test_a_zip_archive_holds_one_file(reading: ReadFile, members: dict[str, str], count: int) -> None:
    error = refusal(reading, zipped(members))
    assert error.code == "several_files"
    assert f"holds {count} files, expected exactly one" in str(error)


def test_a_damaged_archive_is_refused(reading: ReadFile) -> None:
    text = "".join(f"{2125550000 + i * 7919 % 99999}\n" for i in range(5000)).encode()
    for whole in (gzip.compress(text), zipped({"members.csv": text})):
        assert refusal(reading, whole[:-20]).code == "corrupt_archive"
        assert refusal(reading, whole[:2000] + b"\0\0\0\0" + whole[2004:]).code == "corrupt_archive"
    assert refusal(reading, b"\x1f\x8b").code == "corrupt_archive"
    assert refusal(reading, b"PK\x03\x04").code == "corrupt_archive"


def test_an_archive_with_a_password_is_refused(reading: ReadFile) -> None:
    archive = bytearray(zipped({"members.csv": TEXT}))
    central = archive.find(b"PK\x01\x02")
    archive[6] |= 1  # bit 0 of the general purpose flags, in the local header …
    archive[central + 8] |= 1  # … and in the central directory (APPNOTE.TXT 4.4.4)
    assert refusal(reading, bytes(archive)).code == "encrypted_archive"


def test_what_unpacks_to_too_much_is_refused(reading: ReadFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "MAX_UNPACKED", 2**20)
    bomb = b"2125550123\n" * 200_000
    for packed in (gzip.compress(bomb), zipped({"members.csv": bomb})):
        assert len(packed) < 2**14
        error = refusal(reading, packed)
        assert error.code == "too_large"
        assert "larger than 1,048,576 bytes" in str(error)


def test_a_spreadsheet_that_unpacks_to_too_much_is_refused(reading: ReadFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "MAX_SPREADSHEET", 2**20)
    assert refusal(reading, zipped({"xl/workbook.xml": "x" * 2**21})).code == "too_large"


def with_directory_of(size: int) -> bytes:
    """A zip archive that is nothing but a directory: one byte of name after another in its entries' comments."""
    comment = b"x" * 1000
    entry = b"PK\x01\x02" + bytes(24) + len(b"a").to_bytes(2, "little") + bytes(2)
    entry += len(comment).to_bytes(2, "little") + bytes(12) + b"a" + comment
    count = size // len(entry) + 1
    directory = entry * count
    end = b"PK\x05\x06" + bytes(4) + min(count, 0xFFFE).to_bytes(2, "little") * 2
    return b"PK\x03\x04" + directory + end + len(directory).to_bytes(4, "little") + b"\x04\0\0\0" + bytes(2)


def test_a_zip_archive_that_is_all_directory_is_refused_unread(
    reading: ReadFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of its entries becomes an object: 16 MB took 160."""
    read: list[int] = []
    monkeypatch.setattr(zipfile, "ZipInfo", lambda *_: read.append(1))
    error = refusal(reading, with_directory_of(container.MAX_DIRECTORY))
    assert (error.code, read) == ("several_files", [])
    assert "expected exactly one file" in str(error).lower()


def test_a_directory_of_the_usual_size_is_read(reading: ReadFile, write: WriteFile) -> None:
    assert refusal(reading, with_directory_of(2**16)).code == "several_files"
    parts = {f"xl/media/{n:06}.png": b"" for n in range(10_000)}
    content = container.unwrap(write(zipped(parts)))
    assert (content.kind, content.checked) == ("xlsx", True)


@pytest.mark.parametrize(
    "pack", [str.encode, lambda text: gzip.compress(text.encode()), lambda t: zipped({"a.csv": t})]
)
def test_how_large_a_file_is_when_unpacked(write: WriteFile, pack: Callable[[str], bytes]) -> None:
    path = write(pack("2125550123\n" * 1000))
    assert container.is_larger(path, 10_999)
    assert not container.is_larger(path, 11_000)


def test_of_a_spreadsheet_all_parts_count(write: WriteFile) -> None:
    path = write(zipped({"xl/a.xml": "x" * 1000, "xl/b.xml": "x" * 1000}))
    assert container.is_larger(path, 1999)
    assert not container.is_larger(path, 2000)


def test_what_cannot_be_unpacked_is_as_large_as_what_can(write: WriteFile) -> None:
    damaged = gzip.compress(b"2125550123\n" * 100_000)[:-20]
    assert container.is_larger(write(damaged), 1000)
    assert not container.is_larger(write(damaged), 2**30)
    assert not container.is_larger(write(b"PK\x03\x04"), 0)
