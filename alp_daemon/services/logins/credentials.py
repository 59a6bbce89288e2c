"""Log-ins: issued once, shown once, kept as a hash."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import count

import argon2

from alp_daemon import log
from alp_daemon.errors import UsageProblem
from alp_daemon.store.store import Store, Transaction, moment, stamp

# The second of the settings that OWASP's Password Storage Cheat Sheet calls equal: 19 MiB, t=2, p=1 (argon2id).
# Some 25 ms; argon2-cffi's default profile (RFC 9106, low memory) takes 110.
HASHER = argon2.PasswordHasher(memory_cost=19 * 1024, time_cost=2, parallelism=1)

# Crockford's base 32: no i, l, o, u, so that a password survives being read out. 28 × 5 = 140 bits.
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_GROUPS, _GROUP = 7, 4
# 26 × 5 = 130 bits: nobody guesses one, so a fast hash will do. The beginning lets scanners find a leaked one.
_TOKEN_START, _TOKEN_LENGTH = "alp_", 26
_OPERATOR = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")

PROVIDER = ""
"""Whose log-ins are no customer's: operators' and gateways'."""


class Kind(StrEnum):
    """What a log-in opens."""

    ftp = "ftp"
    uploader = "uploader"
    admin = "admin"
    api = "api"
    informz = "informz"
    operator = "operator"
    gateway = "gateway"

    @property
    def is_token(self) -> bool:
        """A program's secret, which it sends with every call; the others are a user's password."""
        return self in (Kind.api, Kind.gateway)

    @property
    def is_of_customer(self) -> bool:
        return self not in (Kind.operator, Kind.gateway)


SIGNS_IN = (Kind.uploader, Kind.admin, Kind.operator)
"""Who signs in with a browser."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A new log-in. The password (for a kind that is a token, the token) exists nowhere else and is shown once."""

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
    revoked_by: str | None
    """None also where it was revoked before this was kept."""


@dataclass(frozen=True, slots=True)
class Bearer:
    """Whose token it is. ``customer`` is ``PROVIDER`` for a gateway."""

    user: str
    customer: str
    kind: Kind


class Credentials:
    """Issues, lists and revokes log-ins, and knows tokens. ``customer`` is ``PROVIDER`` for those of no customer."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def issue(self, customer: str, kind: str, by: str, now: datetime, *, name: str = "") -> Issued:
        """A new log-in beside those there are; ``name`` is the operator's.

        Users are called ``acme``, ``acme-2``, … for FTP, else ``acme-uploader``, ``acme-api-2`` and so on, or by the
        operator's name. None is ever used again but that of a brand's user (``name`` too, see
        ``bulkrequest.issue_login``). Raises ``UsageProblem`` for an unknown kind, an unusable name, or one of a
        brand's user that is taken.
        """
        if kind not in set(Kind):
            raise UsageProblem(f"credentials for {kind!r}: expected one of {', '.join(Kind)}")
        new = _New(customer, Kind(kind), _user(customer, Kind(kind), name))
        with self._store.write() as transaction:
            transaction.lock("credentials")
            issued = new.issue(transaction, by, now)
        log.info("credentials_issued", customer=customer, kind=str(kind), user=issued.user, by=by)
        return issued

    def issue_first(self, customer: str, kind: Kind, by: str, now: datetime) -> Issued | None:
        """As ``issue``; None where the customer has a live log-in of this kind, also one that was issued just now."""
        with self._store.read() as transaction:
            if _has_live(transaction, customer, kind):
                return None  # the usual case: no password is hashed
        new = _New(customer, kind, _user(customer, kind, ""))
        with self._store.write() as transaction:
            transaction.lock("credentials")
            if _has_live(transaction, customer, kind):
                return None
            issued = new.issue(transaction, by, now)
        log.info("credentials_issued", customer=customer, kind=str(kind), user=issued.user, by=by)
        return issued

    def revoke(self, customer: str, user: str, by: str, now: datetime, *, only: Kind | None = None) -> bool:
        """``False`` when the customer has no such live log-in, of the ``only`` kind that who revokes it may touch.

        FTP sessions already open go on; browsers are signed out.
        """
        with self._store.write() as transaction:
            revoked = transaction.run(
                "credentials.revoke", customer=customer, user=user, kind=only, by=by, now=stamp(now)
            )
        if revoked:
            log.info("credentials_revoked", customer=customer, user=user, by=by)
        return revoked > 0

    def list(self, customer: str) -> list[Credential]:
        """Live and revoked log-ins, oldest first."""
        with self._store.read() as transaction:
            return [_credential(row) for row in transaction.all("credentials.list", customer=customer)]

    def of_token(self, token: str) -> Bearer | None:
        """Whose live token this is."""
        # Found by its hash, so that how long the search takes tells nothing about the token.
        with self._store.read() as transaction:
            row = transaction.one("credentials.of_token", secret=token_hash(token))
        return Bearer(row["user"], row["customer"], Kind(row["kind"])) if row else None


class _New:
    """A log-in to be issued. Its password is hashed before the transaction: that takes long."""

    def __init__(self, customer: str, kind: Kind, wanted: str) -> None:
        self._customer = customer
        self._kind = kind
        self._wanted = wanted
        self._password = _token() if kind.is_token else _password()
        self._secret = token_hash(self._password) if kind.is_token else HASHER.hash(self._password)

    def issue(self, transaction: Transaction, by: str, now: datetime) -> Issued:
        """For who has locked the credentials."""
        row = transaction.one("credentials.next_id", customer=self._customer)
        assert row is not None
        named = _taken if self._kind is Kind.informz else _free
        user = named(transaction, self._customer, self._wanted)
        transaction.run(
            "credentials.add",
            customer=self._customer,
            id=row["id"],
            kind=self._kind,
            user=user,
            secret=self._secret,
            now=stamp(now),
            by=by,
        )
        return Issued(user, self._password)


def token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _password() -> str:
    return "-".join(_signs(_GROUP) for _ in range(_GROUPS))


def _token() -> str:
    return _TOKEN_START + _signs(_TOKEN_LENGTH)


def _signs(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _user(customer: str, kind: Kind, name: str) -> str:
    if kind.is_of_customer != bool(customer):
        raise UsageProblem(f"credentials for {kind}: expected {'a customer' if kind.is_of_customer else 'no customer'}")
    if kind is Kind.operator:
        if not _OPERATOR.fullmatch(name):
            raise UsageProblem(f"operator {name!r}: expected a name of small letters, digits, and . - _ within it")
        return name
    if kind is Kind.informz:
        if not name:
            raise UsageProblem(f"credentials for {kind}: expected the name of one of the brand's users")
        return name
    if kind is Kind.gateway:
        return str(kind)
    return customer if kind is Kind.ftp else f"{customer}-{kind}"


def _taken(transaction: Transaction, customer: str, wanted: str) -> str:
    """The name of a brand's user: what requests call it, also after its log-in was revoked and issued anew."""
    if transaction.one("credentials.name_taken", customer=customer, user=wanted) is not None:
        raise UsageProblem(
            f"there is a log-in {wanted} already: revoke it first, or give the brand an id that no other customer's has"
        )
    return wanted


def _has_live(transaction: Transaction, customer: str, kind: Kind) -> bool:
    row = transaction.one("credentials.has_live", customer=customer, kind=kind)
    return bool(row and row["n"])


def _free(transaction: Transaction, _customer: str, wanted: str) -> str:
    # Another customer may be called `acme-2`: its log-in must not be taken from it, nor given to acme.
    for number in count(1):
        user = wanted if number == 1 else f"{wanted}-{number}"
        if transaction.one("credentials.user_taken", user=user) is None:
            return user
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
        revoked_by=row["revoked_by"],
    )
