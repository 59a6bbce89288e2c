"""Storage of one customer that hangs, as a mount does whose server has gone, must not hold up the others.

The pattern has its name from ships (M. Nygard, "Release It!", chapter 5).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, TypeVar

PATIENCE_SECONDS = 5.0
"""Longer than a disk takes that is only busy."""

_T = TypeVar("_T")
_Jobs = SimpleQueue["tuple[Future[Any], Callable[[], Any]] | None"]


class Hanging(Exception):
    """The storage gives no answer."""

    def __init__(self) -> None:
        super().__init__("no answer, as from a mount whose server has gone")


@dataclass(frozen=True, slots=True)
class _Asked:
    """What somebody no longer waits for, and whether its answer is of use when it comes."""

    future: Future[Any]
    late_will_do: bool


class Bulkhead:
    """Runs what asks something of a customer's storage in a thread beside, and waits for it for a limited time.

    Each customer who hangs costs that time once, less of it the more hang already, and a thread until it goes on; then
    ``on_answer`` is called, from that thread. For one thread's use.
    """

    def __init__(self, on_answer: Callable[[], None] = lambda: None) -> None:
        self._jobs: _Jobs | None = None
        self._hanging: dict[str, _Asked] = {}
        self._on_answer = on_answer

    def run(self, customer: str, ask: Callable[[], _T], *, late_will_do: bool = False) -> _T:
        """What ``ask`` returns or raises. Raises ``Hanging`` where it does not come back, and then at once as long as
        that is so.

        With ``late_will_do`` the answer that came in the end is the next one to such a question: who is only slow must
        have a turn some time.
        """
        if self.hangs(customer):
            raise Hanging
        asked = self._hanging.pop(customer, None)
        if late_will_do and asked is not None and asked.late_will_do:
            answer: _T = asked.future.result()
            return answer
        future = self._begin(ask)
        try:
            wait([future], PATIENCE_SECONDS / (1 + self._number_hanging()))
            if not future.done():
                raise Hanging
            return future.result()
        except BaseException:
            if not future.done():  # also where somebody has pressed Ctrl-C
                self._leave_behind(customer, _Asked(future, late_will_do))
            raise
        finally:
            del future  # an exception of its own holds this frame, and that would hold it

    def hangs(self, customer: str) -> bool:
        """Whether what was last asked of the customer's storage has still no answer."""
        asked = self._hanging.get(customer)
        return asked is not None and not asked.future.done()

    def has_late_answer(self, customer: str) -> bool:
        """Whether the customer's storage has answered after all, and nothing was asked since."""
        return customer in self._hanging and not self.hangs(customer)

    def _number_hanging(self) -> int:
        return sum(not asked.future.done() for asked in self._hanging.values())

    def _begin(self, ask: Callable[[], _T]) -> Future[_T]:
        if self._jobs is None:
            jobs: _Jobs = SimpleQueue()
            threading.Thread(target=_work, args=(jobs,), name="bulkhead", daemon=True).start()
            self._jobs = jobs
        future: Future[_T] = Future()
        self._jobs.put((future, ask))
        return future

    def _leave_behind(self, customer: str, asked: _Asked) -> None:
        """The thread ends when it comes back; the next job has another."""
        self._hanging[customer] = asked
        assert self._jobs is not None
        self._jobs.put(None)
        self._jobs = None
        asked.future.add_done_callback(lambda _: self._on_answer())


def _work(jobs: _Jobs) -> None:
    while (job := jobs.get()) is not None:
        future, ask = job
        try:
            future.set_result(ask())
        except BaseException as error:  # noqa: BLE001  it is the caller's
            future.set_exception(error)
        del job, future, ask  # what they hold is large, and the next may come tomorrow
