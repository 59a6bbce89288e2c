"""Files whose senders were told that nothing was kept, and whose records may be there all the same.

The connection to the database broke on the way to a commit or back from it. The files are sent again; the records, if
there are any, would wait for a verdict that nobody gives, and their customers' queues with them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from datetime import datetime

from alp_daemon import log
from alp_daemon.store.store import Store, stamp

_REASON = "its sender was told that it could not be kept, and sends it again"


class Unanswered:
    """Safe for threads: many note, one withdraws. What a crash forgets, the next start settles as cut."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._objects: deque[str] = deque()

    def note(self, objects: Iterable[str]) -> None:
        """These objects of the spool may have a record, or none."""
        self._objects.extend(objects)

    def withdraw(self, now: datetime) -> None:
        """Ends the uploads that there are; a clean-up takes the objects. Raises ``TryAgain``: call it again then."""
        while self._objects:
            customer, _, _ = self._objects[0].partition("/")
            with self._store.write() as transaction:
                row = transaction.one(
                    "uploads.withdraw_object",
                    customer=customer,
                    object=self._objects[0],
                    reason=_REASON,
                    now=stamp(now),
                )
            self._objects.popleft()
            if row is not None:
                log.warning("upload_withdrawn", upload=row["id"], customer=customer, reason=_REASON)
