"""``data_dir/ports.json``: which ports were taken, and the process to signal.

The roles of one installation may be processes of their own, and each adds what it has taken.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from alp_daemon.errors import Unavailable
from alp_daemon.flock import alone_in

_FILE = "ports.json"


def add(data_dir: Path, ports: Mapping[str, int], *, is_main: bool) -> None:
    """Says which ports this process has taken. ``is_main``: signals go to this one."""
    with alone_in(data_dir):
        known = _read(data_dir)
        other = known.get("pid")
        pid = other if other is not None and not is_main and _is_alive(other) else os.getpid()
        _write(data_dir, {**known, "pid": pid, **ports})


def remove(data_dir: Path, ports: Mapping[str, int]) -> None:
    """Takes back what ``add`` has said; the last one takes the file with it."""
    with alone_in(data_dir):
        left = {name: value for name, value in _read(data_dir).items() if name not in ports}
        if left.keys() <= {"pid"}:
            (data_dir / _FILE).unlink(missing_ok=True)
        else:
            _write(data_dir, left)


def pid(data_dir: Path) -> int:
    """The process to signal. Raises ``Unavailable`` where none has said that it runs."""
    try:
        return _read(data_dir)["pid"]
    except KeyError as error:
        raise Unavailable(f"no daemon runs on {data_dir} (start it with `alp-daemon serve`)") from error


def _is_alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def _read(data_dir: Path) -> dict[str, int]:
    """What stands there; nothing for what a crash or a person has left unreadable."""
    try:
        known = json.loads((data_dir / _FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _write(data_dir: Path, known: Mapping[str, int]) -> None:
    temporary = data_dir / f".{_FILE}"
    temporary.write_text(json.dumps(known), encoding="utf-8")
    temporary.replace(data_dir / _FILE)
