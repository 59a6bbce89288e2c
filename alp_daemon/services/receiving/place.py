"""Where an upload stands under its present name: which feed has it, and what it has to wait for before it is due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from alp_daemon.customers import PREFORMATTED, Customer, feed_for, is_temporary
from alp_daemon.errors import UnusableFile
from alp_daemon.store.store import stamp
from alp_daemon.store.uploads import Upload

RENAME_WAIT = timedelta(hours=24)
"""A temporary name. Clients that resume after a night's outage still get to their rename."""
MATCH_WAIT = timedelta(seconds=60)
"""A name that no feed takes. Clients that rename (``upload_1234`` to ``members.csv``) do so directly afterwards."""
RNTO_WAIT = timedelta(seconds=60)
"""RNFR was sent and RNTO was not; only a daemon that died in between gets here."""

SIDECAR_SUFFIX = {"sha256": ".sha256", "done": ".done"}


class WaitsFor(StrEnum):
    """``uploads.waits_for``."""

    rename = "rename"
    match = "match"
    sidecar = "sidecar"
    file = "file"
    """It is a sidecar, and its file has not come yet."""
    pick_up = "pick_up"
    """Its file is on its way from the drop folder into the spool."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an upload stands under its present name: its feed, and what it waits for (``None``: it is due)."""

    feed: str | None
    waits_for: WaitsFor | None = None
    until: datetime | None = None

    def as_row(self) -> dict[str, Any]:
        return {
            "feed": self.feed,
            "waits_for": self.waits_for.value if self.waits_for else None,
            "wait_until": stamp(self.until) if self.until else None,
        }


def place(customer: Customer | None, name: str, folder: str, now: datetime) -> Place:
    """Where an upload that arrives at ``now`` under this name stands.

    Without a customer (its YAML is missing for the moment) nothing can be said of the name: the upload is due with
    no feed, and whoever works the queue holds it until the customer is back.
    """
    if is_temporary(name):
        return Place(None, WaitsFor.rename, now + RENAME_WAIT)
    if customer is None:
        return Place(None)
    if (owner := sidecar_of(customer, name, folder)) is not None:
        feed = feed_for(customer, owner, folder)
        return Place(feed, WaitsFor.file, now + _sidecar_wait(customer, feed))
    feed = feed_for(customer, name, folder)
    if feed is None:
        return Place(None, WaitsFor.match, now + MATCH_WAIT)
    if sidecar_suffix(customer, feed):
        return Place(feed, WaitsFor.sidecar, now + _sidecar_wait(customer, feed))
    return Place(feed)


def feed_of(customer: Customer, upload: Upload) -> str:
    """The feed that takes a received file. One that came while its customer's YAML was missing has none yet.

    Raises ``UnusableFile`` (``no_feed``).
    """
    feed = upload.feed or feed_for(customer, upload.name, upload.folder)
    if feed is None:
        raise UnusableFile("no_feed", no_feed(customer, upload.name))
    return feed


def sidecar_suffix(customer: Customer, feed: str | None) -> str | None:
    """``.sha256`` or ``.done`` where the feed's files come with a sidecar."""
    rules = customer.feeds.get(feed or "")
    return SIDECAR_SUFFIX.get(rules.sidecar) if rules else None


def sidecar_of(customer: Customer, name: str, folder: str) -> str | None:
    """The name of the file that ``name`` is the sidecar of; that file's feed decides."""
    for suffix in SIDECAR_SUFFIX.values():
        owner = name[: -len(suffix)]
        if owner and name.lower().endswith(suffix):
            return owner if sidecar_suffix(customer, feed_for(customer, owner, folder)) == suffix else None
    return None


def no_feed(customer: Customer, name: str) -> str:
    """Why a file whose name no feed takes is rejected, naming the patterns."""
    patterns = ", ".join(f'"{feed.match}" ({key})' for key, feed in customer.feeds.items())
    return f'no feed takes the name "{name}"; expected {patterns}, or the standard format in the folder {PREFORMATTED}/'


def _sidecar_wait(customer: Customer, feed: str | None) -> timedelta:
    rules = customer.feeds.get(feed or "")
    return rules.sidecar_wait if rules else timedelta(0)
