"""What all calls and pages share: the services, and threads for what may wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from starlette.requests import Request

from alp_daemon.channels.web.lanes import Lanes
from alp_daemon.customers import Customer
from alp_daemon.domain.lockout import normalise
from alp_daemon.errors import Unavailable
from alp_daemon.registry import CustomerStatus, Registry
from alp_daemon.services.logins.access import Access
from alp_daemon.services.logins.credentials import Bearer, Credentials
from alp_daemon.services.logins.sessions import Sessions
from alp_daemon.services.operations.metrics import Metrics
from alp_daemon.services.receiving.intake import Intake
from alp_daemon.settings import Settings

if TYPE_CHECKING:
    from alp_daemon.store.store import Store

P = ParamSpec("P")
T = TypeVar("T")

# A hash takes 25 ms of a core and 19 MiB; more threads would only take them from other requests.
_JUDGING_THREADS = 2
# Looking a token up takes a millisecond. Whatever else is read meanwhile, a gateway's STOPs must not wait for it.
_KNOWING_THREADS = 2
# Writers wait for one lock anyway, behind a big file for a second even. They must not keep readers from a thread.
_WRITING_THREADS = 4
_READING_THREADS = 8

Check = Callable[[], str | None]
"""What is wrong with a part, or None."""


@dataclass(slots=True)
class _Threads:
    judging: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(_JUDGING_THREADS, "web-judge"))
    knowing: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(_KNOWING_THREADS, "web-know"))
    writing: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(_WRITING_THREADS, "web-write"))
    reading: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(_READING_THREADS, "web-read"))


class Site:
    """The installation as the web side sees it. ``of(request)`` finds it.

    ``checks`` are further parts that ``/readyz`` asks about, by name.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        access: Access,
        intake: Intake,
        registry: Registry,
        checks: Mapping[str, Check],
    ) -> None:
        self.store = store
        self.settings = settings
        self.access = access
        self.intake = intake
        self.registry = registry
        self.checks = checks
        self.credentials = Credentials(store)
        self.sessions = Sessions(store, settings.web)
        self.metrics = Metrics(store)
        self._threads = _Threads()
        self._strangers = Lanes()

    async def ask(self, question: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
        """Calls a service that only reads, in a thread: nothing waits for the database on the loop."""
        return await self._in(self._threads.reading, partial(question, *args, **named))

    async def do(self, action: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
        """Calls a service that writes to the database or the spool, in a thread."""
        return await self._in(self._threads.writing, partial(action, *args, **named))

    async def judge(self, address: str, verdict: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
        """Calls what works on a stranger's word (hashes a password, say), in a thread.

        One address, one judgement at a time: however many come at once, they cannot keep both threads from others.
        """
        async with self._strangers.alone(address):
            return await self._in(self._threads.judging, partial(verdict, *args, **named))

    async def bearer(self, token: str) -> Bearer | None:
        """Whose token it is; None where it is nobody's."""
        return await self._in(self._threads.knowing, partial(self.credentials.of_token, token))

    def now(self) -> datetime:
        return datetime.now(UTC)

    def customer(self, id_: str) -> Customer:
        """Raises ``Unavailable`` while the customer's file is missing or was never sound."""
        customer = self.registry.customer(id_)
        if customer is None or self.registry.status(id_, self.now()) is not CustomerStatus.active:
            raise Unavailable("this account is not configured at the moment; ask your provider, then try again")
        return customer

    def largest_of(self, customer: Customer) -> int:
        """How many bytes a file of this customer may have."""
        return customer.limits.max_file_size or self.settings.web.max_file_size

    def close(self) -> None:
        """Waits for what is running. The threads end, and their database connections with them."""
        for pool in (self._threads.judging, self._threads.knowing, self._threads.writing, self._threads.reading):
            pool.shutdown(wait=True, cancel_futures=True)

    @staticmethod
    async def _in(pool: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(pool, work)


def of(request: Request) -> Site:
    site: Site = request.app.state.site
    return site


def ip_of(request: Request) -> str:
    """The address of who asks: behind a trusted proxy the one that it names."""
    assert request.client is not None, "the server listens on TCP only"
    return request.client.host


def source_of(request: Request) -> str:
    """What counts as one address where calls are counted: of IPv6 the /64."""
    return normalise(ip_of(request))
