"""Hands due customers to worker processes: many customers side by side, never two workers at one customer."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections import deque
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from datetime import UTC, datetime

from alp_daemon import log
from alp_daemon.customers import Customer
from alp_daemon.daemon import worker
from alp_daemon.errors import TryAgain
from alp_daemon.registry import MISSING_TOLERANCE, CustomerStatus, Registry
from alp_daemon.services.decisions import holds
from alp_daemon.services.processing import queue
from alp_daemon.settings import Settings
from alp_daemon.store.store import Store

# The bell wakes it at once, and so does the end of a pause. No bell rings for what another node has received, or a
# command on another host has released: this is how long such an upload waits at the most.
IDLE_SECONDS = 1.0
# After a passing trouble (a full disk, a locked database) a customer is left alone for a while.
PAUSE_SECONDS = 5.0
# Nothing could be claimed: the oldest upload is not settled yet, or a `process` is at work.
_SHORT_PAUSE_SECONDS = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    """A customer in the hands of a worker."""

    customer: str
    worker: ProcessPoolExecutor
    future: Future[str | None]


class Dispatcher:
    """A thread, and worker processes that are spawned once. ``bell`` says that something may be due.

    Each worker is a pool of its own: when one process of a pool is killed, Python ends all the others with it.
    """

    def __init__(self, store: Store, settings: Settings, registry: Registry) -> None:
        self._store = store
        self._settings = settings
        self._registry = registry
        # Only the dispatcher's own thread touches these, but for `_done`, which workers' threads fill.
        self._idle = [self._new_worker() for _ in range(settings.worker_count)]
        self._busy: dict[str, _Job] = {}
        self._done: deque[_Job] = deque()
        self._paused: dict[str, float] = {}
        self._due: deque[str] = deque()
        self._asked_at = 0.0
        self._bell = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dispatcher", daemon=True)
        self.last_turn = time.monotonic()
        """When the loop last went round, for the watchdog."""

    def start(self) -> None:
        self._thread.start()

    def bell(self) -> None:
        self._bell.set()

    def stop(self, timeout: float) -> None:
        """Gives out no more work and waits for what is under way to be committed."""
        self._stopping.set()
        self._bell.set()
        self._thread.join(timeout)
        for each in [*self._idle, *(job.worker for job in self._busy.values())]:
            each.shutdown(wait=True, cancel_futures=True)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self.last_turn = time.monotonic()
            self._bell.wait(self._sleep_seconds())
            self._bell.clear()
            try:
                self._take_back()
                self._hand_out()
            except TryAgain as error:
                log.warning("dispatcher_waits", error=str(error))
            except Exception as error:  # noqa: BLE001  without this thread nothing would ever be processed again
                log.error("dispatcher_failed", exc_info=error)
        self._store.close()

    def _sleep_seconds(self) -> float:
        """A pause must end by itself: whoever rang during it does not ring again."""
        now = time.monotonic()
        self._paused = {customer: until for customer, until in self._paused.items() if until > now}
        return min(IDLE_SECONDS, *(until - now for until in self._paused.values())) if self._paused else IDLE_SECONDS

    def _hand_out(self) -> None:
        if not self._idle:
            return
        now = datetime.now(UTC)
        self._look_for_due(now)
        while self._due and self._idle and not self._stopping.is_set():
            customer_id = self._due.popleft()
            if customer_id not in self._busy and self._paused.get(customer_id, 0.0) <= time.monotonic():
                self._hand_out_one(customer_id, now)

    def _look_for_due(self, now: datetime) -> None:
        """Asks when all are handed out, and once in a while: with thousands of customers waiting, asking again for
        each of them would cost more than their files."""
        if not self._due or time.monotonic() - self._asked_at >= IDLE_SECONDS:
            self._due = deque(queue.due_customers(self._store, now))
            self._asked_at = time.monotonic()

    def _hand_out_one(self, customer_id: str, now: datetime) -> None:
        status = self._registry.status(customer_id, now)
        customer = self._registry.customer(customer_id)
        if status is CustomerStatus.active and customer is not None:
            self._submit(customer)
        elif status is CustomerStatus.missing:
            holds.hold_without_customer(self._store, customer_id, now)
        elif status is CustomerStatus.unknown:
            # Another node has taken the file: it may only have been quicker to read that there is a new customer.
            holds.hold_without_customer(self._store, customer_id, now, patience=MISSING_TOLERANCE)

    def _submit(self, customer: Customer) -> None:
        worker_, future = self._begin(customer)
        job = self._busy[customer.id] = _Job(customer.id, worker_, future)

        def done(_future: Future[str | None]) -> None:
            self._done.append(job)
            self._bell.set()

        future.add_done_callback(done)

    def _begin(self, customer: Customer) -> tuple[ProcessPoolExecutor, Future[str | None]]:
        chosen = self._idle.pop()
        try:
            return chosen, chosen.submit(worker.work, customer)
        except BrokenProcessPool:
            log.warning("idle_worker_was_killed")
            chosen = self._new_worker()
            return chosen, chosen.submit(worker.work, customer)

    def _take_back(self) -> None:
        """The workers that are done, and what they have said."""
        while self._done:
            job = self._done.popleft()
            del self._busy[job.customer]
            error = None if job.future.cancelled() else job.future.exception()
            self._idle.append(self._new_worker() if isinstance(error, BrokenProcessPool) else job.worker)
            if error is not None:
                log.warning("worker_failed", customer=job.customer, error=f"{type(error).__name__}: {error}")
                self._pause(job.customer, PAUSE_SECONDS)
            elif not job.future.cancelled() and job.future.result() is None:
                self._pause(job.customer, _SHORT_PAUSE_SECONDS)
            if isinstance(error, BrokenProcessPool):
                queue.free_dead_leases(self._store, self._settings)

    def _pause(self, customer_id: str, seconds: float) -> None:
        self._paused[customer_id] = time.monotonic() + seconds

    def _new_worker(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            1,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=worker.start,
            initargs=(self._settings,),
        )
