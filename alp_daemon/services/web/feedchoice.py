"""What a person may say that a file is: the customer's approved feeds, the standard format, a brand's XML."""

from __future__ import annotations

from dataclasses import dataclass

from alp_daemon.customers import BULK_UPLOAD, PREFORMATTED, Brand, Customer, Feed, feed_for
from alp_daemon.domain.model import Status
from alp_daemon.domain.policy import KEEP, OUT, SUSPENDED, Policy, TagRule, for_mode
from alp_daemon.errors import UsageProblem
from alp_daemon.services.processing.rules import is_approved, rules_for
from alp_daemon.services.web import webupload
from alp_daemon.store.store import Store


@dataclass(frozen=True, slots=True)
class Choice:
    """One kind of file: its feed, what people call it, and what it does to the list, in sentences."""

    feed: str
    title: str
    effect: str


@dataclass(frozen=True, slots=True)
class Choices:
    """What can be chosen, in the order of the customer's file, and the feeds that wait for their approval."""

    offered: tuple[Choice, ...]
    unapproved: tuple[str, ...]


def choices(store: Store, customer: Customer) -> Choices:
    """Feeds that are not approved are not offered: their files would only be held."""
    with store.read() as transaction:
        approved = {name: is_approved(transaction, customer.id, rules_for(customer, name)) for name in customer.feeds}
    offered = [_of_feed(name, feed) for name, feed in customer.feeds.items() if approved[name]]
    if customer.brand is not None:
        offered.append(_of_brand(customer.brand))
    return Choices((*offered, _standard(customer)), tuple(name for name in customer.feeds if not approved[name]))


def chosen(store: Store, customer: Customer, name: str, feed: str) -> str:
    """The feed of a file that a person called ``feed``. Raises ``UsageProblem`` where it was not offered."""
    if not name:
        raise UsageProblem("choose a file first")
    if feed not in {each.feed for each in choices(store, customer).offered}:
        raise UsageProblem("say first what is in the file: choose one of the kinds below")
    if feed != BULK_UPLOAD:
        return webupload.chosen_feed(customer, name, feed)
    if feed_for(customer, name) != BULK_UPLOAD:
        raise UsageProblem("a BulkUpload request is a file whose name ends with .xml")
    return webupload.chosen_feed(customer, name, None)


_MINUS = {"reject": "takes nobody off", "opt_out": "a number with a minus before it is opted out"}


def _standard(customer: Customer) -> Choice:
    effect = f"Adds numbers and tags; {_MINUS[customer.preformatted.minus]}."
    return Choice(PREFORMATTED, "Preformatted", f"No header; the number in column A, its tags in B, C, D… {effect}")


# What becomes of opted-in numbers that the file leaves out.
_OMITTED = {
    KEEP: "Numbers that the file leaves out stay as they are.",
    SUSPENDED: "Numbers that the file leaves out{of} are suspended until a file lists them again.",
    OUT: "Numbers that the file leaves out{of} are opted out; only their owners can opt in again.",
}
_CLEARED = "Numbers that the file leaves out lose their tags."
_TAGS = {TagRule.add: "The file's tags are added.", TagRule.set: "The file's tags replace those there are."}
_OF_FEED = ", of those that this kind of file has listed before,"


def _of_feed(name: str, feed: Feed) -> Choice:
    policy = for_mode(feed.mode, feed.omitted_tags)
    omitted = _omitted(policy).format(of=_OF_FEED if feed.omitted_scope == "feed" else "")
    return Choice(name, name, f"Usually called {feed.match}. {_TAGS[policy.tags]} {omitted}")


def _of_brand(brand: Brand) -> Choice:
    return Choice(BULK_UPLOAD, "XML", f"A BulkUpload request about the e-mail subscribers of brand {brand.id}.")


def _omitted(policy: Policy) -> str:
    return _CLEARED if policy.omitted_tags is TagRule.clear else _OMITTED[policy.omitted[Status.opted_in]]
