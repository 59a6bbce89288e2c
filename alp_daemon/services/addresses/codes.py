"""Who is texted at a code, whatever state the customers' files are in.

A STOP asks nothing of a customer's file but codes, keyword and name, and must not be lost while the file is broken
when a daemon starts, or while a node has not read it yet. So each sound file that any node reads is noted in the
database, and a text reaches whom this node knows together with whom the database knows.

A customer gives up a code by a sound file without it. That its file goes is not enough: its list is still there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime

from alp_daemon.customers import Customer
from alp_daemon.registry import CustomerStatus, Registry
from alp_daemon.store.store import Row, Store, Transaction

_GONE = {CustomerStatus.missing, CustomerStatus.unknown}


@dataclass(frozen=True, slots=True)
class Addressee:
    """A customer as a text needs it, and an opt-out by other ways."""

    id: str
    name: str
    keyword: str
    region: str
    brand: str | None
    """What requests call its brand, where it has one."""


@dataclass(frozen=True, slots=True)
class Sharing:
    """Who has a code, by id. It may be ``unread`` customers' too: they have a list, and codes that nobody knows."""

    known: tuple[Addressee, ...]
    unread: tuple[str, ...]
    gone: frozenset[str]
    """Who of the known has no file any more. They text nobody, and yet their lists are there."""


def addressee(customer: Customer) -> Addressee:
    brand = customer.brand.id if customer.brand else None
    return Addressee(customer.id, customer.name, customer.keyword, customer.region, brand)


def remember(store: Store, customers: Iterable[Customer]) -> None:
    """Notes what sound files say. It is called for all that were read, and seldom finds anything to write."""
    with store.read() as transaction:
        noted = _noted(transaction)
    news = [each for each in customers if noted.get(each.id) != (addressee(each), frozenset(each.codes))]
    if not news:
        return
    with store.write() as transaction:
        transaction.lock("codes")
        transaction.many("addressees.put", [asdict(addressee(each)) for each in news])
        transaction.many("codes.clear", [{"customer": each.id} for each in news])
        codes = [{"customer": each.id, "code": code} for each in news for code in sorted(set(each.codes))]
        transaction.many("codes.add", codes)


def known(store: Store, customer: str) -> Addressee | None:
    """The customer of this id as its last sound file had it; None where no daemon of this database has read one."""
    with store.read() as transaction:
        row = transaction.one("addressees.get", customer=customer)
    return Addressee(**row) if row else None


def of_brand(store: Store, id_: str) -> str | None:
    """The customer that had a brand by its last sound file, found by the brand's id or by its own.

    None where nobody had, or more than one: it has moved from one to the other, and nobody is guessed.
    """
    with store.read() as transaction:
        owners = transaction.all("addressees.of_brand", id=id_)
    return str(owners[0]["customer"]) if len(owners) == 1 else None


def sharing(store: Store, registry: Registry, code: str, now: datetime) -> Sharing:
    """Everybody who has this code, written with or without its plus. What this node has read counts first."""
    code = code.strip().removeprefix("+")
    loaded = {each.id: addressee(each) for each in registry.all().values() if code in each.codes}
    with store.read() as transaction:
        noted = _addressees(transaction.all("addressees.of_code", code=code))
        unread = _unread(transaction, registry)
    return _sharing(noted | loaded, unread, registry, now)


def anybody(store: Store, registry: Registry, now: datetime) -> Sharing:
    """The same of whoever has any code or none: who may have been meant by one that nobody has."""
    loaded = {each.id: addressee(each) for each in registry.all().values()}
    with store.read() as transaction:
        noted = _addressees(transaction.all("addressees.all"))
        unread = _unread(transaction, registry)
    return _sharing(noted | loaded, unread, registry, now)


def _sharing(having: dict[str, Addressee], unread: Iterable[str], registry: Registry, now: datetime) -> Sharing:
    gone = frozenset(id_ for id_ in having if registry.status(id_, now) in _GONE)
    return Sharing(tuple(having[id_] for id_ in sorted(having)), tuple(sorted(unread)), gone)


def _noted(transaction: Transaction) -> dict[str, tuple[Addressee, frozenset[str]]]:
    codes: defaultdict[str, set[str]] = defaultdict(set)
    for row in transaction.all("codes.all"):
        codes[row["customer"]].add(row["code"])
    noted = _addressees(transaction.all("addressees.all"))
    return {id_: (each, frozenset(codes[id_])) for id_, each in noted.items()}


def _addressees(rows: Iterable[Row]) -> dict[str, Addressee]:
    return {row["id"]: Addressee(**row) for row in rows}


def _unread(transaction: Transaction, registry: Registry) -> set[str]:
    unusable = set(registry.unusable())
    return unusable & {row["customer"] for row in transaction.all("addressees.unread")} if unusable else unusable
