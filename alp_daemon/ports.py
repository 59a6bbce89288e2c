"""``data_dir/ports.json``: which ports were taken, the process to signal, and by which settings it goes.

The roles of one installation may be processes of their own, and each adds what it has taken.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alp_daemon.flock import alone_in
from alp_daemon.procstat import started

_FILE = "ports.json"
_PROCESS = ("pid", "started", "settings", "read_at")


@dataclass(frozen=True, slots=True)
class Running:
    """The process that signals go to, and the ports that were taken, by part (``ftp``, ``web``).

    ``settings`` are ``Settings.digests`` as it read them at ``read_at``; none where it has not said so.
    """

    pid: int
    ports: Mapping[str, int]
    settings: Mapping[str, str] = field(default_factory=dict)
    read_at: str = ""


def add(
    data_dir: Path,
    ports: Mapping[str, int],
    *,
    is_main: bool,
    settings: Mapping[str, str] | None = None,
    read_at: str = "",
) -> None:
    """Says which ports this process has taken. ``is_main``: signals go to this one. See ``Running``."""
    with alone_in(data_dir):
        known = _read(data_dir)
        if is_main or _running(known) is None:
            own = (os.getpid(), started(os.getpid()), settings or {}, read_at)
            known |= dict(zip(_PROCESS, own, strict=True))
        _write(data_dir, {**known, **ports})


def remove(data_dir: Path, ports: Mapping[str, int]) -> None:
    """Takes back what ``add`` has said; the last one takes the file with it."""
    with alone_in(data_dir):
        left = {name: value for name, value in _read(data_dir).items() if name not in ports}
        if left.keys() <= set(_PROCESS):
            (data_dir / _FILE).unlink(missing_ok=True)
        else:
            _write(data_dir, left)


def running(data_dir: Path) -> Running | None:
    """What runs on this ``data_dir``; None also where the process that has said so is no more.

    A daemon that was killed leaves the file behind, and the number in it may by now be any other process's.
    """
    return _running(_read(data_dir))


def _running(known: Mapping[str, Any]) -> Running | None:
    pid, began = known.get("pid"), known.get("started")
    if not isinstance(pid, int) or not began or started(pid) != began:
        return None
    taken = {name: port for name, port in known.items() if name not in _PROCESS}
    return Running(pid, taken, known.get("settings", {}), known.get("read_at", ""))


def _read(data_dir: Path) -> dict[str, Any]:
    """What stands there; nothing for what a crash or a person has left unreadable."""
    try:
        known = json.loads((data_dir / _FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _write(data_dir: Path, known: Mapping[str, Any]) -> None:
    temporary = data_dir / f".{_FILE}"
    temporary.write_text(json.dumps(known), encoding="utf-8")
    temporary.replace(data_dir / _FILE)
