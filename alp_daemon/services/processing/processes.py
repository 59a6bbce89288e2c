"""Processes by names that no other one has: the number alone is given out again, and each place counts for itself.

A place is a ``data_dir`` and a namespace of process numbers. Neither a node's name nor its host's would do: machines of
one image are called alike, and the containers of one node number their processes each for itself.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from alp_daemon.files import atomic
from alp_daemon.flock import alone_in
from alp_daemon.procstat import started

_ID_FILE = "installation.id"


def identity(place: str) -> str:
    """This process, told apart from an earlier one that had the same number, and from those of other places."""
    return f"{os.getpid()}@{started(os.getpid())}@{place}"


def here(data_dir: Path) -> str:
    """The place of this process."""
    return f"{_installation(data_dir)}.{Path(f'/proc/{os.getpid()}/ns/pid').stat().st_ino}"


def has_ended(identity: str, place: str) -> bool:
    """Whether it was a process of this place that is no more. Of those of other places nobody here can tell."""
    pid, _, rest = identity.partition("@")
    began, _, where = rest.partition("@")
    return where == place and started(int(pid)) != began


def is_of(identity: str, data_dir: Path) -> bool:
    """Whether it is, or was, a process on this ``data_dir``, whichever namespace it ran in."""
    return identity.rpartition("@")[2].partition(".")[0] == _installation(data_dir)


def _installation(data_dir: Path) -> str:
    """What tells a ``data_dir`` from all others, drawn when it is first asked for."""
    path = data_dir / _ID_FILE
    if not path.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        with alone_in(data_dir):
            if not path.exists():
                # Whoever works here reads it, whichever user that is; there is no secret in it.
                atomic.write(path, secrets.token_hex(8).encode(), mode=0o644)
    return path.read_text(encoding="ascii")
