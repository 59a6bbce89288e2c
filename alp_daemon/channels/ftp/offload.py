"""Work that may wait (for the disk, the database, a password hash) beside the I/O loop, which may not."""

from __future__ import annotations

import socket
import threading
from collections import deque
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from math import inf
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any

from pyftpdlib.ioloop import IOLoop

from alp_daemon import log
from alp_daemon.errors import TryAgain

_LAST_SECONDS = 2.0
"""For what may hang, when the server ends."""
_HANGING = 0.1
"""Of its limit: from then on a job is taken for one that hangs."""
_MOST_HANGING = 64
"""More threads than this are not replaced: then it is no mount that is slow but all there is."""

Work = Callable[[], Any]
Then = Callable[["Future[Any]"], None]


@dataclass(eq=False, slots=True)
class _Job:
    work: Work
    then: Then | None
    """None once it is called."""
    future: Future[Any] = field(default_factory=Future)
    alarm: Any = None
    thread: threading.Thread | None = None
    began: float = inf
    is_abandoned: bool = False
    """Its thread has been replaced, and ends with it."""

    def answer(self, future: Future[Any]) -> None:
        if self.alarm is not None and not self.alarm.cancelled:
            self.alarm.cancel()
        then, self.then = self.then, None
        if then is not None:
            then(future)


class Offload:
    """Threads for an I/O loop: ``work`` runs in one of them, ``then(future)`` on the loop at once afterwards.

    Jobs of one lane run one after the other, in the order in which they were given. With a ``limit`` nobody waits for
    more seconds than that, from ``run`` on: ``then`` gets a :class:`TryAgain`. Long before, a thread that hangs is
    replaced by another, so that a few who hang do not keep all from the others. Its lane stays taken until it is back.
    """

    def __init__(self, ioloop: IOLoop, threads: int, name: str, limit: float | None = None) -> None:
        self._ioloop = ioloop
        self._name = name
        self._limit = limit
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._lanes: dict[Hashable, deque[_Job]] = {}
        self._answers: deque[Callable[[], None]] = deque()
        self._bell = _Bell(ioloop, self._deliver)
        self._replacing = threading.Lock()
        self._most = threads
        self._threads: list[threading.Thread] = []
        if limit is not None:
            self._hangs_from = limit * _HANGING
            ioloop.call_every(self._hangs_from, self._replace_those_who_hang)

    @property
    def idle(self) -> bool:
        """Nothing is under way but what hangs."""
        return all(jobs[0].is_abandoned for jobs in self._lanes.values())

    def run(self, lane: Hashable, work: Work, then: Then) -> None:
        """Only on the loop's thread."""
        job = _Job(work, then)
        if self._limit is not None:
            job.alarm = self._ioloop.call_later(self._limit, partial(self._give_up, lane, job))
        jobs = self._lanes.setdefault(lane, deque())
        jobs.append(job)
        if len(jobs) == 1:
            self._start(lane)

    def call(self, action: Callable[[], None]) -> None:
        """Runs ``action`` on the loop. From any thread."""
        self._answers.append(action)
        self._bell.ring()

    def close(self) -> None:
        """Waits for what is running, but not for what may hang; what has not begun is dropped."""
        with suppress(Empty):
            while True:
                self._jobs.get_nowait()
        for _ in self._threads:
            self._jobs.put(None)
        ends_at = None if self._limit is None else monotonic() + _LAST_SECONDS
        for thread in self._threads:
            thread.join(None if ends_at is None else max(0.0, ends_at - monotonic()))
        self._bell.close()

    def _add_threads(self) -> None:
        """As many as there is work for: each keeps a connection to the database."""
        if len(self._threads) == self._most:
            return
        at_work = sum(not jobs[0].is_abandoned for jobs in self._lanes.values())
        while len(self._threads) < min(at_work, self._most):
            # Not of an executor: Python waits for those at its end, however they hang.
            thread = threading.Thread(target=self._work, name=self._name, daemon=True)
            thread.start()
            self._threads.append(thread)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            if job.future.set_running_or_notify_cancel():
                job.thread, job.began = threading.current_thread(), monotonic()
                try:
                    job.future.set_result(job.work())
                except BaseException as error:  # noqa: BLE001  it is for who asked
                    job.future.set_exception(error)
            with self._replacing:
                if job.is_abandoned:
                    return
            del job  # what it holds may be large, and the next may come tomorrow

    def _start(self, lane: Hashable) -> None:
        job = self._lanes[lane][0]
        job.future.add_done_callback(lambda _: self.call(partial(self._finish, lane)))
        self._jobs.put(job)
        self._add_threads()

    def _finish(self, lane: Hashable) -> None:
        jobs = self._lanes[lane]
        job = jobs.popleft()
        if jobs:
            self._start(lane)
        else:
            del self._lanes[lane]
        job.answer(job.future)

    def _give_up(self, lane: Hashable, job: _Job) -> None:
        if job.future.done():
            return  # answered, or about to be
        # The lane first: whatever becomes of the answer, no thread is lost.
        if job is not self._lanes[lane][0]:
            self._lanes[lane].remove(job)
        elif not job.future.cancel():
            self._replace_thread_of(job)
        late: Future[Any] = Future()
        late.set_exception(TryAgain(f"no answer for {self._limit:.0f} seconds, as from a mount whose server has gone"))
        job.answer(late)

    def _replace_those_who_hang(self) -> None:
        since = monotonic() - self._hangs_from
        for jobs in self._lanes.values():
            if jobs[0].began <= since:
                self._replace_thread_of(jobs[0])

    def _replace_thread_of(self, job: _Job) -> None:
        if sum(jobs[0].is_abandoned for jobs in self._lanes.values()) >= _MOST_HANGING:
            return
        with self._replacing:
            if job.is_abandoned or job.future.done() or job.thread is None:
                return
            job.is_abandoned = True
        self._threads.remove(job.thread)
        self._add_threads()

    def _deliver(self) -> None:
        while self._answers:
            action = self._answers.popleft()
            try:
                action()
            except Exception as error:  # noqa: BLE001  one session's bug must not take the others' answers with it
                log.error("ftp_internal_error", exc_info=error)


class _Bell:
    """Wakes the loop out of its sleep from another thread. To the loop it is one more connection."""

    def __init__(self, ioloop: IOLoop, answer: Callable[[], None]) -> None:
        self._ioloop = ioloop
        self._answer = answer
        self._inside, self._outside = socket.socketpair()
        self._inside.setblocking(False)
        self._outside.setblocking(False)
        self._fileno = self._inside.fileno()
        ioloop.register(self._fileno, self, ioloop.READ)

    def ring(self) -> None:
        try:
            self._outside.send(b"\0")
        except OSError:
            # Full: it is ringing already. Closed: the loop has ended.
            return

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return False

    def handle_read_event(self) -> None:
        self._inside.recv(4096)
        self._answer()

    def handle_close(self) -> None:
        self.close()

    def close(self) -> None:
        self._ioloop.unregister(self._fileno)
        self._inside.close()
        self._outside.close()
