"""The drop folders: files that any other program puts there are picked up once they have come to rest.

watchdog only rings the bell: in a burst of 40,000 files it lost two of three events and told nobody. The scan is the
truth, at the start, after each bell and every ``scan_every``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import takewhile
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from alp_daemon import log
from alp_daemon.errors import AlpError
from alp_daemon.files import drop
from alp_daemon.files.drop import Found
from alp_daemon.registry import Registry
from alp_daemon.services.receiving.intake import Intake
from alp_daemon.services.receiving.pickup import Trouble
from alp_daemon.settings import Settings

if TYPE_CHECKING:
    from watchdog.observers.api import BaseObserver

AT_REST = 1.0
"""Seconds between the two looks that must find a file unchanged. Looks closer together say nothing."""
UNNAMED_WAIT = 60.0
"""Seconds that a file which no feed takes is left where it is: whoever put it there may be about to rename it."""
# How often a loop that waits for the next scan shows that it goes on; scans may be hours apart.
_TURN_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class _Look:
    """A file, and since when (monotonic seconds) it has looked like this."""

    file: Found
    since: float


class DropWatcher:
    """Scans in a thread of its own. A stalled writer that keeps its file open is waited for where the kernel tells
    (see :func:`alp_daemon.files.drop.is_whole`); elsewhere a file at rest counts as whole."""

    def __init__(self, settings: Settings, registry: Registry, intake: Intake) -> None:
        self._settings = settings
        self._registry = registry
        self._intake = intake
        self._looks: dict[Path, _Look] = {}
        self._told: list[Trouble] = []
        self._bell = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="drop-watcher", daemon=True)
        self._observer: BaseObserver | None = None
        self._last_turn = monotonic()
        self._is_moving = False

    @property
    def last_turn(self) -> float:
        """When the loop last went on (monotonic seconds), for the watchdog. To move a file takes as long as the file is
        large and its storage slow: that is no standstill."""
        return monotonic() if self._is_moving else self._last_turn

    def start(self) -> None:
        """Begins to scan the customers' folders, which are made where they are missing.

        Where one customer's cannot be made that is logged, and each scan tries again.
        """
        self._settings.drop_dir.mkdir(parents=True, exist_ok=True)
        # Before the doorbell: it warns of folders that appear while it is being set up.
        self._tell([trouble for customer in self._registry.all() for trouble in self._prepare(customer)])
        self._observer = _doorbell(self._settings.drop_dir, self.ring)
        self._thread.start()

    def ring(self) -> None:
        """Asks for a scan now. May be called from any thread."""
        self._bell.set()

    def stop(self) -> None:
        """Returns when the file that is being picked up is in the queue; the others stay for the next start."""
        self._stopping.set()
        self._bell.set()
        if self._observer is not None:
            self._observer.stop()
            self._observer.join()
        self._thread.join()

    def scan(self, now: datetime, moment: float) -> bool:
        """Picks up every file that has come to rest. ``moment``: the monotonic clock, in seconds.

        Returns whether another look a second later may find more.
        """
        looks: dict[Path, _Look] = {}
        troubles = _tried(self._settings.drop_dir, lambda: self._finish_pick_ups(now))
        for customer in self._registry.all():
            self._last_turn = monotonic()
            troubles += _tried(self._home(customer), partial(self._scan, customer, looks, now, moment))
        self._looks = looks
        self._tell(troubles)
        return any(moment - look.since < AT_REST for look in looks.values())

    def _scan(self, customer: str, looks: dict[Path, _Look], now: datetime, moment: float) -> list[Trouble]:
        ready, is_next = [], True
        # Prepared at every scan: a customer may be new since the last one.
        for file in drop.look(self._intake.prepare(customer)):
            look = self._looks.get(file.path)
            # A folder that is read while files come shows a later one before an earlier. That one goes first.
            is_next &= look is not None
            if look is None or look.file != file:
                look = _Look(file, moment)
            looks[file.path] = look
            patience = AT_REST if self._intake.has_feed(customer, file.name, file.folder, now) else UNNAMED_WAIT
            if is_next and moment - look.since >= patience:
                ready.append(file)
        with self._moving():
            # A stop does not wait for the rest of a burst.
            return self._intake.pick_up(customer, takewhile(lambda _: not self._stopping.is_set(), ready), now)

    def _finish_pick_ups(self, now: datetime) -> list[Trouble]:
        with self._moving():
            return self._intake.upkeep.finish_pick_ups(now)

    @contextmanager
    def _moving(self) -> Iterator[None]:
        self._is_moving = True
        try:
            yield
        finally:
            self._last_turn = monotonic()
            self._is_moving = False

    def _prepare(self, customer: str) -> list[Trouble]:
        def attempt() -> list[Trouble]:
            self._intake.prepare(customer)
            return []

        return _tried(self._home(customer), attempt)

    def _home(self, customer: str) -> Path:
        return self._settings.drop_dir / customer

    def _tell(self, troubles: list[Trouble]) -> None:
        """Logs what is new; a file that nobody may read is there at every scan."""
        for trouble in troubles:
            if trouble not in self._told:
                log.warning("drop_file_not_picked_up", path=str(trouble.path), reason=trouble.reason)
        self._told = troubles

    def _run(self) -> None:
        restless = True
        while not self._stopping.is_set():
            self._rest(0 if restless else self._settings.scan_every.total_seconds())
            # Cleared before the scan: a bell that rings during it asks for another one.
            self._bell.clear()
            try:
                restless = self.scan(datetime.now(UTC), monotonic())
            except Exception as error:  # noqa: BLE001  without this thread no file would ever be picked up again
                log.error("drop_scan_failed", exc_info=error)
                restless = False
            self._stopping.wait(AT_REST)

    def _rest(self, seconds: float) -> None:
        """Until the bell rings, or for so long."""
        ends_at = monotonic() + seconds
        self._last_turn = monotonic()
        while not self._bell.wait(min(_TURN_SECONDS, max(0.0, ends_at - monotonic()))) and monotonic() < ends_at:
            self._last_turn = monotonic()


def _tried(folder: Path, attempt: Callable[[], list[Trouble]]) -> list[Trouble]:
    """One customer's full disk, unreadable folder or unforeseen error is no reason to leave the others waiting."""
    try:
        return attempt()
    except (AlpError, OSError) as error:
        return [Trouble(folder, str(error))]
    except Exception as error:  # noqa: BLE001  see above; the folder is tried again at the next scan
        log.error("drop_scan_failed", path=str(folder), exc_info=error)
        return []


def _doorbell(folder: Path, ring: Callable[[], None]) -> BaseObserver | None:
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

    observer = Observer()
    # Without a filter the scan, which opens folders and files, would ring for itself for ever.
    wanted = [FileCreatedEvent, FileMovedEvent, FileClosedEvent]
    try:
        observer.schedule(Doorbell(), str(folder), recursive=True, event_filter=wanted)
        observer.start()
    except OSError as error:
        log.warning("drop_doorbell_failed", reason=f"{error.strerror}; files are found by scans alone")
        return None
    return observer
