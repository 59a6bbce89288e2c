"""Files whose senders were told that nothing was kept, and whose records may be there all the same.

The connection to the database broke on the way to a commit or back from it. The files are sent again; the records, if
there are any, would wait for a verdict that nobody gives, and their customers' queues with them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta

from alp_daemon import log
from alp_daemon.files.objects import customer_of
from alp_daemon.store.store import Store, stamp

_REASON = "its sender was told that it could not be kept, and sends it again"
# A commit may come to the server long after we have lost sight of it. By then the server has ended the session that it
# belongs to: what stands still in a transaction after two minutes, and a silent connection within another.
_SOUGHT_FOR = timedelta(minutes=5)


class Unanswered:
    """Safe for threads: many note, one withdraws. What a crash forgets, the next start settles as cut."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._noted: deque[str] = deque()
        self._sought: dict[str, datetime] = {}
        """Objects, and until when a record of them may still appear."""

    def note(self, objects: Iterable[str]) -> None:
        """These objects of the spool may have a record, or get one, or none."""
        self._noted.extend(objects)

    def withdraw(self, now: datetime) -> None:
        """Ends the uploads that there are by now; a clean-up takes the objects. Call it again: others may come yet.

        Raises ``TryAgain``, and has forgotten nothing then.
        """
        while self._noted:
            self._sought.setdefault(self._noted.popleft(), now + _SOUGHT_FOR)
        for name in self._there():
            self._withdraw(name, now)
        self._sought = {name: until for name, until in self._sought.items() if until > now}

    def _there(self) -> list[str]:
        """Those sought that have a record."""
        if not self._sought:
            return []
        with self._store.read() as transaction:
            return [name for name in self._sought if transaction.one("uploads.of_object", **_whose(name))]

    def _withdraw(self, name: str, now: datetime) -> None:
        with self._store.write() as transaction:
            row = transaction.one("uploads.withdraw_object", **_whose(name), reason=_REASON, now=stamp(now))
        if row is not None:
            del self._sought[name]
            log.warning("upload_withdrawn", upload=row["id"], customer=customer_of(name), reason=_REASON)


def _whose(name: str) -> dict[str, str]:
    return {"customer": customer_of(name), "object": name}
