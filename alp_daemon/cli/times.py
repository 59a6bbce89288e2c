"""Times in tables: all of UTC, which they say, and without parts of a second."""

from __future__ import annotations

from datetime import UTC, datetime

from alp_daemon.store.store import moment


def to_seconds(at: datetime | str | None) -> str:
    """``2026-11-21T07:00:00Z`` of a time or of one as the store keeps it; nothing of none."""
    if not at:
        return ""
    when = moment(at) if isinstance(at, str) else at
    return f"{when.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
