"""Undo of requests about subscribers: an unsubscription by name stands, whoever has it, in vain or not."""

from __future__ import annotations

import pytest

from alp_daemon.services.addresses import subscriber
from alp_daemon.services.addresses.optin import Sender
from alp_daemon.services.decisions.undo import undo
from alp_daemon.services.reports.report import Report
from tests.informz.brand import Brand

BOTH = "a@example.com\nb@example.com"


@pytest.fixture
def wrong(brand: Brand) -> Report:
    """A request that has unsubscribed both who were there."""
    brand.say(BOTH)
    return brand.say(BOTH, action="UnsubscribeSubscribers")


def undone(brand: Brand, report: Report) -> tuple[int, int, int]:
    found = undo(brand.store, report["upload"], "Ann", brand.tick(), anyway=True)
    return found.reversed, found.kept, found.refused


def test_it_is_taken_back(brand: Brand, wrong: Report) -> None:
    assert undone(brand, wrong) == (2, 0, 0)
    assert brand.standing() == {"a@example.com": "opted_in", "b@example.com": "opted_in"}


@pytest.mark.parametrize("records", ["a@example.com", BOTH], ids=["another file", "the same file"])
def test_whom_another_request_names_stays_unsubscribed(brand: Brand, wrong: Report, records: str) -> None:
    brand.say(records, action="UnsubscribeSubscribers")
    again = records.count("@")
    assert undone(brand, wrong) == (2 - again, again, 0)
    assert brand.standing()["a@example.com"] == "unsubscribed"


def test_unless_that_was_undone_itself(brand: Brand, wrong: Report) -> None:
    again = brand.say("a@example.com", action="UnsubscribeSubscribers")
    assert undone(brand, again) == (0, 0, 0)
    assert undone(brand, wrong) == (2, 0, 0)


def test_whose_own_wish_it_was_is_refused(brand: Brand, wrong: Report) -> None:
    end_user, operator = Sender("Ann", "end_user", "cli"), Sender("Ann", "operator", "cli")
    subscriber.unsubscribe(brand.store, "acme", "a@example.com", end_user, brand.tick())
    subscriber.unsubscribe(brand.store, "acme", "b@example.com", operator, brand.tick())
    assert undone(brand, wrong) == (0, 1, 1)
    assert set(brand.standing().values()) == {"unsubscribed"}
