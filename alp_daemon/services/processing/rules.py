"""All that a customer's configuration says about one feed, resolved into what the engine takes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from alp_daemon.customers import (
    BULK_UPLOAD,
    PREFORMATTED,
    Customer,
    Feed,
    feed_names,
    fingerprint,
    list_name,
    mail_list,
)
from alp_daemon.domain.guard import Limits, limits_for
from alp_daemon.domain.model import Evidence
from alp_daemon.domain.policy import ACTIONS, Policy, for_mode
from alp_daemon.errors import NotFound, UnusableFile
from alp_daemon.store import lists, subscribers
from alp_daemon.store.store import Store, Transaction

if TYPE_CHECKING:  # only XML needs it
    from alp_daemon.files.informz.request import BulkUpload


# In messages: a request may name thousands.
_MOST_NAMED, _LONGEST_NAME = 5, 80


@dataclass(frozen=True, slots=True)
class Rules:
    """A feed ready to be worked. ``feed`` is None for preformatted files and for XML, which need no set-up."""

    customer: str
    name: str
    mode: str
    feed: Feed | None
    policy: Policy
    limits: Limits
    only_this_feed: bool
    fingerprint: str
    bulk: Bulk | None = None

    @property
    def list_name(self) -> str:
        """The list of the store that the file is about: the customer's numbers, or its brand's subscribers."""
        return list_name(self.customer, self.name)


@dataclass(frozen=True, slots=True)
class Bulk:
    """A BulkUpload request, and the interests that its brand has."""

    request: BulkUpload
    interests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Approval:
    """Who approved a feed as it stands, and whether the approved sample ended with a newline."""

    by: str
    at: str
    sample_newline: bool


def rules_for(customer: Customer, feed_name: str) -> Rules:
    if feed_name == PREFORMATTED:
        return Rules(
            customer.id,
            PREFORMATTED,
            PREFORMATTED,
            None,
            for_mode(PREFORMATTED),
            limits_for(PREFORMATTED, {}),
            False,
            fingerprint(customer, PREFORMATTED),
        )
    feed = customer.feeds.get(feed_name)
    if feed is None:
        known = ", ".join(feed_names(customer))
        raise NotFound(f"customer {customer.id} has no feed {feed_name!r}; it has: {known}")
    given = {**feed.guard.model_dump(), "completeness": Evidence(feed.completeness)}
    return Rules(
        customer.id,
        feed_name,
        feed.mode,
        feed,
        for_mode(feed.mode, feed.omitted_tags),
        limits_for(feed.mode, given),
        feed.omitted_scope == "feed",
        fingerprint(customer, feed_name),
    )


def rules_of_file(store: Store, customer: Customer, feed_name: str, path: Path, name: str) -> Rules:
    """What a file is worked by: its feed's configuration or, of XML, what it says itself. Raises ``UnusableFile``."""
    if feed_name == BULK_UPLOAD:
        from alp_daemon.files.informz.request import read_bulk_upload  # only XML needs it

        request = read_bulk_upload(path, name)
        with store.read() as transaction:
            return _rules_of_request(transaction, customer, request)
    try:
        return rules_for(customer, feed_name)
    except NotFound as error:
        raise UnusableFile("no_feed", f"{name}: {error}") from error


def _rules_of_request(transaction: Transaction, customer: Customer, request: BulkUpload) -> Rules:
    """What a BulkUpload asks for. Raises ``UnusableFile`` where it cannot be meant for this customer's brand."""
    brand = customer.brand
    if brand is None or request.brand_id != brand.id:
        raise UnusableFile("other_brand", f'Brand id "{request.brand_id}" is not the brand of customer {customer.id}')
    from alp_daemon.services.processing.knownfields import as_made  # only XML needs it

    head = lists.open_list(transaction, mail_list(customer.id))
    known = subscribers.read_interests(transaction, head)
    _check_interests(request, known)
    request = as_made(request, subscribers.read_fields(transaction, head))
    policy = ACTIONS[request.action]
    limits = replace(
        limits_for(request.action, brand.guard.model_dump()),
        max_tags_removed=1.0,  # what is taken away is named, row by row; what is omitted has max_omitted
        empty_is_meant=True,
    )
    # What a request does hangs on the interests that there are; the rest it says itself, or it has made the fields.
    print_ = hashlib.sha256(json.dumps([brand.id, known]).encode()).hexdigest()
    return Rules(
        customer.id, BULK_UPLOAD, policy.name, None, policy, limits, False, print_, Bulk(request, tuple(known))
    )


def _check_interests(request: BulkUpload, known: Sequence[str]) -> None:
    """An action about interests does nothing where none of them exists; that cannot be meant."""
    from alp_daemon.files.informz.interests import KnownInterests  # only XML needs it

    if request.needs_interests and not KnownInterests(known).look_up(request.interests).interests:
        raise UnusableFile(
            "no_interest",
            f"{request.action}: none of the interests that it names exists ({_first(request.interests)});"
            " correct the names, or have them made (`interests add`)",
        )


def _first(names: Sequence[str]) -> str:
    shown = ", ".join(name[:_LONGEST_NAME] for name in names[:_MOST_NAMED])
    return shown if len(names) <= _MOST_NAMED else f"{shown}, …"


def approval_of(transaction: Transaction, customer: str, rules: Rules) -> Approval | str:
    """The feed's approval as it is configured now, or the sentence that says why it has none."""
    if rules.feed is None:
        return Approval("everybody", "", sample_newline=False)
    row = transaction.one("approvals.get", customer=customer, feed=rules.name)
    command = f"alp-daemon approve {customer} --feed {rules.name} --sample FILE --by NAME"
    if row is None:
        return f"feed {rules.name} is not approved yet; after a preview: {command}"
    if row["fingerprint"] != rules.fingerprint:
        return (
            f"feed {rules.name} was changed after {row['approved_by']} approved it on {row['at'][:10]};"
            f" after a preview: {command}"
        )
    return Approval(row["approved_by"], row["at"], bool(row["sample_newline"]))


def is_approved(transaction: Transaction, customer: str, rules: Rules) -> bool:
    """Whether the feed is approved as it is configured now."""
    return isinstance(approval_of(transaction, customer, rules), Approval)


def unapproved(store: Store, customers: Iterable[Customer]) -> list[str]:
    """A sentence for each feed whose approval is missing, or does not hold for what its file says now."""
    with store.read() as transaction:
        approvals = [
            (customer.id, approval_of(transaction, customer.id, rules_for(customer, feed)))
            for customer in customers
            for feed in customer.feeds
        ]
    return [f"{customer}: {approval}" for customer, approval in approvals if isinstance(approval, str)]
