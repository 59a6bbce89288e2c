"""What a customer's settings must not say together, and what they should not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from alp_daemon.customers.model import Customer
from alp_daemon.customers.names import BULK_UPLOAD, PREFORMATTED, common_name
from alp_daemon.domain.keyword import Words, keyword_conflict
from alp_daemon.problem import Severity
from alp_daemon.yamlfile import Where


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong or doubtful about the value at ``where``."""

    where: Where
    message: str
    severity: Severity = "error"


def findings(customer: Customer | None, words: Words) -> Iterator[Finding]:
    """Everything that only the customer as a whole can tell."""
    if customer is None:
        return
    yield from _keyword_that_opts_nobody_in(customer, words)
    yield from _reserved_feed_name(customer)
    yield from _modes_outside_the_plan(customer)
    yield from _overlapping_patterns(customer)
    yield from _removing_feeds_on_one_list(customer)


def _keyword_that_opts_nobody_in(customer: Customer, words: Words) -> Iterator[Finding]:
    if conflict := keyword_conflict(customer.keyword, words):
        yield Finding(("keyword",), conflict)


def _reserved_feed_name(customer: Customer) -> Iterator[Finding]:
    if PREFORMATTED in customer.feeds:
        yield Finding(
            ("feeds", PREFORMATTED),
            "this name is kept for the feed that every customer has; choose another (its one setting is the "
            "top key preformatted: {minus: …})",
        )
    if BULK_UPLOAD in customer.feeds:
        yield Finding(("feeds", BULK_UPLOAD), "this name is kept for the XML files of a brand; choose another")


def _modes_outside_the_plan(customer: Customer) -> Iterator[Finding]:
    plan = dict.fromkeys((PREFORMATTED, *customer.modes))
    for name, feed in customer.feeds.items():
        if feed.mode not in plan:
            yield Finding(
                ("feeds", name, "mode"),
                f"{feed.mode} is not in this customer's plan (modes: {', '.join(plan)}); "
                "add it to modes, or choose one of these",
            )


def _overlapping_patterns(customer: Customer) -> Iterator[Finding]:
    for (first, one), (second, other) in combinations(customer.feeds.items(), 2):
        if name := common_name(one.match, other.match):
            yield Finding(
                ("feeds", second, "match"),
                f'a file such as "{name}" matches feed "{first}" too, which has it because it comes first',
                "warning",
            )


def _removing_feeds_on_one_list(customer: Customer) -> Iterator[Finding]:
    if len(customer.feeds) < 2:
        return
    from alp_daemon.domain.policy import MODES  # brings numpy, which reading settings does not need

    removing = [name for name, feed in customer.feeds.items() if MODES[feed.mode].removes]
    literal = [name for name in removing if customer.feeds[name].omitted_scope == "list"]
    for name in literal if len(removing) > 1 else ():
        others = ", ".join(f'"{other}"' for other in removing if other != name)
        yield Finding(
            ("feeds", name, "mode"),
            f"{customer.feeds[name].mode} also removes the numbers that only {others} lists; "
            "omitted_scope: feed keeps the feeds apart",
            "warning",
        )
