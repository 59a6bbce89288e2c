"""Since when a process runs: its number alone is given out again, its number and its start are not."""

from __future__ import annotations

from pathlib import Path


def started(pid: int) -> str:
    """When the kernel started the process (field 22 of proc_pid_stat(5)); empty if it has ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
    state, *fields = stat.rpartition(")")[2].split()
    # A zombie has ended, and only its parent has not looked yet.
    return "" if state in "ZX" else fields[18]
