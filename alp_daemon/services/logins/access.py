"""Who may come in: judges log-ins and locks out addresses that guess.

The truth is in the database: a lockout outlives a restart, and ``unlock`` by an operator holds at once.
"""

from __future__ import annotations

import base64
import threading
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from argon2.exceptions import VerifyMismatchError

from alp_daemon import log
from alp_daemon.domain.lockout import CLOCKS_APART, LockoutLimits, blocked_until, normalise
from alp_daemon.domain.networks import is_in, networks
from alp_daemon.errors import UsageProblem
from alp_daemon.sections import LockoutSettings
from alp_daemon.services.logins.credentials import HASHER, Kind
from alp_daemon.store import counters
from alp_daemon.store.store import Row, Store, Transaction, moment, stamp


@dataclass(frozen=True, slots=True)
class Login:
    """The password is right. ``customer`` is ``credentials.PROVIDER`` for an operator."""

    user: str
    customer: str
    kind: Kind = Kind.ftp


@dataclass(frozen=True, slots=True)
class Denied:
    """Unknown user or wrong password; who asks is not told which. ``until``: this failure locked the address out."""

    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class LockedOut:
    """Refused without a look at the password."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Lockout:
    """An address that is locked out now. ``ip`` is an IPv4 address or an IPv6 /64."""

    ip: str
    since: datetime
    until: datetime
    failures: int


@dataclass(frozen=True, slots=True)
class Unlocked:
    """A lockout that somebody ended before its time."""

    lockout: Lockout
    at: datetime
    by: str


class Access:
    """The judge of log-ins. Safe to call from many threads; every call may wait for the database.

    Judgements of one address come one after the other, on all nodes together, so that exactly ``limits.failures`` wrong
    passwords are looked at however many arrive at once. A right password writes nothing, and a success forgives no
    failure.
    """

    def __init__(self, store: Store, settings: LockoutSettings) -> None:
        self._store = store
        self._limits = LockoutLimits(settings.failures, settings.window, settings.block)
        self._allowed = networks(settings.allow)
        self._judged: Counter[str] = Counter()
        self._counting = threading.Lock()

    def judge(
        self, ip: str, user: str, password: str, now: datetime, kinds: Collection[Kind] = (Kind.ftp,)
    ) -> Login | Denied | LockedOut:
        """Whether this is a live log-in of one of these kinds. All of them share one lockout.

        An address locked out is refused even with the right password, and its retries do not lengthen the hour.
        Raises ``TryAgain`` when a failure could not be recorded; the caller learns nothing about the password then.
        """
        verdict = self._judge(ip, user, password, now, kinds)
        with self._counting:
            self._judged[_RESULTS[type(verdict)]] += 1
        return verdict

    def count(self) -> None:
        """Adds the judgements since the last call to the counters: from time to time, not with each log-in."""
        with self._counting:
            judged = Counter(self._judged)
        if judged:
            with self._store.write() as transaction:
                counters.add(transaction, "logins", judged)
            with self._counting:
                self._judged -= judged

    def _judge(
        self, ip: str, user: str, password: str, now: datetime, kinds: Collection[Kind]
    ) -> Login | Denied | LockedOut:
        if is_in(ip, self._allowed):
            return self._check(user, password, kinds) or Denied()
        address = normalise(ip)
        with self._store.alone("lockout", address):
            until = self.locked_until(ip, now)
            if until is not None:
                return LockedOut(until)
            return self._check(user, password, kinds) or Denied(self._record_failure(address, now))

    def locked_until(self, ip: str, now: datetime) -> datetime | None:
        """The end of the address's lockout, or ``None`` if it may try."""
        if is_in(ip, self._allowed):
            return None
        with self._store.read() as transaction:
            row = transaction.one("lockouts.get", ip=normalise(ip), now=stamp(now))
        return moment(row["until"]) if row else None

    def lockouts(self, now: datetime) -> list[Lockout]:
        """Those in force, soonest release first."""
        with self._store.read() as transaction:
            return [_lockout(row) for row in transaction.all("lockouts.active", now=stamp(now))]

    def unlocked(self) -> list[Unlocked]:
        """Those that were ever ended by ``unlock``, newest first."""
        with self._store.read() as transaction:
            rows = transaction.all("unlocks.all")
        return [Unlocked(_lockout(row), moment(row["unlocked_at"]), row["unlocked_by"]) for row in rows]

    def unlock(self, ip: str, by: str, now: datetime) -> bool:
        """Frees an address and forgets its failures. ``False`` when it was not locked out.

        ``ip`` may be any address of an IPv6 /64, or the /64 as ``lockouts`` shows it. Raises ``UsageProblem``
        when it is no address at all.
        """
        try:
            address = normalise(ip)
        except ValueError as error:
            raise UsageProblem(f"{ip!r} is no IP address: expected one such as 192.0.2.7 or 2001:db8::/64") from error
        with self._store.write() as transaction:
            removed = transaction.one("lockouts.remove", ip=address)
            transaction.run("logins.forget", ip=address)
            if removed is None or moment(removed["until"]) <= now:
                return False
            transaction.run("unlocks.add", **removed, by=by, now=stamp(now))
        log.info("unlocked", ip=address, by=by)
        return True

    def _check(self, user: str, password: str, kinds: Collection[Kind]) -> Login | None:
        with self._store.read() as transaction:
            row = transaction.one("credentials.of_user", user=user)
        fits = row is not None and row["kind"] in kinds
        try:
            HASHER.verify(row["secret"] if row and fits else _DECOY, password)
        except VerifyMismatchError:
            return None
        return Login(user, row["customer"], Kind(row["kind"])) if row and fits else None

    def _record_failure(self, address: str, now: datetime) -> datetime | None:
        forgotten = stamp(now - self._limits.window)
        with self._store.write() as transaction:
            _prune(transaction, self._limits.window, now)
            transaction.run("logins.add_failure", ip=address, now=stamp(now))
            failures = [moment(row["at"]) for row in transaction.all("logins.failures", ip=address, since=forgotten)]
            until = blocked_until(failures, self._limits)
            if until is not None:
                transaction.run("lockouts.put", ip=address, now=stamp(now), until=stamp(until), failures=len(failures))
                # The hour is the whole penalty: after it, these failures do not count again.
                transaction.run("logins.forget", ip=address)
        return until


def forget_old(store: Store, window: timedelta, now: datetime) -> None:
    """Failures outside the window and lockouts that are over say nothing any more.

    Nor does what lies ahead of the clock (see ``CLOCKS_APART``): a clock that was set back keeps nobody out for long.
    """
    with store.read() as transaction:
        if transaction.one("logins.stale", **_bounds(window, now)) is None:
            return  # the usual minute: no write lock is taken
    with store.write() as transaction:
        _prune(transaction, window, now)


def _prune(transaction: Transaction, window: timedelta, now: datetime) -> None:
    bounds = _bounds(window, now)
    transaction.run("logins.prune", before=bounds["before"], ahead=bounds["ahead"])
    transaction.run("lockouts.prune", now=bounds["now"], ahead=bounds["ahead"])


def _bounds(window: timedelta, now: datetime) -> dict[str, str]:
    return {"now": stamp(now), "before": stamp(now - window), "ahead": stamp(now + CLOCKS_APART)}


def _decoy() -> str:
    """A hash that no password is known to have: checking it makes an unknown user cost what a known one does."""
    salt, digest = (base64.b64encode(bytes(size)).rstrip(b"=").decode() for size in (HASHER.salt_len, HASHER.hash_len))
    cost = f"m={HASHER.memory_cost},t={HASHER.time_cost},p={HASHER.parallelism}"
    return f"$argon2id$v=19${cost}${salt}${digest}"


_DECOY = _decoy()

_RESULTS = {Login: "accepted", Denied: "denied", LockedOut: "locked_out"}


def _lockout(row: Row) -> Lockout:
    return Lockout(row["ip"], moment(row["since"]), moment(row["until"]), int(row["failures"]))
