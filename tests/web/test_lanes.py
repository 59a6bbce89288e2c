"""One address's log-ins wait for each other, and nobody else's wait for them."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable

import httpx
import pytest

from alp_daemon.channels.web.lanes import Lanes
from alp_daemon.services.logins.credentials import Kind
from tests.web.conftest import SiteMaker
from tests.web.site import JOE

FLOODER, OTHER = "203.0.113.1", "198.51.100.1"


def test_one_at_a_time_in_the_order_of_arrival_and_nothing_is_left() -> None:
    lanes, order = Lanes(), []

    async def go(address: str, name: str, seconds: float) -> None:
        async with lanes.alone(address):
            order.append(f"{name} begins")
            await asyncio.sleep(seconds)
            order.append(f"{name} ends")

    async def all_of_them() -> None:
        await asyncio.gather(go("a", "first", 0.05), go("a", "second", 0), go("b", "other", 0))

    asyncio.run(all_of_them())
    assert order == ["first begins", "other begins", "other ends", "first ends", "second begins", "second ends"]
    assert len(lanes) == 0


def test_who_gives_up_waiting_leaves_the_lane() -> None:
    lanes = Lanes()

    async def impatient() -> None:
        async with lanes.alone("a"):
            waiting = asyncio.create_task(_enter(lanes))
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
        assert len(lanes) == 0

    asyncio.run(impatient())


async def _enter(lanes: Lanes) -> None:
    async with lanes.alone("a"):
        raise AssertionError("somebody is in it")


def asked(requests: int, ask: Callable[[], httpx.Response]) -> list[threading.Thread]:
    threads = [threading.Thread(target=ask) for _ in range(requests)]
    for thread in threads:
        thread.start()
    return threads


def until(is_so: Callable[[], bool]) -> None:
    ends = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < ends
        time.sleep(0.01)


def test_log_ins_of_one_address_leave_a_thread_to_the_others(make_site: SiteMaker) -> None:
    """Each waits for the one before it, on all nodes together: in a thread, that must be one thread at the most."""
    site = make_site(trusted_proxies=["127.0.0.1"])
    issued = site.issue("acme", Kind.uploader)

    def log_in(address: str, password: str = "wrong") -> httpx.Response:
        form = {"user": issued.user, "password": password}
        return site.client().post("/login", data=form, headers={"X-Forwarded-For": address})

    lanes = site.server._site._strangers
    with site.store.alone("lockout", FLOODER):
        threads = asked(8, lambda: log_in(FLOODER))
        until(lambda: lanes._users.get(FLOODER) == 8)
        assert log_in(OTHER, issued.password).status_code == 303
    for thread in threads:
        thread.join()
    assert len(lanes) == 0
    assert log_in(FLOODER).status_code == 429


def test_a_gateway_s_stop_waits_for_nobody_who_reads(make_site: SiteMaker) -> None:
    free, inside = threading.Event(), threading.Semaphore(0)

    def slow() -> None:
        inside.release()
        free.wait(60)

    site = make_site(checks={"slow": slow})
    threads = asked(8, lambda: site.client().get("/readyz", timeout=60))
    for _ in threads:
        inside.acquire()
    message = {"id": "m1", "from": JOE, "to": "55512", "text": "STOP"}
    try:
        answer = site.gateway().post("/api/v1/messages", json=message)
    finally:
        free.set()
        for thread in threads:
            thread.join()
    assert answer.status_code == 200, answer.text
