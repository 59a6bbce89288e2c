"""Which feed of its customer a file belongs to."""

from __future__ import annotations

from fnmatch import fnmatchcase

from alp_daemon.customers.model import Customer
from alp_daemon.customers.names import BULK_UPLOAD, PREFORMATTED, folded


def feed_names(customer: Customer) -> list[str]:
    """The feeds for lists of numbers, as a sender may name them."""
    return [*customer.feeds, PREFORMATTED]


def feed_for(customer: Customer, filename: str, folder: str = "") -> str | None:
    """The feed that a file belongs to, or ``None`` where no pattern fits.

    ``folder`` is the one below the customer's own, "" for that itself. Patterns are tried in the order of the YAML,
    whatever the case (schedulers on Windows do not keep it) and Unicode form (macOS decomposes) of the name.
    XML belongs to the customer's brand, if it has one. A customer without feeds has only the preformatted one, so its
    root folder serves that.
    """
    if folder == PREFORMATTED:
        return PREFORMATTED
    if folder:
        return None
    name = folded(filename)
    if customer.brand and name.endswith(".xml"):
        return BULK_UPLOAD
    if not customer.feeds:
        return PREFORMATTED
    return next((feed for feed, rules in customer.feeds.items() if fnmatchcase(name, folded(rules.match))), None)
