"""Files are written for real and read through the public entry points."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from alp_daemon.customers import Feed
from alp_daemon.domain.model import Reading
from alp_daemon.files.reader import read

WriteFile = Callable[[str | bytes], Path]
ReadFile = Callable[..., Reading]


def feed(**parts: object) -> Feed:
    """A feed of phones in the column Phone, unless told otherwise."""
    return Feed.model_validate({"match": "*", "mode": "append", "phones": ["Phone"], **parts})


def listed(reading: Reading) -> dict[int, tuple[str, ...]]:
    """The addresses of a reading with their tags."""
    tags = (reading.listed.sets[set_] for set_ in reading.listed.tag_set.tolist())
    return dict(zip(reading.listed.keys.tolist(), tags, strict=True))


@pytest.fixture
def write(tmp_path: Path) -> WriteFile:
    def write_file(content: str | bytes) -> Path:
        path = tmp_path / "members.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write_file


@pytest.fixture
def reading(write: WriteFile) -> ReadFile:
    """Write a text and read it through a feed made of the given parts."""

    def read_text(content: str | bytes, *, region: str = "US", **parts: object) -> Reading:
        return read(write(content), feed(**parts), region=region)

    return read_text
