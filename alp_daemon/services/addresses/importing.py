"""Go-live: brings an existing list, and above all its opt-outs, before the first upload can text anybody."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np

from alp_daemon import log
from alp_daemon.customers import Customer
from alp_daemon.domain import phone, senders
from alp_daemon.domain.changes import Changes
from alp_daemon.domain.model import Listed, Reject, Rejects, Status, Tags
from alp_daemon.domain.plan import make_plan
from alp_daemon.domain.policy import IMPORTS
from alp_daemon.domain.tag import BadTag, clean
from alp_daemon.files import operatorcsv
from alp_daemon.services.addresses.history import EXPORT_HEADER
from alp_daemon.services.addresses.statuscolumn import StatusColumn
from alp_daemon.store import lists
from alp_daemon.store.lists import Change, ListHead
from alp_daemon.store.store import Store, Transaction, stamp

# Beside the columns of `export`; both end up in the history of the number.
OPTIONAL_COLUMNS = ("source", "consent_date")


@dataclass(frozen=True, slots=True, order=True)
class _Origin:
    """What rows share that become one change: the status, and where and when the consent came from."""

    status: Status
    source: str
    consent_date: str

    @property
    def note(self) -> str:
        parts = [f"source: {self.source}" if self.source else "", f"consent: {self.consent_date}"]
        return "; ".join(part for part in parts if not part.endswith(": ") and part)


@dataclass(slots=True)
class _Parsed:
    rows: dict[_Origin, dict[int, set[str]]] = field(default_factory=lambda: defaultdict(dict))
    read: int = 0
    rejects: Rejects = field(default_factory=Rejects)


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did. A row with a fault changes nothing, unless it opts out: that stands whatever else is wrong.

    ``rejects`` are the cells with faults, also those of such rows.
    """

    read: int
    changes: Changes
    rejects: Rejects

    def as_dict(self) -> dict[str, Any]:
        return {
            "rows": self.read,
            "changes": self.changes.as_dict(),
            "rejects": [each._asdict() for each in self.rejects.kept[:100]],
            "rejects_total": self.rejects.total,
        }


def import_list(store: Store, customer: Customer, path: Path, by: str, now: datetime) -> Imported:
    """Reads a file in the form of ``export`` and merges it into the list, in one transaction.

    An opt-out on either side wins. Raises ``UnusableFile`` where a needed column is missing, or a status is unknown.
    """
    parsed = _parse(path, customer.region)
    changes = Changes()
    with store.write() as transaction:
        head = lists.create_list(transaction, customer.id, now)
        for origin, addresses in sorted(parsed.rows.items()):
            change = Change(stamp(now), by, "import", "cli", note=origin.note)
            head, done = _merge(transaction, head, origin.status, addresses, change)
            changes += done
        transaction.run("lists.mark_imported", list=head.id, now=stamp(now), by=by)
    log.info("imported", customer=customer.id, by=by, rows=parsed.read, rejects=parsed.rejects.total)
    return Imported(parsed.read, changes, parsed.rejects)


def starts_empty(store: Store, customer: Customer, by: str, now: datetime) -> None:
    """Says that there is no earlier list to bring along, so that ``doctor`` no longer asks for it."""
    with store.write() as transaction:
        head = lists.create_list(transaction, customer.id, now)
        transaction.run("lists.mark_imported", list=head.id, now=stamp(now), by=f"{by} (starts empty)")


def _merge(
    transaction: Transaction, head: ListHead, status: Status, addresses: dict[int, set[str]], change: Change
) -> tuple[ListHead, Changes]:
    keys = np.array(sorted(addresses), np.int64)
    sets = lists.read_tag_sets(transaction, head)
    tags: list[Tags] = [tuple(sorted(addresses[key])) for key in keys.tolist()]
    listed = Listed(keys, np.arange(len(keys), dtype=np.int32), tags)
    plan = make_plan(lists.read_state(transaction, head, keys), listed, IMPORTS[status], sets)
    return lists.write_plan(transaction, head, plan, sets, change), plan.changes


def _parse(path: Path, region: str) -> _Parsed:
    parsed = _Parsed()
    described = (
        f"an import has the columns of `alp-daemon export`: {', '.join(EXPORT_HEADER)},"
        f" and if known {', '.join(OPTIONAL_COLUMNS)}"
    )
    statuses = StatusColumn(IMPORTS)
    for number, row in operatorcsv.rows(path, EXPORT_HEADER, described):
        _parse_row(parsed, statuses, number, row, region)
    statuses.check(path)
    return parsed


def _parse_row(parsed: _Parsed, statuses: StatusColumn, number: int, row: dict[str, str | None], region: str) -> None:
    parsed.read += 1
    text = row["number"] or ""
    status = statuses.read(number, row["status"], text, parsed.rejects)
    if status is None:
        return
    # Who has opted out by a message may have a number that no list would take in.
    read = senders.parse if status is Status.opted_out else phone.parse
    key = read(text, region)
    if isinstance(key, str):
        parsed.rejects.add(Reject(number, "number", text, key))
        return
    tags = [clean(part) for part in (row["tags"] or "").split(";") if part.strip()]
    consent = (row.get("consent_date") or "").strip()[:10]
    faults = list(_faults(number, row, tags, consent))
    for fault in faults:
        parsed.rejects.add(fault)
    if faults and status is not Status.opted_out:
        return
    origin = _Origin(status, (row.get("source") or "").strip()[:200], consent if _is_date(consent) else "")
    sound = {str(tag) for tag in tags if not isinstance(tag, BadTag)}
    parsed.rows[origin].setdefault(key, set()).update(sound)


def _faults(number: int, row: dict[str, str | None], tags: list[str | BadTag], consent: str) -> Iterator[Reject]:
    if any(isinstance(tag, BadTag) for tag in tags):
        yield Reject(number, "tags", row["tags"] or "", "bad_tag")
    if consent and not _is_date(consent):
        yield Reject(number, "consent_date", consent, "bad_date")


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
