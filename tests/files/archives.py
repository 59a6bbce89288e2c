"""Files in wrappings, and how a reading of them is refused."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

import pytest

from alp_daemon.errors import UnusableFile

from .conftest import ReadFile

TEXT = "Phone\n2125550123\n2125550124\n"


def zipped(files: Mapping[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def refusal(reading: ReadFile, content: bytes) -> UnusableFile:
    with pytest.raises(UnusableFile) as error:
        reading(content)
    assert str(error.value).startswith("members.csv: ")
    return error.value
