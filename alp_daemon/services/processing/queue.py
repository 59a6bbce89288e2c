"""The queue: one customer's uploads strictly in arrival order and one at a time, customers side by side.

A worker holds a lease on the upload it works. The lease is also the fence: who has lost it cannot commit. How long it
lasts goes by the database's clock where nodes have clocks of their own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from alp_daemon import log
from alp_daemon.errors import TryAgain
from alp_daemon.services.processing import processes
from alp_daemon.settings import Settings
from alp_daemon.store import uploads
from alp_daemon.store.store import Store, stamp
from alp_daemon.store.uploads import Upload

# A lease is renewed so often while it lasts: three tries may fail.
_RENEWALS = 4


def owner(settings: Settings) -> str:
    """This process as the holder of leases."""
    return processes.identity(processes.here(settings.data_dir))


def due_customers(store: Store, now: datetime) -> list[str]:
    """Customers who have something to work and nothing in work, the longest waiting first."""
    with store.read() as transaction:
        at = stamp(transaction.time(now))
        return [row["customer"] for row in transaction.all("uploads.due_customers", now=at)]


def claim(store: Store, settings: Settings, customer: str, owner: str, now: datetime) -> Upload | None:
    """Leases the customer's oldest upload that waits for nothing.

    None where there is none, where it is not settled yet (those behind it wait, so that order is kept), or where
    another worker is at this customer.
    """
    # A power cut ends the work too: without its lease the upload is due again, as it must be.
    with store.write(lasting=False) as transaction:
        transaction.lock("queue", customer)
        at = transaction.time(now)
        leased = transaction.one("uploads.leased", customer=customer, now=stamp(at))
        # A `process` that was killed has nobody to free what it held; the next one need not wait for the lease to end.
        if leased is not None and not processes.has_ended(leased["lease_owner"], processes.here(settings.data_dir)):
            return None
        row = transaction.one("uploads.next", customer=customer)
        if row is None or row["evidence"] is None:
            return None
        until = stamp(at + settings.lease)
        seen = row["lease_owner"]
        if not transaction.run("uploads.lease", id=row["id"], owner=owner, seen=seen, until=until, now=stamp(now)):
            return None
        return uploads.get(transaction, row["id"])


def renew(store: Store, settings: Settings, owner: str, now: datetime) -> None:
    """Keeps alive what this owner holds."""
    with store.write() as transaction:
        until = stamp(transaction.time(now) + settings.lease)
        transaction.run("uploads.extend_leases", owner=owner, until=until)


@contextmanager
def leases_kept(store: Store, settings: Settings, owner: str, clock: Callable[[], datetime]) -> Iterator[None]:
    """Renews what this owner holds for as long as its work lasts, however large the file.

    That is the upload in work and nothing else: an owner works one at a time, and lets go of what is left of before.
    """
    _let_go(store, owner)
    done = threading.Event()
    every = settings.lease.total_seconds() / _RENEWALS

    def keep() -> None:
        while not done.wait(every):
            try:
                renew(store, settings, owner, clock())
            except TryAgain as error:
                # There is time for more tries before the lease ends, and the fence holds in any case.
                log.warning("lease_not_renewed", error=str(error))
        store.close()

    keeper = threading.Thread(target=keep, daemon=True)
    keeper.start()
    try:
        yield
    finally:
        done.set()
        keeper.join()


def give_back(store: Store, upload: int, owner: str) -> None:
    """Ends a lease without a result, so that the upload is tried again."""
    with store.write() as transaction:
        transaction.run("uploads.give_back", id=upload, owner=owner)


def free_dead_leases(store: Store, settings: Settings) -> list[int]:
    """Frees what processes of this place held when they died; returns the uploads. Of other places only time tells."""
    place = processes.here(settings.data_dir)
    with store.read() as transaction:
        dead = [r for r in transaction.all("uploads.leases") if processes.has_ended(r["lease_owner"], place)]
    if not dead:
        return []  # the usual round: no write lock is taken
    with store.write() as transaction:
        freed = [r for r in dead if transaction.run("uploads.drop_lease", id=r["id"], owner=r["lease_owner"])]
    return [int(row["id"]) for row in freed]


def _let_go(store: Store, owner: str) -> None:
    """Gives back what the database, when it was away, would not take back."""
    with store.read() as transaction:
        left = [row["id"] for row in transaction.all("uploads.leases") if row["lease_owner"] == owner]
    for upload in left:
        give_back(store, upload, owner)
