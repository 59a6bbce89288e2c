"""Uploads as records: the queue's rows, typed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields

from alp_daemon.customers import list_name
from alp_daemon.domain.guard import HoldCode, HoldReason
from alp_daemon.domain.model import Evidence, UploadState, stage
from alp_daemon.errors import NotFound
from alp_daemon.store.store import Row, Transaction


@dataclass(frozen=True, slots=True)
class Upload:
    """One received file: what is read of its row (see the schema for what each column means). Times are stamps."""

    id: int
    customer: str
    feed: str | None
    mode: str | None
    name: str
    folder: str
    channel: str
    actor: str
    ip: str
    received_at: str
    arrived_at: str
    size: int
    sha256: str | None
    object: str
    evidence: Evidence | None
    evidence_note: str
    waits_for: str | None
    wait_until: str | None
    state: UploadState
    reason: str
    hold: str | None
    waived: str | None
    released_by: str | None
    released_at: str | None
    held_at: str | None
    reminded_at: str | None
    config: str | None
    version: int | None
    finished_at: str | None
    attempts: int
    lease_owner: str | None
    never_seen: int
    undone_by: str | None
    undone_at: str | None
    erased_at: str | None

    @property
    def list_name(self) -> str:
        """The list that it is about: the customer's numbers, or its brand's subscribers."""
        return list_name(self.customer, self.feed)

    @property
    def stage(self) -> str:
        return stage(self.state.value, is_undone=self.undone_at is not None)

    @property
    def reasons(self) -> tuple[HoldReason, ...]:
        """Why it is held, or was held last."""
        stored = json.loads(self.hold or "[]")
        return tuple(HoldReason(**{**reason, "code": HoldCode(reason["code"])}) for reason in stored)


_COLUMNS = [field.name for field in fields(Upload)]


def end_wait(transaction: Transaction, row: Row) -> bool:
    """Lets an upload wait no longer for what it waits for in ``row``. False: its client or another node was quicker."""
    return bool(transaction.run("uploads.end_wait", **{key: row[key] for key in ("id", "waits_for", "wait_until")}))


def hold_column(reasons: Sequence[HoldReason]) -> str | None:
    """What the column ``hold`` keeps. Queries find a code in it as ``"code": "CODE"``, as it is written here alone."""
    return json.dumps([each.as_dict() for each in reasons]) if reasons else None


def from_row(row: Row) -> Upload:
    values = {name: row[name] for name in _COLUMNS}
    values["state"] = UploadState(values["state"])
    values["evidence"] = Evidence(values["evidence"]) if values["evidence"] else None
    return Upload(**values)


def get(transaction: Transaction, id_: int) -> Upload:
    """The upload as it is. Of two write transactions that ask for it the second sees what the first made of it."""
    transaction.lock("upload", str(id_))
    row = transaction.one("uploads.get", id=id_)
    if row is None:
        raise NotFound(f"there is no upload {id_}; `alp-daemon uploads` lists them")
    return from_row(row)


def find(transaction: Transaction, query: str, **values: object) -> list[Upload]:
    """The uploads that a named query finds."""
    return [from_row(row) for row in transaction.all(query, **values)]
