"""The drop folders: files that any other program puts there are picked up once they have come to rest.

The scan is the truth, at the start, after each bell (see ``doorbell.py``) and every ``scan_every``. A customer's folder
that hangs, as a mount does whose server has gone, is left out of it. Should it hang while a file is moved, that costs
the scan, which has a thread of its own: nothing else has to wait for it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import takewhile
from math import inf
from pathlib import Path
from time import monotonic

from alp_daemon import log
from alp_daemon.channels.doorbell import doorbell
from alp_daemon.channels.progress import Progress
from alp_daemon.errors import AlpError
from alp_daemon.files import drop
from alp_daemon.files.bulkhead import Bulkhead, Hanging
from alp_daemon.files.drop import Found
from alp_daemon.registry import Registry
from alp_daemon.services.receiving.intake import Intake
from alp_daemon.services.receiving.pickup import Trouble
from alp_daemon.settings import Settings

AT_REST = 1.0
"""Seconds between the two looks that must find a file unchanged. Looks closer together say nothing."""
UNNAMED_WAIT = 60.0
"""Seconds that a file which no feed takes is left where it is: whoever put it there may be about to rename it."""
# How often a loop that waits for the next scan shows that it goes on; scans may be hours apart.
_TURN_SECONDS = 1.0
# Between two scans while nothing rings.
_SILENT_SECONDS = 5.0
# For the folders to be there at the start. One that hangs is waited for by nobody but its own scan.
_PATIENCE_SECONDS = 10.0


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
        self._is_ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="drop-watcher", daemon=True)
        self._ringer = threading.Thread(target=self._ring_for_files, name="drop-doorbell", daemon=True)
        self._bulkhead = Bulkhead(on_answer=self.ring)
        self.progress = Progress(settings.drop_dir)

    @property
    def last_turn(self) -> float:
        return self.progress.last_turn

    def start(self) -> None:
        """Begins to scan the customers' folders. Returns when they are made, where they were missing, and watched.

        Where one customer's cannot be made that is logged, and each scan tries again. One that hangs, as behind a
        network that has gone, is waited for ten seconds here: the rest of the daemon can do without the scan.
        """
        self._thread.start()
        self._is_ready.wait(_PATIENCE_SECONDS)

    def ring(self) -> None:
        """Asks for a scan now. May be called from any thread."""
        self._bell.set()

    def stop(self, grace: float = 5.0) -> None:
        """Returns when the file that is being picked up is in the queue; the others stay for the next start.

        A look into a folder that hangs is given up after ``grace`` seconds.
        """
        self._stopping.set()
        self._bell.set()
        ends_at = monotonic() + grace
        for thread in (self._thread, self._ringer):
            while thread.is_alive() and monotonic() < max(ends_at, self.progress.moves_until):
                thread.join(0.1)

    def scan(self, now: datetime, moment: float) -> bool:
        """Picks up every file that has come to rest. ``moment``: the monotonic clock, in seconds.

        Returns whether another look a second later may find more.
        """
        looks: dict[Path, _Look] = {}
        first = moment
        troubles = self._finish_pick_ups(now)
        for customer in self._registry.all():
            began = monotonic()
            troubles += self._try(self._home(customer), partial(self._scan, customer, looks, now, moment))
            if (took := monotonic() - began) >= AT_REST:
                moment += took  # what lies in the next folders is seen so much later
        self._looks = looks
        self._tell(troubles)
        return any(first - look.since < AT_REST for look in looks.values())

    def _scan(self, customer: str, looks: dict[Path, _Look], now: datetime, moment: float) -> list[Trouble]:
        ready, missed_at = [], inf
        # Prepared at every scan: a customer may be new since the last one.
        for file in self._look(customer, looks):
            look = self._looks.get(file.path)
            if look is None:
                missed_at = min(missed_at, file.ctime_ns)
            # A folder that is read while files come shows a later one before an earlier. That one goes first, but not
            # what was really put there later and kept its old time (cp -p): it would hold up the others for ever.
            is_next = file.ctime_ns < missed_at
            if look is None or look.file != file:
                look = _Look(file, moment)
            looks[file.path] = look
            patience = AT_REST if self._intake.has_feed(customer, file.name, file.folder, now) else UNNAMED_WAIT
            if is_next and moment - look.since >= patience:
                ready.append(file)
        with self.progress.moving():
            # A stop does not wait for the rest of a burst.
            return self._intake.pick_up(customer, takewhile(lambda _: not self._stopping.is_set(), ready), now)

    def _look(self, customer: str, looks: dict[Path, _Look]) -> list[Found]:
        try:
            return self._bulkhead.run(customer, lambda: drop.look(self._intake.prepare(customer)), late_will_do=True)
        except Hanging:
            # What was seen before has been there all the time.
            home = self._home(customer)
            looks |= {path: look for path, look in self._looks.items() if path.is_relative_to(home)}
            raise

    def _answers(self, customer: str) -> bool:
        if self._bulkhead.has_late_answer(customer):
            return True  # it is for the look
        try:
            self._bulkhead.run(customer, self._home(customer).exists)
        except Hanging:
            return False
        except OSError:
            pass  # an answer too
        return True

    def _finish_pick_ups(self, now: datetime) -> list[Trouble]:
        def attempt() -> list[Trouble]:
            with self.progress.moving():
                return self._intake.upkeep.finish_pick_ups(now, self._answers)

        return self._try(self._settings.drop_dir, attempt)

    def _prepare(self) -> None:
        """What was half picked up goes first: its place in the queue is before all that comes now."""
        troubles = self._finish_pick_ups(datetime.now(UTC))
        troubles += self._try(self._settings.drop_dir, self._make_drop_dir)
        for customer in self._registry.all():
            troubles += self._try(self._home(customer), partial(self._make_folders, customer))
        self._tell(troubles)

    def _make_drop_dir(self) -> list[Trouble]:
        self._settings.drop_dir.mkdir(parents=True, exist_ok=True)
        return []

    def _make_folders(self, customer: str) -> list[Trouble]:
        self._bulkhead.run(customer, partial(self._intake.prepare, customer))
        return []

    def _try(self, folder: Path, attempt: Callable[[], list[Trouble]]) -> list[Trouble]:
        """One customer's full disk, unreadable folder or unforeseen error is no reason to leave the others waiting."""
        self.progress.begin_at(folder)
        try:
            return attempt()
        except (AlpError, OSError, Hanging) as error:
            return [Trouble(folder, str(error))]
        except Exception as error:  # noqa: BLE001  see above; the folder is tried again at the next scan
            log.error("drop_scan_failed", path=str(folder), exc_info=error)
            return []

    def _home(self, customer: str) -> Path:
        return self._settings.drop_dir / customer

    def _tell(self, troubles: list[Trouble]) -> None:
        """Logs what is new; a file that nobody may read is there at every scan."""
        for trouble in troubles:
            if trouble not in self._told:
                log.warning("drop_file_not_picked_up", path=str(trouble.path), reason=trouble.reason)
        self._told = troubles

    def _run(self) -> None:
        self._prepare()
        self.progress.begin_at(self._settings.drop_dir)
        self._ringer.start()
        self._watch()

    def _ring_for_files(self) -> None:
        """In a thread of its own, since it goes through all folders first. Behind the preparation: it warns of folders
        that appear while it is being set up."""
        with doorbell(self._settings.drop_dir, self.ring):
            self._is_ready.set()
            self.ring()  # for what has come since the first scan
            self._stopping.wait()

    def _watch(self) -> None:
        restless = True
        while not self._stopping.is_set():
            self._rest(0 if restless else self._pause)
            # Cleared before the scan: a bell that rings during it asks for another one.
            self._bell.clear()
            try:
                restless = self.scan(datetime.now(UTC), monotonic())
            except Exception as error:  # noqa: BLE001  without this thread no file would ever be picked up again
                log.error("drop_scan_failed", exc_info=error)
                restless = False
            self._stopping.wait(AT_REST)

    @property
    def _pause(self) -> float:
        """Seconds to the next scan, unless the bell rings. One folder that hangs keeps it from being set up."""
        seconds = self._settings.scan_every.total_seconds()
        return seconds if self._is_ready.is_set() else min(seconds, _SILENT_SECONDS)

    def _rest(self, seconds: float) -> None:
        """Until the bell rings, or for so long."""
        ends_at = monotonic() + seconds
        self.progress.turn()
        while not self._bell.wait(min(_TURN_SECONDS, max(0.0, ends_at - monotonic()))) and monotonic() < ends_at:
            self.progress.turn()
