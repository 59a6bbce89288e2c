"""What a file did to a list, or would do, in sentences for the people of the customer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from alp_daemon.customers import BULK_UPLOAD, Customer


@dataclass(frozen=True, slots=True)
class _Wording:
    """How one figure of a report's ``changes`` is said once it has happened, and while it has not.

    ``{n}`` is the count with its noun, ``{was}``, ``{is}`` and ``{has}`` go with it.
    """

    key: str
    done: str
    would: str


_OF_NUMBERS = (
    _Wording("opted_in", "{n} {was} added.", "It would add {n}."),
    _Wording(
        "reactivated",
        "{n} {was} suspended and {is} active again: the file lists what an earlier one left out.",
        "It would make {n} active again that {is} suspended.",
    ),
    _Wording(
        "suspended",
        "{n} {was} suspended: no messages go there until a file lists them again.",
        "It would suspend {n}.",
    ),
    _Wording(
        "opted_out",
        "{n} {was} opted out: only by texting {keyword} can one opt in again.",
        "It would opt out {n}.",
    ),
    _Wording("tags_added", "{tags} {was} added to numbers.", "It would add {tags} to numbers."),
    _Wording("tags_removed", "{tags} {was} taken off numbers.", "It would take {tags} off numbers."),
    _Wording("unchanged", "{n} {was} as the file says already.", "{n} would stay as they are."),
    _Wording(
        "blocked_opted_out",
        "{n} of the file {has} opted out and {was} left alone: only by texting {keyword} can one opt in again.",
        "{n} of the file {has} opted out and would be left alone.",
    ),
    _Wording(
        "never_seen_before",
        "{n} had never been on this list before.",
        "{n} of the file {has} never been on this list before.",
    ),
)
_OF_ADDRESSES = (
    _Wording("opted_in", "{n} {was} subscribed.", "It would subscribe {n}."),
    _Wording("resubscribed", "{n} {was} subscribed again.", "It would subscribe {n} again."),
    _Wording("unsubscribed", "{n} {was} unsubscribed.", "It would unsubscribe {n}."),
    _Wording("tags_added", "{tags} {was} added.", "It would add {tags}."),
    _Wording("tags_removed", "{tags} {was} taken away.", "It would take {tags} away."),
    _Wording("attributes_changed", "{n} {has} other details than before.", "It would change the details of {n}."),
    _Wording("unchanged", "{n} {was} as the file says already.", "{n} would stay as they are."),
    _Wording(
        "blocked_opted_out",
        "{n} of the file {has} opted out and {was} left alone.",
        "{n} of the file {has} opted out and would be left alone.",
    ),
    _Wording(
        "never_seen_before",
        "{n} had never been on this list before.",
        "{n} of the file {has} never been on this list before.",
    ),
)

_NOTHING_DONE = "Nothing had to be changed: the list says already what the file says."
_DOES_NOTHING = {"unchanged", "blocked_opted_out", "never_seen_before"}


def of_changes(changes: Mapping[str, int], feed: str | None, customer: Customer, *, done: bool) -> list[str]:
    """A sentence for each figure of a report's ``changes`` that is not zero.

    ``done``: they have happened; otherwise they would, if the file were released.
    """
    is_mail = feed == BULK_UPLOAD
    nouns = ("e-mail address", "e-mail addresses") if is_mail else ("number", "numbers")
    tags = ("interest", "interests") if is_mail else ("tag", "tags")
    sentences = [
        _said(each.done if done else each.would, changes[each.key], nouns, tags, customer.keyword)
        for each in (_OF_ADDRESSES if is_mail else _OF_NUMBERS)
        if changes.get(each.key)
    ]
    changed = any(n for key, n in changes.items() if key not in _DOES_NOTHING)
    return sentences if changed or not done else [_NOTHING_DONE, *sentences]


def counted(n: int, one: str, many: str) -> str:
    return f"{n:,} {one if n == 1 else many}"


def _said(wording: str, n: int, nouns: tuple[str, str], tags: tuple[str, str], keyword: str) -> str:
    was, is_, has = ("was", "is", "has") if n == 1 else ("were", "are", "have")
    words = {"n": counted(n, *nouns), "tags": counted(n, *tags), "was": was, "is": is_, "has": has, "keyword": keyword}
    return wording.format(**words)
