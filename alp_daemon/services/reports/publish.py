"""Puts finished reports where the customer finds them: the folder ``reports/`` beside its uploads.

The database has the truth. Every node that customers log in to has files of its own, made after an upload's end and
whenever somebody looks; a customer sees the same at each of them. A report's files bear the time of that end, or of
what became known after it (an undo), by which one that is out of date is told.

Who lists the folder finds the reports of three months that a new node has to make; older ones are made for who asks
for one by its name.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from alp_daemon import log
from alp_daemon.files import beneath
from alp_daemon.files.bulkhead import Bulkhead, Hanging
from alp_daemon.files.drop import REPORTS
from alp_daemon.flock import alone_about
from alp_daemon.services.reports import report, reporttext
from alp_daemon.store import uploads
from alp_daemon.store.store import Row, Store, Transaction, moment, stamp

# Nodes' clocks differ, and what a person decides may wait for a writer after its time was taken. For who looks, much of
# that is made up for; a round would go through thousands of reports again, every time.
_LATE, _LATE_IN_A_ROUND = timedelta(hours=1), timedelta(minutes=5)
# What may have ended while nothing ran here.
_LOOK_BACK = timedelta(days=1)
# What a first listing brings.
_LISTED = timedelta(days=92)
# At once: as many as also slow storage answers for in time.
_LOOKS = 10

# Of the files of a report: as stem() makes them.
_NAME = re.compile(r"(\d{6,18})-(.*)\.(?:report\.txt|report\.json|rejects\.csv)", re.DOTALL)


class Reports:
    """The reports of all customers on this node. Safe for several processes at once, and for threads; ``publish`` and
    ``publish_recent`` are for one thread."""

    def __init__(self, store: Store, drop_dir: Path) -> None:
        self._store = store
        self._drop_dir = drop_dir
        # Beside the drop folders and ours alone: whoever may open a folder may lock it, for as long as he likes.
        self._locks = drop_dir.with_name(f"{drop_dir.name}-locks")
        # For what is no customer's own wait: a worker's turn, and the rounds.
        self._bulkhead = Bulkhead()
        self._missed: dict[str, datetime] = {}
        self._looked_to: datetime | None = None
        self._listed_to: dict[str, datetime] = {}

    def bring_up_to_date(self, customer: str, now: datetime) -> int:
        """Writes the reports that the customer's folder lacks, or has as they were before; returns how many.

        Those of what has ended since the last call for the customer.
        """
        since = self._listed_to.get(customer, now - _LISTED)
        with self._store.read() as transaction:
            rows = transaction.all("uploads.reported", customer=customer, since=stamp(since))
            known_to = _known_to(transaction, now)
        # No transaction is open meanwhile: of a folder that hangs nobody knows for how long.
        stale = self._stale(rows)
        written = self._write_all(stale)
        if written == len(stale):
            self._listed_to[customer] = known_to - _LATE
        return written

    def bring(self, customer: str, name: str) -> int:
        """The same for the one file of this name."""
        found = _NAME.fullmatch(name)
        if found is None:
            return 0
        with self._store.read() as transaction:
            row = transaction.one("uploads.reported_one", customer=customer, id=int(found[1]))
        return self._write_all(self._stale([] if row is None else [row]))

    def publish_recent(self, now: datetime) -> int:
        """The same for all customers who have a folder here, and what has ended since the last call.

        A folder that hangs is left out until it answers again.
        """
        since = self._looked_to or now - _LOOK_BACK
        with self._store.read() as transaction:
            ended = _by_customer(transaction.all("uploads.reported_since", since=stamp(since)))
            for customer, then in self._missed.items():
                if self._bulkhead.hangs(customer):
                    ended.pop(customer, None)
                else:
                    ended[customer] = transaction.all("uploads.reported", customer=customer, since=stamp(then))
            known_to = _known_to(transaction, now)
        # No transaction is open meanwhile: many folders may hang, each for seconds.
        written = sum(self._bring_beside(customer, rows, since) for customer, rows in ended.items())
        self._looked_to = known_to - _LATE_IN_A_ROUND
        return written

    def publish(self, customer: str, upload: int) -> None:
        """Writes one report, of an upload that has just ended. Where the customer has no folder nobody looks for it;
        where that hangs, it is the business of ``publish_recent``, or of whoever looks."""
        with suppress(Hanging, OSError):
            if self._bulkhead.run(customer, partial(self._has_folder, customer)):
                self._write_beside(customer, upload)

    def _bring_beside(self, customer: str, ended: list[Row], since: datetime) -> int:
        """Where the customer's folder gives no answer, all since then is looked at when it does."""
        written = 0
        try:
            if self._bulkhead.run(customer, partial(self._has_folder, customer)):
                for start in range(0, len(ended), _LOOKS):
                    some = ended[start : start + _LOOKS]
                    stale = self._bulkhead.run(customer, partial(self._stale, some))
                    written += sum(self._write_beside(customer, row["id"]) for row in stale)
        except (Hanging, OSError) as error:
            if customer not in self._missed:
                log.warning("reports_not_written", customer=customer, error=str(error))
            self._missed.setdefault(customer, since)
        else:
            self._missed.pop(customer, None)
        return written

    def _write_beside(self, customer: str, upload: int) -> bool:
        row = self._row(upload)
        return row is not None and self._bulkhead.run(customer, partial(self._put, row))

    def _has_folder(self, customer: str) -> bool:
        return (self._drop_dir / customer).is_dir()

    def _stale(self, rows: Iterable[Row]) -> list[Row]:
        return [row for row in rows if not self._is_current(row)]

    def _write_all(self, rows: Iterable[Row]) -> int:
        return sum(self._write(row["id"]) for row in rows)

    def _is_current(self, row: Row) -> bool:
        # The last of the files that are written.
        path = self._folder(row["customer"]) / f"{stem(row['id'], row['name'])}.report.json"
        try:
            return path.stat().st_mtime_ns == _nanoseconds(row["told_at"])
        except OSError:
            return False

    def _folder(self, customer: str) -> Path:
        return self._drop_dir / customer / REPORTS

    def _write(self, upload: int) -> bool:
        row = self._row(upload)
        return row is not None and self._put(row)

    def _row(self, upload: int) -> Row | None:
        """None where it was released meanwhile: its report is written at its next end."""
        with self._store.read() as transaction:
            return transaction.one("uploads.with_report", id=upload)

    def _put(self, row: Row) -> bool:
        try:
            with self._alone(row["id"]):
                _write(self._folder(row["customer"]), row)
        except OSError as error:
            log.warning("report_not_written", upload=row["id"], customer=row["customer"], error=error.strerror)
            return False
        return True

    def _alone(self, upload: int) -> AbstractContextManager[None]:
        """Two processes may write the same report at once. With names of their own for what is half written, a crash
        would leave some for ever."""
        return alone_about(str(upload), self._locks)


def _by_customer(rows: Iterable[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["customer"], []).append(row)
    return found


def _known_to(transaction: Transaction, now: datetime) -> datetime:
    """No end before this will come to be known. An upload's end is told by when it was taken up: a file that has been
    in work for long ends in the past."""
    row = transaction.one("uploads.oldest_in_work", now=stamp(now))
    assert row is not None
    return min(now, moment(row["taken_up_at"]))


def stem(upload: int, name: str) -> str:
    """How the files of a report are called: the upload's number, then its name with odd characters left out."""
    return f"{upload:06d}-{re.sub(r'[^A-Za-z0-9._-]', '_', name)[:100]}"


@dataclass(frozen=True, slots=True)
class Published:
    """One file of a report, as far as its name tells: the upload's own may have had other characters."""

    customer: str
    upload: int
    name: str
    file: str
    written_at: datetime


def published(drop_dir: Path) -> Iterator[Published]:
    """Every file of a report that customers find here, also of uploads that the database does not know."""
    for home in sorted(drop_dir.iterdir()) if drop_dir.is_dir() else ():
        with suppress(OSError):  # somebody has put something else in the place of a folder
            for entry in beneath.files(home, REPORTS):
                if found := _NAME.fullmatch(entry.name):
                    at = datetime.fromtimestamp(entry.stat().st_mtime, UTC)
                    yield Published(home.name, int(found[1]), found[2], entry.name, at)


def _write(folder: Path, row: Row) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    content = report.of_upload(uploads.from_row(row), row["json"])
    base, told = stem(row["id"], row["name"]), _nanoseconds(row["told_at"])
    # Not fsynced: what a power cut takes is written anew from the database.
    with beneath.opened(folder.parent, folder.name) as opened:
        if content["rejects_total"]:
            beneath.put(opened, f"{base}.rejects.csv", zlib.decompress(row["rejects"]), told)
        beneath.put(opened, f"{base}.report.txt", reporttext.for_customer(content).encode(), told)
        beneath.put(opened, f"{base}.report.json", json.dumps(content, indent=2, ensure_ascii=False).encode(), told)


def _nanoseconds(at: str) -> int:
    return (moment(at) - _EPOCH) // timedelta(microseconds=1) * 1000


_EPOCH = moment("1970-01-01T00:00:00.000000Z")
