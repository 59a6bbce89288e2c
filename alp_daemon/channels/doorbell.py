"""Says that something has come into the drop folders, which is no more than a reason to look.

watchdog only rings the bell: in a burst of 40,000 files it lost two of three events and told nobody.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from alp_daemon import log


@contextmanager
def doorbell(folder: Path, ring: Callable[[], None]) -> Iterator[None]:
    """Calls ``ring``, in a thread of its own, whenever a file comes or is closed beneath ``folder``.

    Where the system allows no such watch that is logged, and nothing rings.
    """
    # Imported here: only a daemon watches, and the command line should not pay for it.
    from watchdog.events import (
        FileClosedEvent,
        FileCreatedEvent,
        FileMovedEvent,
        FileSystemEvent,
        FileSystemEventHandler,
    )
    from watchdog.observers import Observer

    class Doorbell(FileSystemEventHandler):
        def on_any_event(self, _event: FileSystemEvent) -> None:
            ring()

    # Of a folder that is made while it looks for folders, which it has then found twice.
    warnings.filterwarnings("ignore", "Callback with id .* already exists", RuntimeWarning)
    observer = Observer()
    # Without a filter the scan, which opens folders and files, would ring for itself for ever.
    wanted = [FileCreatedEvent, FileMovedEvent, FileClosedEvent]
    try:
        observer.schedule(Doorbell(), str(folder), recursive=True, event_filter=wanted)
        observer.start()
    except OSError as error:
        log.warning("drop_doorbell_failed", reason=f"{error.strerror}; files are found by scans alone")
        yield
        return
    try:
        yield
    finally:
        observer.stop()
        observer.join()
