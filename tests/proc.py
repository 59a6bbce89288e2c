"""What the kernel says of a daemon's processes. They come and go while one looks, which is no error."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def workers_of(daemon: int) -> list[int]:
    """Process ids of a daemon's worker processes, whichever of its threads spawned them."""
    found = []
    for task in Path(f"/proc/{daemon}/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):
            found += [int(child) for child in (task / "children").read_text().split() if _is_worker(child)]
    return found


def descriptors_of(pid: int) -> int:
    """How many the process has open, without those of the database: a thread opens its own when it first has work."""
    count = 0
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            count += "/alp.db" not in str(link.readlink())
    return count


def _is_worker(pid: str) -> bool:
    with suppress(FileNotFoundError, ProcessLookupError):
        return b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False
