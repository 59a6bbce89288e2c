"""The same file again: where nothing can have changed since it was applied, it is not read a second time.

Schedulers send last night's file again more often than one would think. What such a file would do is known: nothing.
What it says of itself (rows, rejects, its end) is in the report of the first time, and is judged anew: the guard's
limits, the approval or what the channel saw may be others today.
"""

from __future__ import annotations

import json
import zlib
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from alp_daemon import __version__
from alp_daemon.domain import phone
from alp_daemon.domain.changes import Changes
from alp_daemon.domain.model import Buckets, Listed, Reading, Rejects
from alp_daemon.services.processing.rules import Rules
from alp_daemon.services.reports.report import rejects_of_csv
from alp_daemon.store import lists
from alp_daemon.store.store import Row, Transaction
from alp_daemon.store.uploads import Upload

_PROGRAMS = {"alp_daemon": __version__, "phonenumbers": phone.METADATA_VERSION}


@dataclass(frozen=True, slots=True)
class Earlier:
    """An applied upload after which nothing has changed: were a file the same, it would do nothing to the list."""

    sha256: str
    version: int
    report: dict[str, Any]
    read_with: dict[str, Any]
    packed_rejects: bytes

    def reading(self) -> Reading:
        """What reading the file gave, but for the addresses in it."""
        rejects = rejects_of_csv(zlib.decompress(self.packed_rejects).decode())
        by_reason = Counter(self.report["rejects_by_reason"])
        return Reading(
            Listed.empty(),
            np.empty(0, np.int64),
            Buckets(**self.report["rows"]),
            Rejects(rejects, by_reason),
            (),
            self.read_with["ends_whole"],
            self.read_with["ends_with_newline"],
        )

    def changes(self) -> Changes:
        """What applying it again does: every number that can be on the list stands there as the file says."""
        blocked = self.report["changes"]["blocked_opted_out"]
        return Changes(unchanged=self.report["rows"]["numbers"] - blocked, blocked_opted_out=blocked)


def read_with(reading: Reading, *, by_line_types: bool) -> dict[str, Any]:
    """What the outcome of reading hangs on besides the file and the feed's fingerprint, and how the file ended.

    Kept beside the report: :func:`find_earlier` compares it.
    """
    return {
        **_PROGRAMS,
        "line_types": by_line_types,
        "ends_whole": reading.ends_whole,
        "ends_with_newline": reading.ends_with_newline,
    }


def find_earlier(transaction: Transaction, upload: Upload, rules: Rules) -> Earlier | None:
    """The upload that made the list's last change, where this one could be the same file.

    It must be of the same feed and size, and read by the same settings, programs and metadata without line types.
    Then nobody has said STOP since, and no file of another content has changed anything. Later files may still have
    left the feed's bit on addresses, which ``omitted_scope: feed`` looks at: those feeds are always read, and so are
    preformatted files, whose approval is everybody's, and requests that pass over who is not on the list.
    """
    head = lists.open_list(transaction, rules.list_name)
    if head is None or rules.only_this_feed or not _leaves_a_trace(rules):
        return None
    row = transaction.one(
        "uploads.of_version",
        list=head.id,
        version=head.version,
        customer=upload.customer,
        feed=rules.name,
        size=upload.size,
        config=rules.fingerprint,
    )
    if row is None:
        return None
    stored = transaction.one("reports.get", upload=row["id"])
    return _of_report(row["sha256"], head.version, stored) if stored else None


def _leaves_a_trace(rules: Rules) -> bool:
    """Whether a file that was applied stands in the list with every address: what it says again is there already.

    An opt-out by name is on record each time that it is said.
    """
    return rules.feed is not None or (
        rules.bulk is not None and rules.policy.takes_in and not rules.policy.always_recorded
    )


def _of_report(sha256: str, list_version: int, stored: Row) -> Earlier | None:
    then = json.loads(stored["read_with"] or "null")
    # Why an end was cut stands in words that the report does not keep.
    if not then or then["line_types"] or then["ends_whole"] is False or not _PROGRAMS.items() <= then.items():
        return None
    return Earlier(sha256, list_version, json.loads(stored["json"]), then, stored["rejects"])
