"""Sidecars: ``NAME.sha256`` proves that ``NAME`` is whole, ``NAME.done`` says that its sender had finished.

The two may come in either order. A sidecar is an upload like any other until it has met its file; then it is
``discarded`` as "sidecar of ID" and its file goes on. A file that was held for want of its sidecar is freed by it.
One that comes after its file was released says nothing any more, unless it contradicts: that the operators are told.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from alp_daemon import log
from alp_daemon.domain.model import Evidence
from alp_daemon.errors import AlpError
from alp_daemon.files.disk import disk_errors, sha256
from alp_daemon.files.objects import Kept, ObjectLost, StorageAway
from alp_daemon.files.spool import Spool
from alp_daemon.services.receiving.arrival import Verdict
from alp_daemon.services.receiving.place import SIDECAR_SUFFIX, WaitsFor
from alp_daemon.services.reports import notify
from alp_daemon.store import uploads
from alp_daemon.store.store import Row, Store, Transaction, stamp

# `sha256sum` writes "HEX  NAME", BSD's "SHA256 (NAME) = HEX", others the bare digits.
_SHA256 = re.compile(rb"(?<![0-9a-fA-F])[0-9a-fA-F]{64}(?![0-9a-fA-F])")
_SIDECAR_BYTES = 4096
_DIFFERS = "sha256 differs from its sidecar's"
_REST = timedelta(minutes=1)


class Sidecars:
    """All that wait. For one thread at a time.

    What cannot be read is told, and tried again a minute later: it costs no other file its sidecar.
    """

    def __init__(self, store: Store, spool: Spool, operators: Sequence[str]) -> None:
        self._store = store
        self._spool = spool
        self._operators = operators
        self._resting: dict[tuple[str, ...], datetime] = {}
        """Names of sidecars, and customers whose storage is away, and until when they are not asked."""

    def join_all(self, now: datetime) -> bool:
        """Joins every sidecar that waits with its file, if that is there. Returns whether a file became due."""
        self._resting = {each: until for each, until in self._resting.items() if until > now}
        with self._store.read() as transaction:
            sidecars = transaction.all("uploads.waiting", waits_for=WaitsFor.file.value)
        # The newest first: an older one of the same name belongs to a file that never came.
        joined = [self._join(sidecar, now) for sidecar in reversed(sidecars)]
        return any(joined)

    def end_alone(self, now: datetime) -> None:
        """Ends the sidecars that have waited long enough for a file, saying what became of that."""
        with self._store.read() as transaction:
            expired = transaction.all("uploads.expired_sidecars", now=stamp(now))
        for sidecar in expired:
            self._end_alone(sidecar, now)

    def _join(self, sidecar: Row, now: datetime) -> bool:
        with self._store.read() as transaction:
            file = transaction.one("uploads.awaiting_sidecar", **_wanted(sidecar))
        if file is None:
            return False
        # Outside the transaction: hashing a large file takes a second, in which nobody should wait for the lock.
        try:
            verdict = self._verdict(sidecar, file, now)
        except _Resting:
            return False
        if verdict is None:
            reason = "it is a sidecar that holds no SHA-256; send it again"
            with self._store.write() as transaction:
                transaction.run("uploads.discard", id=sidecar["id"], reason=reason, now=stamp(now))
            return False
        with self._store.write() as transaction:
            joined = transaction.run(
                "uploads.join_sidecar",
                id=file["id"],
                was=file["evidence"],
                evidence=verdict.evidence.value,
                note=verdict.note,
            )
            if joined:
                reason = f"sidecar of {file['id']}"
                transaction.run("uploads.discard", id=sidecar["id"], reason=reason, now=stamp(now))
        if joined:
            log.info("sidecar_joined", upload=file["id"], sidecar=sidecar["id"], evidence=verdict.evidence.value)
        return bool(joined)

    def _end_alone(self, sidecar: Row, now: datetime) -> None:
        with self._store.read() as transaction:
            file = transaction.one("uploads.without_sidecar", **_wanted(sidecar), sidecar=sidecar["name"])
        if file is not None and file["lease_owner"] is not None:
            return  # a worker is about to write its report anew; the next second will do
        try:
            contradicts = file is not None and self._contradicts(sidecar, file, now)
        except _Resting:
            return
        with self._store.write() as transaction:
            if not uploads.end_wait(transaction, sidecar):
                return
            reason = _why_alone(file, contradicts=contradicts)
            transaction.run("uploads.discard", id=sidecar["id"], reason=reason, now=stamp(now))
            if file is not None and contradicts:
                _doubt(transaction, self._operators, sidecar, file, now)

    def _contradicts(self, sidecar: Row, file: Row, now: datetime) -> bool:
        """Whether a file that changed a list, or still may, is another one than the sidecar says."""
        if file["state"] not in ("received", "held", "applied"):
            return False
        verdict = self._verdict(sidecar, file, now)
        return verdict is not None and verdict.note == _DIFFERS

    def _verdict(self, sidecar: Row, file: Row, now: datetime) -> Verdict | None:
        """``None``: the sidecar says nothing. Raises ``_Resting`` where that cannot be read now."""
        customer = sidecar["customer"]
        # By its name: an older one that has the same must not get the file meanwhile.
        name = (customer, sidecar["folder"], sidecar["name"])
        if name in self._resting or (customer,) in self._resting:
            raise _Resting
        try:
            return _verdict(self._spool, sidecar, file)
        except (AlpError, OSError) as error:
            # One that does not answer is not asked for each of a customer's files. What is unreadable is so alone.
            self._resting[(customer,) if isinstance(error, StorageAway) else name] = now + _REST
            log.warning(
                "sidecar_not_read", upload=file["id"], customer=customer, sidecar=sidecar["id"], error=str(error)
            )
            raise _Resting from error


class _Resting(Exception):
    """It could not be read, and is not tried again yet."""


def _why_alone(file: Row | None, *, contradicts: bool) -> str:
    if file is None:
        return "it is a sidecar, and its file did not arrive"
    if contradicts:
        return f"it is a sidecar that contradicts upload {file['id']}, which had gone on without it"
    return f"it is a sidecar, and upload {file['id']} had gone on without it"


def _doubt(transaction: Transaction, operators: Sequence[str], sidecar: Row, file: Row, now: datetime) -> None:
    """Says it in the file's report, and to the operators."""
    doubt = f"{sidecar['name']}, which came at {sidecar['received_at']}, holds another SHA-256"
    note = "; ".join(filter(None, (file["evidence_note"], doubt)))
    transaction.run("uploads.add_doubt", id=file["id"], note=note, now=stamp(now))
    subject = f"[{file['customer']}] {file['name']} is not what {sidecar['name']} says"
    body = (
        f"Upload {file['id']} ({file['name']}, {file['state']}) went on without its sidecar. Now {doubt}.\n"
        "Either the upload is not whole, or the sidecar is that of a file that did not come. Ask its sender.\n\n"
        f"alp-daemon show {file['id']}\n"
    )
    notify.tell(transaction, list(operators), subject, body, now, file["customer"], file["id"])
    log.warning("sidecar_contradicts", upload=file["id"], customer=file["customer"], sidecar=sidecar["id"])


def _wanted(sidecar: Row) -> dict[str, str]:
    owner, _, _ = sidecar["name"].rpartition(".")
    return {"customer": sidecar["customer"], "folder": sidecar["folder"], "name": owner}


def _verdict(spool: Spool, sidecar: Row, file: Row) -> Verdict | None:
    """``None``: the sidecar says nothing."""
    if not sidecar["name"].lower().endswith(SIDECAR_SUFFIX["sha256"]):
        # The sender's script may go on after a transfer that broke: .done proves nothing against what we saw.
        if file["evidence"] == Evidence.cut.value:
            return Verdict(Evidence.cut, file["evidence_note"])
        return Verdict(Evidence.proven, f"sidecar {sidecar['name']}")
    try:
        expected = _expected(spool, sidecar)
    except ObjectLost:
        return None
    if expected is None:
        return None
    try:
        found = file["sha256"] or _digest(spool, file)
    except ObjectLost as error:
        return Verdict(Evidence.cut, str(error))
    if found != expected:
        return Verdict(Evidence.cut, _DIFFERS)
    return Verdict(Evidence.proven, f"sidecar {sidecar['name']}")


def _expected(spool: Spool, sidecar: Row) -> str | None:
    with disk_errors("cannot read a sidecar"), spool.local(_kept(sidecar)) as path:
        return read_sha256(path)


def _digest(spool: Spool, file: Row) -> str:
    with (
        disk_errors("cannot compare a file with its sidecar"),
        spool.local(_kept(file)) as path,
        path.open("rb", buffering=0) as content,
    ):
        return sha256(content)


def _kept(row: Row) -> Kept:
    return Kept(row["object"], row["size"], row["sha256"])


def read_sha256(path: Path) -> str | None:
    """The digest in a sidecar, in lower case, or ``None`` where there is none."""
    with path.open("rb") as file:
        # PowerShell redirects text as UTF-16: every other byte is zero.
        text = file.read(_SIDECAR_BYTES).replace(b"\0", b"")
    digest = _SHA256.search(text)
    return digest[0].decode().lower() if digest else None
