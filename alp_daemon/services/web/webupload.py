"""Files that come over HTTP: whose they are, which feed takes them, and that they came whole."""

from __future__ import annotations

from datetime import datetime

from alp_daemon.customers import PREFORMATTED, Customer, feed_for, feed_names
from alp_daemon.domain.model import Evidence
from alp_daemon.errors import NotFound, UsageProblem
from alp_daemon.files.incoming import Incoming
from alp_daemon.services.receiving.intake import Intake, Sender
from alp_daemon.services.receiving.place import no_feed
from alp_daemon.services.reports import shown
from alp_daemon.services.reports.report import Report
from alp_daemon.store.store import Store

# What any file system and mail can carry.
_LONGEST_NAME = 255


def chosen_feed(customer: Customer, name: str, feed: str | None) -> str:
    """The feed that the sender names, or the one that takes the file's name.

    Asked before any byte is received: over HTTP there is no rename that could mend a name later on.
    Raises ``UsageProblem`` for an unusable name, an unknown feed, or a name that no feed takes.
    """
    if not name or len(name.encode()) > _LONGEST_NAME or "/" in name or "\\" in name or not name.isprintable():
        raise UsageProblem(
            f"filename {name[:40]!r}: expected 1 to {_LONGEST_NAME} bytes without folders or control characters"
        )
    known = feed_names(customer)
    if feed is not None:
        if feed not in known:
            raise UsageProblem(f"feed {feed[:40]!r}: expected one of {', '.join(known)}")
        return feed
    found = feed_for(customer, name)
    if found is None:
        raise UsageProblem(f"{no_feed(customer, name)}; or name the feed")
    return found


def accept(
    intake: Intake, incoming: Incoming, customer: Customer, name: str, feed: str, sender: Sender, now: datetime
) -> int:
    """Queues a file whose body HTTP has delivered to its end. Raises ``TryAgain`` when the disk is full."""
    folder = PREFORMATTED if feed == PREFORMATTED else ""
    return intake.receive(
        incoming,
        customer.id,
        name,
        folder,
        sender,
        now,
        evidence=Evidence.proven,
        note="HTTP: the body came to its announced end",
        feed=feed,
    )


def report_of(store: Store, customer: str, upload: int) -> Report:
    """A customer's own upload. Raises ``NotFound`` for another's as for none: who asks is not told which."""
    try:
        found = shown.one(store, upload)
    except NotFound:
        found = None
    if found is None or found["customer"] != customer:
        raise NotFound(f"there is no upload {upload}")
    return found


def rejects_of(store: Store, customer: str, upload: int) -> str:
    """The text of its ``rejects.csv``. Raises ``NotFound`` as ``report_of``."""
    report_of(store, customer, upload)
    return shown.rejects_csv(store, upload)
