"""One file as it arrives: who sent it, under which name, and what is known of it before anybody has read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alp_daemon import log
from alp_daemon.domain.model import Evidence
from alp_daemon.services.place import Place
from alp_daemon.store.store import Transaction, stamp


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sent a file: the channel, the log-in or operator, the address, and the FTP session."""

    channel: str
    actor: str
    ip: str = ""
    session: str = ""


@dataclass(frozen=True, slots=True)
class Arrival:
    """What the record of a new upload holds. ``folder`` is the one below the customer's own, "" for that itself."""

    customer: str
    name: str
    folder: str
    sender: Sender
    now: datetime
    place: Place
    evidence: Evidence | None
    note: str = ""
    sha256: str | None = None

    @property
    def is_due(self) -> bool:
        return self.evidence is not None and self.place.waits_for is None

    def record(self, transaction: Transaction, object_name: str, size: int) -> dict[str, Any]:
        """Writes the record; returns the new row of ``uploads``."""
        row = transaction.one(
            "uploads.add",
            customer=self.customer,
            name=self.name,
            folder=self.folder,
            channel=self.sender.channel,
            actor=self.sender.actor,
            ip=self.sender.ip,
            session=self.sender.session,
            now=stamp(self.now),
            size=size,
            object=object_name,
            sha256=self.sha256,
            evidence=self.evidence.value if self.evidence else None,
            evidence_note=self.note,
            **self.place.as_row(),
        )
        assert row is not None, "INSERT … RETURNING returns the row"
        return dict(row)


def log_received(row: Mapping[str, Any]) -> None:
    fields = ("customer", "name", "folder", "size", "channel", "actor", "ip", "session", "waits_for")
    log.info("upload_received", upload=row["id"], **{field: row[field] for field in fields})
