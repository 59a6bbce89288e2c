"""What approvals and nodes are compared by: what decides a feed's effect on the list, and what was loaded at all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from alp_daemon.customers.model import Customer
from alp_daemon.customers.names import PREFORMATTED

# The guard, the sidecar, report_to and what is expected when only make a feed more or less careful, so they need no new
# approval.
_APPROVED = {"match", "mode", "file", "phones", "tags", "only", "omitted_tags", "omitted_scope", "completeness"}


def fingerprint(customer: Customer, feed_name: str) -> str:
    """SHA-256 (hex) of the feed's approved settings as canonical JSON; ``KeyError`` for an unknown feed.

    Comments, layout, the order of keys and a default written out do not change it. Defaults are left out, so that a
    release that adds a setting does not end every customer's approval.
    """
    if feed_name == PREFORMATTED:
        settings = {"mode": PREFORMATTED, **customer.preformatted.model_dump(mode="json", exclude_defaults=True)}
    else:
        settings = customer.feeds[feed_name].model_dump(mode="json", include=_APPROVED, exclude_defaults=True)
    canonical = json.dumps({**settings, "region": customer.region}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def text_digest(text: str) -> str:
    """SHA-256 (hex) of a customer's file in UTF-8, without a byte order mark."""
    return hashlib.sha256(text.encode()).hexdigest()


def overall(digests: Mapping[str, str]) -> str:
    """SHA-256 (hex) over ids and ``text_digest`` of all customers: alike where, and only where, all files are alike."""
    lines = (f"{id_} {digest}\n" for id_, digest in sorted(digests.items()))
    return hashlib.sha256("".join(lines).encode()).hexdigest()
