"""Puts finished reports where the customer finds them: the folder ``reports/`` beside its uploads.

The database has the truth; the files are made from it after the commit, and again if a crash came between.
"""

from __future__ import annotations

import json
import re
import zlib
from pathlib import Path

from alp_daemon import log
from alp_daemon.flock import alone_in
from alp_daemon.services import report, reporttext
from alp_daemon.settings import Settings
from alp_daemon.store import uploads
from alp_daemon.store.store import Row, Store


def publish(store: Store, settings: Settings) -> int:
    """Writes every report that is not in its folder yet; returns how many."""
    with store.read() as transaction:
        waiting = transaction.all("uploads.unpublished")
    done = 0
    for row in waiting:
        try:
            _write(settings.drop_dir / row["customer"] / "reports", row)
        except OSError as error:
            log.warning("report_not_written", upload=row["id"], customer=row["customer"], error=error.strerror)
            continue
        with store.write() as transaction:
            transaction.run("uploads.published", id=row["id"], state=row["state"], finished_at=row["finished_at"])
        done += 1
    return done


def stem(upload: int, name: str) -> str:
    """How the files of a report are called: the upload's number, then its name with odd characters left out."""
    return f"{upload:06d}-{re.sub(r'[^A-Za-z0-9._-]', '_', name)[:100]}"


def _write(folder: Path, row: Row) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    content = report.of_upload(uploads.from_row(row), row["json"])
    base = stem(row["id"], row["name"])
    # Two processes may publish the same report at once. With names of their own, a crash would leave some for ever.
    with alone_in(folder):
        _replace(folder / f"{base}.report.txt", reporttext.text(content).encode())
        _replace(folder / f"{base}.report.json", json.dumps(content, indent=2, ensure_ascii=False).encode())
        if content["rejects_total"]:
            _replace(folder / f"{base}.rejects.csv", zlib.decompress(row["rejects"]))


def _replace(path: Path, content: bytes) -> None:
    """Whole or not at all. Not fsynced: what a power cut takes is written anew from the database."""
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_bytes(content)
    temporary.replace(path)
