"""Browsers that have signed in: who they are, and for how long."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from alp_daemon import log
from alp_daemon.sections import WebSettings
from alp_daemon.services.logins.access import Login
from alp_daemon.services.logins.credentials import Kind, token_hash
from alp_daemon.store.store import Store, moment, stamp

# A session in use writes at most so often.
_SEEN_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who sits at the browser. ``customer`` is ``credentials.PROVIDER`` for an operator."""

    user: str
    customer: str
    kind: Kind


class Sessions:
    """The sessions of this installation, whichever process they were begun in."""

    def __init__(self, store: Store, settings: WebSettings) -> None:
        self._store = store
        self._idle = settings.session_idle
        self._longest = settings.session_max

    def begin(self, login: Login, now: datetime, replaces: str = "") -> str:
        """A new session; returns the secret that its cookie holds. The one that it ``replaces`` ends."""
        secret = secrets.token_urlsafe(32)
        with self._store.write() as transaction:
            transaction.run("sessions.remove", secret=token_hash(replaces))
            transaction.run("sessions.add", secret=token_hash(secret), user=login.user, now=stamp(now))
        log.info("signed_in", user=login.user, customer=login.customer, kind=str(login.kind))
        return secret

    def find(self, secret: str, now: datetime) -> Visitor | None:
        """Whose session it is; None once it is over, or its log-in revoked."""
        hashed = token_hash(secret)
        with self._store.read() as transaction:
            row = transaction.one("sessions.get", secret=hashed, **self._limits(now))
        if row is None:
            return None
        if moment(row["seen_at"]) + min(_SEEN_EVERY, self._idle / 4) < now:
            with self._store.write() as transaction:
                transaction.run("sessions.seen", secret=hashed, now=stamp(now))
        return Visitor(row["user"], row["customer"], Kind(row["kind"]))

    def end(self, secret: str) -> None:
        with self._store.write() as transaction:
            transaction.run("sessions.remove", secret=token_hash(secret))

    def forget_old(self, now: datetime) -> None:
        with self._store.write() as transaction:
            transaction.run("sessions.prune", **self._limits(now))

    def _limits(self, now: datetime) -> dict[str, str]:
        return {"idle_since": stamp(now - self._idle), "oldest": stamp(now - self._longest)}
