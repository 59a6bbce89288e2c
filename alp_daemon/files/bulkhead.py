"""Storage of one customer that hangs, as a mount does whose server has gone, must not hold up the others.

The pattern has its name from ships (M. Nygard, "Release It!", chapter 5).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from queue import SimpleQueue
from time import monotonic
from typing import Any, TypeVar

PATIENCE_SECONDS = 5.0
"""Longer than a disk takes that is only busy."""
MOST_PATIENCE_SECONDS = 50.0
"""For storage that was slow the last time. Less than what counts as a standstill of whoever asks."""

_T = TypeVar("_T")
_Job = tuple[Future[Any], Callable[[], Any]]


class Hanging(Exception):
    """The storage gives no answer."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no answer for {seconds:.0f} seconds, as from a mount whose server has gone")


class Bulkhead:
    """Runs what asks something of a customer's storage in a thread beside, and waits for it for a limited time.

    Each customer who hangs costs that time once, and a thread until it goes on. For one thread's use.
    """

    def __init__(self) -> None:
        self._jobs: SimpleQueue[_Job | None] | None = None
        self._hanging: dict[str, Future[Any]] = {}
        self._took: dict[str, float] = {}

    def run(self, customer: str, ask: Callable[[], _T]) -> _T:
        """What ``ask`` returns or raises. Raises ``Hanging`` where it does not come back, and then at once as long as
        that is so."""
        patience = self._patience(customer)
        if self.hangs(customer):
            raise Hanging(patience)
        future = self._begin(customer, ask)
        wait([future], patience)
        if not future.done():
            self._leave_behind(customer, future)
            raise Hanging(patience)
        return future.result()

    def hangs(self, customer: str) -> bool:
        """Whether what was last asked of the customer's storage has still no answer."""
        asked = self._hanging.get(customer)
        if asked is not None and asked.done():
            del self._hanging[customer]
        return customer in self._hanging

    def _patience(self, customer: str) -> float:
        """Twice as long as the last answer took: who is only slow must have a turn some time."""
        return min(max(PATIENCE_SECONDS, 2 * self._took.get(customer, 0.0)), MOST_PATIENCE_SECONDS)

    def _begin(self, customer: str, ask: Callable[[], _T]) -> Future[_T]:
        def timed() -> _T:
            began = monotonic()
            try:
                return ask()
            finally:
                self._took[customer] = monotonic() - began

        if self._jobs is None:
            self._jobs = SimpleQueue()
            threading.Thread(target=_work, args=(self._jobs,), name="bulkhead", daemon=True).start()
        future: Future[_T] = Future()
        self._jobs.put((future, timed))
        return future

    def _leave_behind(self, customer: str, asked: Future[Any]) -> None:
        """The thread ends when it comes back; the next job has another."""
        self._hanging[customer] = asked
        assert self._jobs is not None
        self._jobs.put(None)
        self._jobs = None


def _work(jobs: SimpleQueue[_Job | None]) -> None:
    while (job := jobs.get()) is not None:
        future, ask = job
        try:
            future.set_result(ask())
        except BaseException as error:  # noqa: BLE001  it is the caller's
            future.set_exception(error)
        del job, future, ask  # what they hold is large, and the next may come tomorrow
