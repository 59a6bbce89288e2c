"""Uploads by what somebody remembers of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, timedelta

from alp_daemon.store import uploads
from alp_daemon.store.store import Store
from alp_daemon.store.uploads import Upload

_EARLIEST, _LATEST = "", "~"  # before and after every stamp


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is known; None is whatever. Days are UTC and belong to the search; ``before`` is the last page's end."""

    customer: str | None = None
    state: str | None = None
    channel: str | None = None
    name: str | None = None
    first_day: date | None = None
    last_day: date | None = None
    before: int | None = None


def find(store: Store, wanted: Wanted, limit: int) -> tuple[list[Upload], int | None]:
    """The newest that fit, newest first, and the ``before`` of the next page; None after the last."""
    values = asdict(wanted)
    first, last = values.pop("first_day"), values.pop("last_day")
    since = first.isoformat() if first else _EARLIEST
    until = (last + timedelta(days=1)).isoformat() if last and last < date.max else _LATEST
    with store.read() as transaction:
        found = uploads.find(transaction, "console.find", **values, since=since, until=until, limit=limit + 1)
    shown = found[:limit]
    return shown, shown[-1].id if len(found) > limit else None
