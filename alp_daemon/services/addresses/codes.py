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

from alp_daemon.customers import Customer
from alp_daemon.registry import Registry
from alp_daemon.store.store import Store, Transaction


@dataclass(frozen=True, slots=True)
class Addressee:
    """A customer as a text needs it, and an opt-out by other ways."""

    id: str
    name: str
    keyword: str
    region: str


@dataclass(frozen=True, slots=True)
class Sharing:
    """Who has a code, by id. It may be ``unread`` customers' too: they have a list, and codes that nobody knows."""

    known: tuple[Addressee, ...]
    unread: tuple[str, ...]


def addressee(customer: Customer) -> Addressee:
    return Addressee(customer.id, customer.name, customer.keyword, customer.region)


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


def sharing(store: Store, registry: Registry, code: str) -> Sharing:
    """Everybody who has this code, written with or without its plus. What this node has read counts first."""
    code = code.strip().removeprefix("+")
    loaded = {each.id: addressee(each) for each in registry.all().values() if code in each.codes}
    unusable = set(registry.unusable())
    with store.read() as transaction:
        noted = {row["id"]: Addressee(**row) for row in transaction.all("addressees.of_code", code=code)}
        unread = unusable & _unread(transaction) if unusable else set()
    having = noted | loaded
    return Sharing(tuple(having[id_] for id_ in sorted(having)), tuple(sorted(unread)))


def _noted(transaction: Transaction) -> dict[str, tuple[Addressee, frozenset[str]]]:
    codes: defaultdict[str, set[str]] = defaultdict(set)
    for row in transaction.all("codes.all"):
        codes[row["customer"]].add(row["code"])
    rows = transaction.all("addressees.all")
    return {row["id"]: (Addressee(**row), frozenset(codes[row["id"]])) for row in rows}


def _unread(transaction: Transaction) -> set[str]:
    return {row["customer"] for row in transaction.all("addressees.unread")}
