"""A file that never came: the failure that nobody reports. One alarm for a missed slot, and one word when it ends.

What is expected stands in the customer's file (``expect:``); when a slot is, ``domain/expectation.py`` says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from alp_daemon import log
from alp_daemon.customers import Customer, Expect
from alp_daemon.domain.expectation import due_slot, opening
from alp_daemon.services.alarms import alarmmail
from alp_daemon.services.receiving.place import sidecar_of
from alp_daemon.settings import Settings
from alp_daemon.store.store import Row, Store, Transaction, moment, stamp

Customers = Mapping[str, Customer]
Key = tuple[str, str]
"""A customer's id and the name of its feed."""

# Nodes whose customers' files differ each have their word, as long as they go on saying it.
SEEN_EVERY = timedelta(minutes=10)
FORGOTTEN_AFTER = 3 * SEEN_EVERY


@dataclass(frozen=True, slots=True)
class _Expected:
    """A feed whose file is expected by a certain time."""

    customer: Customer
    feed: str
    expect: Expect

    @property
    def key(self) -> Key:
        return self.customer.id, self.feed

    @property
    def schedule(self) -> str:
        return self.expect.schedule(self.customer.timezone)

    @property
    def row(self) -> dict[str, str]:
        """What it is known by in the database."""
        return {"customer": self.customer.id, "feed": self.feed, "schedule": self.schedule}

    def slot(self, now: datetime) -> _Slot:
        zone = ZoneInfo(self.customer.timezone)
        rule = self.expect.expectation()
        at = due_slot(rule, zone, now)
        return _Slot(self, at, opening(rule, zone, at))


@dataclass(frozen=True, slots=True)
class _Slot:
    """A time by which a file was due, and since when one counted for it."""

    of: _Expected
    at: datetime
    since: datetime

    def judged(self, transaction: Transaction) -> None:
        """It need not be looked at again."""
        transaction.run("expectations.judged", **self.of.row, slot=stamp(self.at))


def watch(store: Store, settings: Settings, customers: Customers, now: datetime) -> None:
    """Raises an alarm for each feed whose newest slot has passed without a file, and ends those whose file has come.

    May be called at any time, again, and on several nodes at once: each alarm is raised once and ended once. Slots
    before a feed was approved, or before it expected anything, are nobody's.
    """
    expected = {each.key: each for each in _all_expected(customers.values())}
    _remember(store, customers, expected, now)
    _raise_missed(store, settings, expected, now)
    _end_over(store, settings, customers, expected, now)


def _all_expected(customers: Iterable[Customer]) -> Iterator[_Expected]:
    for customer in customers:
        for name, feed in customer.feeds.items():
            if feed.expect is not None:
                yield _Expected(customer, name, feed.expect)


def _remember(store: Store, customers: Customers, expected: Mapping[Key, _Expected], now: datetime) -> None:
    """Keeps since when which file is expected, and forgets what is not expected any more."""
    with store.read() as transaction:
        known = transaction.all("expectations.all")
        approved = {_key(row) for row in transaction.all("expectations.approved")}
    ours = [row for row in known if _meant(row, expected)]
    recent = {_key(row) for row in ours if row["seen_at"] >= stamp(now - SEEN_EVERY)}
    seen = [each for key, each in expected.items() if key in approved and key not in recent]
    seen_before = stamp(now - FORGOTTEN_AFTER)
    # A customer whose file is missing at the moment may come back as it was.
    old = [row for row in known if row["seen_at"] < seen_before and row["customer"] in customers]
    gone = [row for row in old if not _meant(row, expected)]
    if not seen and not gone:
        return  # the usual minute: no write lock is taken
    with store.write() as transaction:
        for each in seen:
            transaction.run("expectations.seen", **each.row, now=stamp(now))
        for row in gone:
            named = {name: row[name] for name in ("customer", "feed", "schedule")}
            transaction.run("expectations.forget", **named, seen_before=seen_before)


def _key(row: Row) -> Key:
    return row["customer"], row["feed"]


def _meant(row: Row, expected: Mapping[Key, _Expected]) -> _Expected | None:
    """What this node expects, if it is the same as that of a row: another node may have another version of a file."""
    each = expected.get(_key(row))
    return each if each is not None and each.schedule == row["schedule"] else None


def _raise_missed(store: Store, settings: Settings, expected: Mapping[Key, _Expected], now: datetime) -> None:
    with store.read() as transaction:
        slots = list(_unjudged(transaction, expected, now))
        missed = [slot for slot in slots if _file_for(transaction, slot) is None]
    if not slots:
        return
    with store.write() as transaction:
        raised = [slot for slot in missed if _raise(transaction, settings, slot, now)]
        for slot in slots:
            slot.judged(transaction)
    for slot in raised:
        log.warning("upload_overdue", customer=slot.of.customer.id, feed=slot.of.feed, slot=stamp(slot.at))


def _unjudged(transaction: Transaction, expected: Mapping[Key, _Expected], now: datetime) -> Iterator[_Slot]:
    """The newest slot of each feed, where nobody has looked yet whether a file came for it."""
    for row in transaction.all("expectations.all"):
        each = _meant(row, expected)
        if each is not None and stamp((slot := each.slot(now)).at) > row["judged_until"]:
            yield slot


def _raise(transaction: Transaction, settings: Settings, slot: _Slot, now: datetime) -> bool:
    """Whether the alarm is this one's: the file has not come meanwhile, and nobody else was quicker."""
    customer, feed = slot.of.customer, slot.of.feed
    if _file_for(transaction, slot) is not None:
        return False
    alarm = {"customer": customer.id, "feed": feed, "slot": stamp(slot.at), "since": stamp(slot.since)}
    if not transaction.run("alarms.raise", **alarm, now=stamp(now)):
        return False
    newest = transaction.one("alarms.newest", customer=customer.id, feed=feed)
    alarmmail.tell_of_missed(transaction, settings, customer, feed, slot.at, newest, now)
    return True


def _end_over(
    store: Store,
    settings: Settings,
    customers: Customers,
    expected: Mapping[Key, _Expected],
    now: datetime,
) -> None:
    """Ends alarms whose file has come, and without a mail those of feeds that expect nothing any more."""
    with store.read() as transaction:
        over = list(_over(transaction, customers, expected))
    if not over:
        return
    with store.write() as transaction:
        ended = [(alarm, upload) for alarm, upload in over if _end(transaction, alarm, upload, now)]
        # Of several missed slots one word is enough; the newest slot stands last.
        came = {(alarm["customer"], alarm["feed"]): (alarm, file) for alarm, file in ended if file}
        for (id_, feed), (alarm, file) in came.items():
            alarmmail.tell_of_arrival(transaction, settings, customers[id_], feed, alarm, file, now)
    for alarm, upload in ended:
        log.info("alarm_ended", **_named(alarm), upload=upload["id"] if upload else None)


def _over(
    transaction: Transaction, customers: Customers, expected: Mapping[Key, _Expected]
) -> Iterator[tuple[Row, Row | None]]:
    """Open alarms that are to end, with the file that came."""
    wanted = expected.keys() | {_key(row) for row in transaction.all("expectations.all")}
    for alarm in transaction.all("alarms.open"):
        customer = customers.get(alarm["customer"])
        if customer is None:
            continue  # its file is missing at the moment
        if _key(alarm) not in wanted:
            yield alarm, None
        elif upload := _came(transaction, customer, alarm["feed"], moment(alarm["since"])):
            yield alarm, upload


def _end(transaction: Transaction, alarm: Row, upload: Row | None, now: datetime) -> bool:
    """Whether it was still open: another node may have ended it, and told of it."""
    return bool(transaction.run("alarms.end", **_named(alarm), upload=upload["id"] if upload else None, now=stamp(now)))


def _named(alarm: Row) -> dict[str, str]:
    return {name: alarm[name] for name in ("customer", "feed", "slot")}


def _file_for(transaction: Transaction, slot: _Slot) -> Row | None:
    return _came(transaction, slot.of.customer, slot.of.feed, slot.since)


def _came(transaction: Transaction, customer: Customer, feed: str, since: datetime) -> Row | None:
    """The first file of a feed after a time; a sidecar alone is none."""
    rows = transaction.all("alarms.came", customer=customer.id, feed=feed, since=stamp(since))
    return next((row for row in rows if sidecar_of(customer, row["name"], row["folder"]) is None), None)
