"""Files and verdicts of all sessions on their way into the database, several in one commit.

Each commit waits for the disk. What ends meanwhile is collected and goes into the next one, so that two hundred
clients wait for a few commits and not for two hundred.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pyftpdlib.ioloop import IOLoop

from alp_daemon import log
from alp_daemon.channels.ftp.crew import Crew
from alp_daemon.channels.ftp.offload import Then
from alp_daemon.errors import AlpError, Busy, TryAgain
from alp_daemon.services.receiving.intake import Received, Verdict

if TYPE_CHECKING:
    from alp_daemon.services.receiving.intake import Intake

LARGE = 2**20
"""Bytes from which a file is written out by itself first: others must not wait for its gigabyte."""

_SHARE_SECONDS = 0.1
"""How long a verdict waits for a file to share its commit: a client that sends many has the next one there by then.
A session that ends has none to come."""

_RETRY_SECONDS = 5.0
# The lane of those that are settled one by one: as many of them as there are, they keep one thread busy.
_ALONE = "settled alone"


@dataclass(slots=True)
class _Batch:
    """What goes into one commit."""

    files: list[tuple[Received, Then]] = field(default_factory=list)
    verdicts: dict[int, Verdict] = field(default_factory=dict)


class Keeper:
    """Only for the loop's thread. One commit at a time is under way; ``_next`` is what waits for it to end."""

    def __init__(self, ioloop: IOLoop, crew: Crew, intake: Intake) -> None:
        self._ioloop = ioloop
        self._crew = crew
        self._intake = intake
        self._next = _Batch()
        self._is_busy = False

    @property
    def idle(self) -> bool:
        return not (self._is_busy or self._next.files or self._next.verdicts)

    def keep(self, received: Received, size: int, then: Then) -> None:
        """Makes a file and its record durable; ``then`` gets a future with the upload's number, or the error."""
        if size < LARGE:
            self._add(received, then)
            return

        def written(future: Future[None]) -> None:
            if future.exception() is None:
                self._add(received, then)
            else:
                received.incoming.abort()
                then(future)

        lane = received.incoming.customer
        self._crew.storing.run(lane, lambda: self._intake.write_out(received.incoming), written)

    def settle(self, upload: int, verdict: Verdict) -> None:
        """Says whether an upload is whole; nobody waits for it. The first word stands."""
        if not self._next.verdicts:
            self._ioloop.call_later(_SHARE_SECONDS, self._share_no_longer, self._next)
        self._next.verdicts.setdefault(upload, verdict)

    def hurry(self) -> None:
        """Waits for nothing more that could share the next commit."""
        if not (self._is_busy or self.idle):
            self._commit()

    def _share_no_longer(self, batch: _Batch) -> None:
        # Else it is under way: the verdicts that wait now are younger, and have their own time.
        if batch is self._next:
            self.hurry()

    def _add(self, received: Received, then: Then) -> None:
        self._next.files.append((received, then))
        self.hurry()

    def _commit(self) -> None:
        self._is_busy = True
        batch, self._next = self._next, _Batch()
        files = [received for received, _ in batch.files]

        def work() -> list[int | AlpError]:
            if files:
                return self._intake.receive_all(files, batch.verdicts)
            self._intake.settle(batch.verdicts)
            return []

        self._crew.committing.run(self, work, lambda future: self._committed(batch, future))

    def _committed(self, batch: _Batch, future: Future[list[int | AlpError]]) -> None:
        self._is_busy = False
        error = future.exception()
        if isinstance(error, Busy):
            self._refuse_waiting(error)
        # What has come meanwhile is on its way before anybody is answered.
        self.hurry()
        if error is not None:
            self._settle_later(batch.verdicts, error)
        results = future.result() if error is None else [error] * len(batch.files)
        for (_, then), result in zip(batch.files, results, strict=True):
            then(_done(result))

    def _refuse_waiting(self, error: Busy) -> None:
        """Files that have come meanwhile would wait as long again: their senders hang up before that.

        One whose bytes are in the storage already is tried all the same.
        """
        waiting, self._next.files = self._next.files, [each for each in self._next.files if each[0].incoming.kept]
        for received, then in waiting:
            if not received.incoming.kept:
                received.incoming.abort()
                then(_done(error))

    def _settle_later(self, verdicts: Mapping[int, Verdict], error: BaseException) -> None:
        """Whatever the error: an upload that is never settled is never processed, and its customer's others wait."""
        passes = isinstance(error, TryAgain)
        if not passes:
            log.error("ftp_internal_error", exc_info=error)
        again = self.settle if passes else self._settle_alone
        for upload, verdict in verdicts.items():
            self._ioloop.call_later(_RETRY_SECONDS, again, upload, verdict)

    def _settle_alone(self, upload: int, verdict: Verdict) -> None:
        """In a commit of its own: it may be this record that cannot be written, which is no other upload's fault."""

        def settled(future: Future[None]) -> None:
            error = future.exception()
            if error is not None:
                self._settle_later({upload: verdict}, error)

        self._crew.committing.run(_ALONE, lambda: self._intake.settle({upload: verdict}), settled)


def _done(result: int | BaseException) -> Future[int]:
    future: Future[int] = Future()
    if isinstance(result, BaseException):
        future.set_exception(result)
    else:
        future.set_result(result)
    return future
