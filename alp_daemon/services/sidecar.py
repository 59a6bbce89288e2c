"""Sidecars: ``NAME.sha256`` proves that ``NAME`` is whole, ``NAME.done`` says that its sender had finished.

The two may come in either order. A sidecar is an upload like any other until it has met its file; then it is
``discarded`` as "sidecar of ID" and its file goes on. A file that was held for want of its sidecar is freed by it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from alp_daemon import log
from alp_daemon.domain.model import Evidence
from alp_daemon.files.disk import disk_errors, sha256
from alp_daemon.files.objects import Kept, ObjectLost
from alp_daemon.files.spool import Spool
from alp_daemon.services.place import SIDECAR_SUFFIX, WaitsFor
from alp_daemon.store.store import Store, stamp

Row = Mapping[str, Any]

# `sha256sum` writes "HEX  NAME", BSD's "SHA256 (NAME) = HEX", others the bare digits.
_SHA256 = re.compile(rb"(?<![0-9a-fA-F])[0-9a-fA-F]{64}(?![0-9a-fA-F])")
_SIDECAR_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a sidecar says of its file."""

    evidence: Evidence
    note: str


def join_all(store: Store, spool: Spool, now: datetime) -> bool:
    """Joins every sidecar that waits with its file, if that is there. Returns whether a file became due."""
    with store.read() as transaction:
        sidecars = transaction.all("uploads.waiting", waits_for=WaitsFor.file.value)
    # The newest first: an older one of the same name belongs to a file that never came.
    joined = [_join(store, spool, sidecar, now) for sidecar in reversed(sidecars)]
    return any(joined)


def _join(store: Store, spool: Spool, sidecar: Row, now: datetime) -> bool:
    with store.read() as transaction:
        file = transaction.one("uploads.awaiting_sidecar", **_wanted(sidecar))
    if file is None:
        return False
    # Outside the transaction: hashing a large file takes a second, in which nobody should wait for the lock.
    verdict = _verdict(spool, sidecar, file)
    with store.write() as transaction:
        if verdict is None:
            reason = "it is a sidecar that holds no SHA-256; send it again"
            transaction.run("uploads.discard", id=sidecar["id"], reason=reason, now=stamp(now))
            return False
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
        return Verdict(Evidence.cut, "sha256 differs from its sidecar's")
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
