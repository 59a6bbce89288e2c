"""A sheet of an xlsx, xls or ods file as CSV, read by a process of its own (``sheetcsv`` says why)."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from alp_daemon.errors import UnusableFile
from alp_daemon.files.container import CHUNK
from alp_daemon.files.csvrows import Dialect

DIALECT: Final = Dialect(",", '"')
"""Of the CSV that comes out."""

_PROGRAM: Final = Path(__file__).with_name("sheetcsv.py")

_MESSAGES: Final = {
    "encrypted_spreadsheet": "the spreadsheet asks for a password. Send it without one.",
    "missing_sheet": "the spreadsheet has no sheet {sheet!r}. Rename it, or correct `sheet`.",
}
_DAMAGED: Final = (
    "the spreadsheet cannot be read: it is damaged, cut off or too large (a stray cell far below or to the right is "
    "enough). Send it again, or save it as CSV and send that."
)


def sheet_as_csv(path: Path, sheet: str | None, name: str) -> Iterator[bytes]:
    """Yield a sheet (the first by default) as UTF-8 CSV. ``name`` is what messages call the file.

    Raises ``UnusableFile``: ``encrypted_spreadsheet``, ``missing_sheet``, ``corrupt_spreadsheet``.
    """
    # -P: a file beside the program, or in the folder this was started from, must not pass for a module.
    command = [sys.executable, "-P", str(_PROGRAM), str(path), sheet or ""]
    environment = os.environ | {"RUST_BACKTRACE": "0"}
    with (
        tempfile.TemporaryFile() as complaints,
        subprocess.Popen(  # noqa: S603  our own program, and no shell
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=complaints, env=environment
        ) as process,
    ):
        assert process.stdout is not None
        while chunk := process.stdout.read(CHUNK):
            yield chunk
        if process.wait():
            complaints.seek(0)
            raise _unusable(complaints.read().decode(errors="replace"), sheet, name)


def _unusable(complaint: str, sheet: str | None, name: str) -> UnusableFile:
    code = complaint.strip().rsplit("\n", 1)[-1]
    if code in _MESSAGES:
        return UnusableFile(code, f"{name}: {_MESSAGES[code].format(sheet=sheet)}")
    return UnusableFile("corrupt_spreadsheet", f"{name}: {_DAMAGED}")
