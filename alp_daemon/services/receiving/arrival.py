"""One file as it arrives: who sent it, under which name, and what is known of it before anybody has read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alp_daemon import log
from alp_daemon.domain.model import Evidence
from alp_daemon.files.incoming import Incoming
from alp_daemon.services.receiving.place import Place
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

    def record(self, transaction: Transaction, object_name: str, size: int, node: str) -> dict[str, Any]:
        """Writes the record; returns the new row of ``uploads``. ``node`` is the one that took the file in."""
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
            node=node,
            **self.place.as_row(),
        )
        assert row is not None, "INSERT … RETURNING returns the row"
        return dict(row)


@dataclass(frozen=True, slots=True)
class Received:
    """A file whose bytes have come, and what its record is to hold."""

    incoming: Incoming
    arrival: Arrival


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a file is whole, and how that is known."""

    evidence: Evidence
    note: str = ""


def log_received(row: Mapping[str, Any]) -> None:
    fields = ("customer", "name", "folder", "size", "channel", "actor", "ip", "session", "waits_for")
    log.info("upload_received", upload=row["id"], **{field: row[field] for field in fields})


def settle_in(transaction: Transaction, verdicts: Mapping[int, Verdict]) -> dict[int, Verdict]:
    """Writes the verdicts on uploads that have none yet; returns those."""
    return {
        upload: verdict
        for upload, verdict in verdicts.items()
        if transaction.run("uploads.settle", id=upload, evidence=verdict.evidence.value, note=verdict.note)
    }


def log_settled(verdicts: Mapping[int, Verdict]) -> None:
    for upload, verdict in verdicts.items():
        log.info("upload_settled", upload=upload, evidence=verdict.evidence.value, note=verdict.note)
