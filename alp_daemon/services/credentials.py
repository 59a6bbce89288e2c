"""Log-ins of customers: issued once, shown once, kept as a hash."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import count

import argon2

from alp_daemon.errors import UsageProblem
from alp_daemon.store.store import Store, Transaction, moment, stamp

# The second of the settings that OWASP's Password Storage Cheat Sheet calls equal: 19 MiB, t=2, p=1 (argon2id).
# Some 25 ms; argon2-cffi's default profile (RFC 9106, low memory) takes 110.
HASHER = argon2.PasswordHasher(memory_cost=19 * 1024, time_cost=2, parallelism=1)

# Crockford's base 32: no i, l, o, u, so that a password survives being read out. 28 × 5 = 140 bits.
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_GROUPS, _GROUP = 7, 4


@dataclass(frozen=True, slots=True)
class Issued:
    """A new log-in. The password exists nowhere else: it cannot be shown again."""

    user: str
    password: str


@dataclass(frozen=True, slots=True)
class Credential:
    customer: str
    kind: str
    user: str
    issued_at: datetime
    issued_by: str
    revoked_at: datetime | None


class Credentials:
    """Issues, lists and revokes log-ins. ``kind`` is the channel they open: ``ftp``."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def issue(self, customer: str, kind: str, by: str, now: datetime) -> Issued:
        """A new log-in beside those there are. Users are called ``acme``, ``acme-2``, … and never used again."""
        if kind != "ftp":
            raise UsageProblem(f"credentials for {kind!r}: expected ftp")
        password = _password()
        secret = HASHER.hash(password)
        with self._store.write() as transaction:
            number, user = _free_user(transaction, customer)
            transaction.run(
                "credentials.add",
                customer=customer,
                id=number,
                kind=kind,
                user=user,
                secret=secret,
                now=stamp(now),
                by=by,
            )
        return Issued(user, password)

    def revoke(self, customer: str, user: str, now: datetime) -> bool:
        """``False`` when the customer has no such live log-in. Sessions already open go on."""
        with self._store.write() as transaction:
            return transaction.run("credentials.revoke", customer=customer, user=user, now=stamp(now)) > 0

    def list(self, customer: str) -> list[Credential]:
        """Live and revoked log-ins, oldest first."""
        with self._store.read() as transaction:
            return [_credential(row) for row in transaction.all("credentials.list", customer=customer)]


def _password() -> str:
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))


def _free_user(transaction: Transaction, customer: str) -> tuple[int, str]:
    # Another customer may be called `acme-2`: its log-in must not be taken from it, nor given to acme.
    row = transaction.one("credentials.next_id", customer=customer)
    assert row is not None
    for number in count(row["id"]):
        user = customer if number == 1 else f"{customer}-{number}"
        if transaction.one("credentials.user_taken", user=user) is None:
            return number, user
    raise AssertionError("count() does not end")


def _credential(row: Mapping[str, str]) -> Credential:
    revoked_at = row["revoked_at"]
    return Credential(
        customer=row["customer"],
        kind=row["kind"],
        user=row["user"],
        issued_at=moment(row["issued_at"]),
        issued_by=row["issued_by"],
        revoked_at=moment(revoked_at) if revoked_at else None,
    )
