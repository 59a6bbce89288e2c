"""The queue: one customer's uploads strictly in arrival order and one at a time, customers side by side.

A worker holds a lease on the upload it works. The lease is also the fence: who has lost it cannot commit.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from alp_daemon import log
from alp_daemon.errors import TryAgain
from alp_daemon.store import uploads
from alp_daemon.store.store import Store, stamp
from alp_daemon.store.uploads import Upload

LEASE = timedelta(minutes=2)
RENEW_EVERY = timedelta(seconds=30)


def owner() -> str:
    """This process, told apart from an earlier one that had the same number, and from those of other nodes."""
    return f"{os.getpid()}@{_started(os.getpid())}@{os.uname().nodename}"


def due_customers(store: Store, now: datetime) -> list[str]:
    """Customers who have something to work and nothing in work, the longest waiting first."""
    with store.read() as transaction:
        return [row["customer"] for row in transaction.all("uploads.due_customers", now=stamp(now))]


def claim(store: Store, customer: str, owner: str, now: datetime) -> Upload | None:
    """Leases the customer's oldest upload that waits for nothing.

    None where there is none, where it is not settled yet (those behind it wait, so that order is kept), or where
    another worker is at this customer.
    """
    with store.write() as transaction:
        transaction.lock("queue", customer)
        leased = transaction.one("uploads.leased", customer=customer, now=stamp(now))
        # A `process` that was killed has nobody to free what it held; the next one need not wait for the lease to end.
        if leased is not None and not _has_ended(leased["lease_owner"]):
            return None
        row = transaction.one("uploads.next", customer=customer)
        if row is None or row["evidence"] is None:
            return None
        transaction.run("uploads.lease", id=row["id"], owner=owner, until=stamp(now + LEASE), now=stamp(now))
        return uploads.get(transaction, row["id"])


def renew(store: Store, owner: str, now: datetime) -> None:
    """Keeps alive what this owner holds."""
    with store.write() as transaction:
        transaction.run("uploads.extend_leases", owner=owner, until=stamp(now + LEASE))


@contextmanager
def leases_kept(store: Store, owner: str, clock: Callable[[], datetime]) -> Iterator[None]:
    """Renews what this owner holds for as long as its work lasts, however large the file."""
    done = threading.Event()

    def keep() -> None:
        while not done.wait(RENEW_EVERY.total_seconds()):
            try:
                renew(store, owner, clock())
            except TryAgain as error:
                # There is time for three more tries before the lease ends, and the fence holds in any case.
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


def free_dead_leases(store: Store) -> list[int]:
    """Frees what processes of this machine held when they died; returns the uploads."""
    with store.write() as transaction:
        freed = []
        for row in transaction.all("uploads.leases"):
            if _has_ended(row["lease_owner"]):
                transaction.run("uploads.drop_lease", id=row["id"], owner=row["lease_owner"])
                freed.append(int(row["id"]))
        return freed


def _has_ended(owner: str) -> bool:
    """Whether it was a process of this machine that is no more. Of those of other nodes only their leases tell."""
    pid, _, rest = owner.partition("@")
    started, _, node = rest.partition("@")
    return node == os.uname().nodename and _started(int(pid)) != started


def _started(pid: int) -> str:
    """When the kernel started the process (field 22 of proc_pid_stat(5)); empty if it has ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
    state, *fields = stat.rpartition(")")[2].split()
    # A zombie has ended, and only its parent has not looked yet.
    return "" if state in "ZX" else fields[18]
