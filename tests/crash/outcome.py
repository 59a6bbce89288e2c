"""What a run has left behind, without what differs from run to run: times, and random names."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tests.crash.provider import Provider

_TABLES = {
    "numbers": "SELECT * FROM numbers ORDER BY 1, 2",
    "addresses": "SELECT * FROM addresses ORDER BY 1, 2",
    "tag_sets": "SELECT * FROM tag_sets ORDER BY 1, 2",
    "feed_bits": "SELECT * FROM feed_bits ORDER BY 1, 2",
    "first_listings": "SELECT * FROM first_listings ORDER BY 1, 2",
    "events": "SELECT * FROM events ORDER BY 1, 2, 3",
    "changes": "SELECT list, version, actor, source, channel, upload, note, events FROM changes ORDER BY 1, 2",
    "lists": "SELECT customer, version, imported_by FROM lists ORDER BY 1",
    "uploads": "SELECT id, customer, feed, mode, name, folder, channel, size, sha256, evidence, evidence_note,"
    " waits_for, state, reason, waived, released_by, config, version, lease_owner, never_seen, undone_by,"
    " applied_order FROM uploads ORDER BY id",
    "approvals": "SELECT customer, feed, fingerprint, approved_by FROM approvals ORDER BY 1, 2",
    "credentials": "SELECT customer, id, kind, user FROM credentials ORDER BY 1, 2",
    "messages": "SELECT customer, id, key, text, intent, status, reply FROM messages ORDER BY 1, 2",
    "outbox": "SELECT customer, upload, recipients, subject FROM outbox ORDER BY upload, id",
}


def outcome(provider: Provider) -> dict[str, Any]:
    """Lists, events, uploads, reports, mail and the files of a provider at rest."""
    found: dict[str, Any] = {name: provider.rows(query) for name, query in _TABLES.items()}
    found["reports"] = [_timeless(json.loads(row["json"])) for row in provider.rows("SELECT * FROM reports ORDER BY 1")]
    found["folders"] = _folders(provider.folder / "data/drop")
    return found


def assert_sound(provider: Provider) -> None:
    """What holds after every recovery, whatever was killed and when."""
    assert provider.rows("PRAGMA integrity_check") == [{"integrity_check": "ok"}]
    spool = provider.folder / "data/spool"
    found = {str(path.relative_to(spool)) for path in spool.rglob("*") if path.is_file()}
    objects = {name for name in found if not name.startswith(".strays/")}  # nobody was told of those
    assert objects == {row["object"] for row in provider.rows("SELECT object FROM uploads WHERE erased_at IS NULL")}
    assert not provider.rows("SELECT id FROM uploads WHERE lease_owner IS NOT NULL")
    _assert_history_is_the_list(provider)


def _assert_history_is_the_list(provider: Provider) -> None:
    """Each event begins where the one before it ended, the last one is the list, and no upload is applied twice."""
    state = {}
    for event in provider.rows("SELECT * FROM events ORDER BY list, version, key"):
        address = event["list"], event["key"]
        assert (event["status_before"], event["tags_before"]) == state.get(address, (0, 0)), event
        state[address] = event["status_after"], event["tags_after"]
    stored = provider.rows("SELECT list, key, status, tag_set FROM addresses")
    assert state == {(row["list"], row["key"]): (row["status"], row["tag_set"]) for row in stored}
    twice = "SELECT upload FROM changes WHERE source = 'file' GROUP BY upload HAVING count(*) > 1"
    assert not provider.rows(twice)


def _folders(drop: Path) -> dict[str, str]:
    """The text of every file in the customers' folders, by path."""
    files = sorted(path for path in drop.rglob("*") if path.is_file())
    return {str(path.relative_to(drop)): _without_times(path.read_text()) for path in files}


def _timeless(report: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in report.items() if name not in ("seconds", "received_at")}


def _without_times(text: str) -> str:
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", text)
    return re.sub(r"(\"?seconds\"?:?\s+)[\d.]+", r"\1SECONDS", text)
