"""What comes round by itself among received files, and what a stop or a crash left half done."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime

from alp_daemon import log
from alp_daemon.domain.model import Evidence
from alp_daemon.errors import AlpError
from alp_daemon.files.spool import Spool
from alp_daemon.registry import Registry
from alp_daemon.services.receiving import waiting
from alp_daemon.services.receiving.pickup import PickUp, Trouble
from alp_daemon.services.receiving.sidecar import Sidecars
from alp_daemon.services.receiving.unanswered import Unanswered
from alp_daemon.settings import Settings
from alp_daemon.store.store import Store

UNSETTLED = "the daemon stopped before it saw how the client left"


class Upkeep:
    """``on_due`` is called, after the commit, whenever an upload may have become due."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        registry: Registry,
        spool: Spool,
        pick_up: PickUp,
        unanswered: Unanswered,
        on_due: Callable[[], None],
    ) -> None:
        self._store = store
        self._settings = settings
        self._registry = registry
        self._spool = spool
        self._pick_up = pick_up
        self._unanswered = unanswered
        self._sidecars = Sidecars(store, spool, settings.smtp.operators)
        self._on_due = on_due

    def tick(self, now: datetime) -> None:
        """Call it every second: ends waits that have run out, joins sidecars with their files, and withdraws what
        nobody was told of."""
        joined = False
        try:
            self._unanswered.withdraw(now)
            joined = self._sidecars.join_all(now)
            self._sidecars.end_alone(now)
        finally:
            # Whatever the trouble was, it is not that of all who wait.
            if waiting.end_expired(self._store, self._registry, now) or joined:
                self._on_due()

    def recover(self) -> None:
        """Puts right what a stop or a crash left half done, but for the pick-ups (:meth:`finish_pick_ups`).

        For the process that runs this node's FTP server and drop folder, before it opens them: what this node has not
        settled then it will not settle any more. Other processes, and nodes, may be at work on the same spool.
        Nothing of it waits for a drop folder, which may be a mount whose server has gone.
        """
        with self._store.write() as transaction:
            orphans = transaction.all("uploads.settle_orphans", note=UNSETTLED, node=self._settings.node_name)
        for row in orphans:
            log.warning("upload_settled", upload=row["id"], evidence=Evidence.cut.value, note=UNSETTLED)
        self.clean_incoming()
        with _at_another_time():
            _log_put_aside(self._spool.clean(self._objects))
        self._on_due()

    def finish_pick_ups(self, now: datetime, answers: Callable[[str], bool] = lambda _: True) -> list[Trouble]:
        """Ends what a crash or a full disk left half-way between drop folder and spool. That of customers whose folder
        does not answer waits."""
        done = self._pick_up.finish(self._settings.drop_dir, now, answers)
        if done.due:
            self._on_due()
        return done.troubles

    def clean_incoming(self) -> None:
        """Removes what processes of this node were receiving when they died. Live ones may be at work."""
        with _at_another_time():
            for stray in self._spool.clean_incoming():
                log.warning("stray_file_removed", object=stray)

    def clean_shared(self) -> None:
        """Puts aside what has no record in shared storage. Takes as long as it takes to list it."""
        _log_put_aside(self._spool.clean_shared(self._objects))

    def _objects(self) -> set[str]:
        with self._store.read() as transaction:
            return {row["object"] for row in transaction.all("uploads.objects")}


@contextmanager
def _at_another_time() -> Iterator[None]:
    """What cannot be cleaned, such as one customer's folder on a failing disk, is no reason not to start."""
    try:
        yield
    except (AlpError, OSError) as error:
        log.warning("spool_not_cleaned", error=str(error))


def _log_put_aside(objects: Iterable[str]) -> None:
    for each in objects:
        log.warning("stray_put_aside", object=each)
