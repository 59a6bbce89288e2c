"""Go-live of a brand: brings its subscribers, and above all those who have unsubscribed, in the form of ``export``."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import numpy as np

from alp_daemon import log
from alp_daemon.customers import Customer, mail_list
from alp_daemon.domain.changes import Changes
from alp_daemon.domain.model import Buckets, Codes, Reject, Rejects, Status, Tags
from alp_daemon.domain.policy import IMPORTS_OF_SUBSCRIBERS
from alp_daemon.domain.subscribers import BLANK, Column, Subscribers
from alp_daemon.domain.tag import BadTag, clean
from alp_daemon.files import operatorcsv
from alp_daemon.files.informz import address
from alp_daemon.files.informz.fields import FieldDefinition
from alp_daemon.services.addresses.importing import Imported
from alp_daemon.services.addresses.statuscolumn import StatusColumn
from alp_daemon.services.addresses.subscribers import EXPORT_HEADER, attribute_name
from alp_daemon.services.processing import bulkupload
from alp_daemon.store import lists, subscribers
from alp_daemon.store.lists import Change, ListHead
from alp_daemon.store.store import Store, Transaction, stamp

NO_UPLOAD = 0

# Brought along whatever else is wrong with their row.
_OUT = (Status.opted_out, Status.unsubscribed)


@dataclass(frozen=True, slots=True)
class _Row:
    interests: Tags
    attributes: dict[str, str]


@dataclass(slots=True)
class _Parsed:
    rows: dict[Status, dict[str, _Row]] = field(default_factory=lambda: defaultdict(dict))
    read: int = 0
    rejects: Rejects = field(default_factory=Rejects)


def import_subscribers(store: Store, customer: Customer, path: Path, by: str, now: datetime) -> Imported:
    """Merges a file in the form of ``export`` into the brand's list, in one transaction; makes its interests.

    Who has unsubscribed or opted out on either side stays so. Attributes are brought along as texts.
    Raises ``UnusableFile`` where a needed column is missing, or a status is unknown.
    """
    parsed = _parse(path)
    changes = Changes()
    with store.write() as transaction:
        head = lists.create_list(transaction, mail_list(customer.id), now)
        for interest in sorted(
            {each for rows in parsed.rows.values() for row in rows.values() for each in row.interests}
        ):
            subscribers.add_interest(transaction, head, interest, by, now)
        for status, rows in sorted(parsed.rows.items()):
            head, done = _merge(transaction, head, status, rows, Change(stamp(now), by, "import", "cli"))
            changes += done
        transaction.run("lists.mark_imported", list=head.id, now=stamp(now), by=by)
    log.info("imported", customer=customer.id, by=by, rows=parsed.read, rejects=parsed.rejects.total)
    return Imported(parsed.read, changes, parsed.rejects)


def is_of_subscribers(path: Path) -> bool:
    """Whether the file has the first column of a brand's export."""
    with operatorcsv.opened(path) as file:
        return EXPORT_HEADER[0] in next(csv.reader(file), ())


def _merge(
    transaction: Transaction, head: ListHead, status: Status, rows: dict[str, _Row], change: Change
) -> tuple[ListHead, Changes]:
    said = _said(rows)
    state, sets = lists.read_state(transaction, head), lists.read_tag_sets(transaction, head)
    found = bulkupload.subscribed(transaction, head, state, said, IMPORTS_OF_SUBSCRIBERS[status])
    plan = bulkupload.plan_of(state, found, IMPORTS_OF_SUBSCRIBERS[status], sets, feed_bit=0)
    fields = [FieldDefinition(column.name, place) for place, column in enumerate(said.columns)]
    bulkupload.keep(transaction, head, found, plan, said, fields, NO_UPLOAD)
    return lists.write_plan(transaction, head, plan, sets, change), plan.changes


def _said(rows: dict[str, _Row]) -> Subscribers:
    sets = sorted({row.interests for row in rows.values()})
    places = {tags: place for place, tags in enumerate(sets)}
    names = sorted({name for row in rows.values() for name in row.attributes})
    return Subscribers(
        list(rows),
        _codes(places[row.interests] for row in rows.values()),
        sets,
        tuple(_column(name, [row.attributes.get(name, "") for row in rows.values()]) for name in names),
        (),
        {},
        Buckets(),
        Rejects(),
    )


def _column(name: str, texts: list[str]) -> Column:
    places = {"": BLANK}
    codes = _codes(places.setdefault(text, len(places)) for text in texts)
    return Column(name, list(places), codes)


def _codes(codes: Iterable[int]) -> Codes:
    return np.fromiter(codes, np.int32)


def _parse(path: Path) -> _Parsed:
    parsed = _Parsed()
    described = (
        f"an import of subscribers has the columns of `alp-daemon export`: {', '.join(EXPORT_HEADER)},"
        " and then attributes"
    )
    statuses = StatusColumn(IMPORTS_OF_SUBSCRIBERS)
    for number, row in operatorcsv.rows(path, EXPORT_HEADER, described):
        _parse_row(parsed, statuses, number, row)
    statuses.check(path)
    return parsed


def _parse_row(parsed: _Parsed, statuses: StatusColumn, number: int, row: dict[str, str | None]) -> None:
    parsed.read += 1
    text = row.pop("email") or ""
    status = statuses.read(number, row.pop("status"), text, parsed.rejects)
    if status is None:
        return
    found = address.parse(text)
    if found is None:
        parsed.rejects.add(Reject(number, "email", text, "bad_email"))
        return
    interests = row.pop("interests") or ""
    cleaned = [clean(part) for part in interests.split(";") if part.strip()]
    if any(isinstance(interest, BadTag) for interest in cleaned):
        parsed.rejects.add(Reject(number, "interests", interests, "bad_tag"))
        if status not in _OUT:
            return
    sound = {str(each) for each in cleaned if not isinstance(each, BadTag)}
    attributes = {attribute_name(title): cell.strip() for title, cell in row.items() if title and cell and cell.strip()}
    parsed.rows[status][found] = _Row(tuple(sorted(sound)), attributes)
