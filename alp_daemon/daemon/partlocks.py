"""Each part of the daemon runs once for a data_dir, in one process with the others or in one of its own.

Two FTP servers on one data_dir would call each other's uploads cut, two dispatchers double the workers.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from alp_daemon.errors import ConfigurationError, Unavailable
from alp_daemon.services.operations.nodes import PARTS


def locked(data_dir: Path, part: str) -> int:
    """Takes the part for this process until the returned descriptor is closed."""
    path = data_dir / f"{part}.lock"
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    except OSError as error:
        raise ConfigurationError(
            f"data_dir {data_dir}: cannot be written ({error.strerror}); name a folder of the daemon's own user,"
            " under systemd data_dir: /var/lib/alp-daemon"
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise Unavailable(f"{data_dir}: another alp-daemon runs on this data_dir; stop it first") from error
    return descriptor


@contextmanager
def stopped(data_dir: Path) -> Iterator[None]:
    """No part of the daemon runs meanwhile. Raises ``Unavailable`` where one does."""
    with ExitStack() as locks:
        for part in PARTS["all"]:
            locks.callback(os.close, locked(data_dir, part))
        yield
