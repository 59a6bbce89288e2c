"""Work that may wait (for the disk, the database, a password hash) beside the I/O loop, which may not."""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

from pyftpdlib.ioloop import IOLoop

from alp_daemon import log

Work = Callable[[], Any]
Then = Callable[["Future[Any]"], None]


class Offload:
    """Threads for an I/O loop: ``work`` runs in one of them, ``then(future)`` on the loop at once afterwards.

    Jobs of one lane run one after the other, in the order in which they were given.
    """

    def __init__(self, ioloop: IOLoop, threads: int, name: str) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._lanes: dict[Hashable, deque[tuple[Work, Then]]] = {}
        self._answers: deque[Callable[[], None]] = deque()
        self._bell = _Bell(ioloop, self._deliver)

    @property
    def idle(self) -> bool:
        return not self._lanes

    def run(self, lane: Hashable, work: Work, then: Then) -> None:
        """Only on the loop's thread."""
        jobs = self._lanes.setdefault(lane, deque())
        jobs.append((work, then))
        if len(jobs) == 1:
            self._start(lane)

    def call(self, action: Callable[[], None]) -> None:
        """Runs ``action`` on the loop. From any thread."""
        self._answers.append(action)
        self._bell.ring()

    def close(self) -> None:
        """Waits for what is running; what has not begun is dropped."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._bell.close()

    def _start(self, lane: Hashable) -> None:
        work, _ = self._lanes[lane][0]
        future = self._pool.submit(work)
        future.add_done_callback(lambda done: self.call(partial(self._finish, lane, done)))

    def _finish(self, lane: Hashable, future: Future[Any]) -> None:
        jobs = self._lanes[lane]
        _, then = jobs.popleft()
        if jobs:
            self._start(lane)
        else:
            del self._lanes[lane]
        then(future)

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
