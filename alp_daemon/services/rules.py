"""All that a customer's configuration says about one feed, resolved into what the engine takes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from alp_daemon.customers import PREFORMATTED, Customer, Feed, fingerprint
from alp_daemon.domain.guard import Limits, limits_for
from alp_daemon.domain.model import Evidence
from alp_daemon.domain.policy import Policy, for_mode
from alp_daemon.errors import NotFound
from alp_daemon.store.store import Store, Transaction


@dataclass(frozen=True, slots=True)
class Rules:
    """A feed ready to be worked. ``feed`` is None for preformatted files, which need no set-up."""

    name: str
    mode: str
    feed: Feed | None
    policy: Policy
    limits: Limits
    only_this_feed: bool
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Approval:
    """Who approved a feed as it stands, and whether the approved sample ended with a newline."""

    by: str
    at: str
    sample_newline: bool


def rules_for(customer: Customer, feed_name: str) -> Rules:
    if feed_name == PREFORMATTED:
        return Rules(
            feed_name, PREFORMATTED, None, for_mode(PREFORMATTED), limits_for(PREFORMATTED, {}), False, PREFORMATTED
        )
    feed = customer.feeds.get(feed_name)
    if feed is None:
        known = ", ".join([*customer.feeds, PREFORMATTED])
        raise NotFound(f"customer {customer.id} has no feed {feed_name!r}; it has: {known}")
    given = {**feed.guard.model_dump(), "completeness": Evidence(feed.completeness)}
    return Rules(
        feed_name,
        feed.mode,
        feed,
        for_mode(feed.mode, feed.omitted_tags),
        limits_for(feed.mode, given),
        feed.omitted_scope == "feed",
        fingerprint(customer, feed_name),
    )


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


def unapproved(store: Store, customers: Iterable[Customer]) -> list[str]:
    """A sentence for each feed whose approval is missing, or does not hold for what its file says now."""
    with store.read() as transaction:
        approvals = [
            (customer.id, approval_of(transaction, customer.id, rules_for(customer, feed)))
            for customer in customers
            for feed in customer.feeds
        ]
    return [f"{customer}: {approval}" for customer, approval in approvals if isinstance(approval, str)]
