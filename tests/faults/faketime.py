"""The clock of a daemon and its workers, in a campaign's hand: libfaketime shifts the time of day that they are told.

Only that: intervals are measured by another clock, which nobody can set, and the times of files are the kernel's own.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from tests.faults.campaign import Skipped

# The one for programs of several threads, as Debian's package has it.
_PLACES = ("/usr/lib/*/faketime/libfaketimeMT.so.1", "/usr/lib/faketime/libfaketimeMT.so.1")


class Clock:
    """Shows the time of day until it is set."""

    def __init__(self, folder: Path) -> None:
        self._library = _library()
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / "clock"
        self.shift(0)

    def shift(self, seconds: int) -> None:
        """So far before or behind the time of day, and it runs."""
        self._set(f"{seconds:+d}s")

    def stop(self, at: datetime) -> None:
        """It stands still at this second."""
        self._set(at.strftime("%Y-%m-%d %H:%M:%S"))

    @contextmanager
    def worn(self) -> Iterator[None]:
        """What is started meanwhile goes by this clock, for its whole life."""
        settings = {
            "LD_PRELOAD": self._library,
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
            "TZ": "UTC",
        }
        before = {name: os.environ.get(name) for name in settings}
        os.environ.update(settings)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value

    def _set(self, text: str) -> None:
        new = self._file.with_suffix(".new")
        new.write_text(f"{text}\n")
        new.replace(self._file)


def _library() -> str:
    found = [str(path) for place in _PLACES for path in Path("/").glob(place.lstrip("/"))]
    if not found:
        raise Skipped("nothing shifts a process's clock here; install libfaketime")
    return found[0]
