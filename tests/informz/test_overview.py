"""A list of subscribers beside the list of numbers of the same customer, as operators see both."""

from __future__ import annotations

from alp_daemon.services.operations.metrics import Metrics
from alp_daemon.services.web.overview import overview
from tests.informz.brand import Brand


def test_both_are_shown_as_their_customers(brand: Brand) -> None:
    brand.say("a@example.com\nb@example.com\n")
    brand.command("opt_in", "+12125550123")
    found = overview(brand.store, Metrics(brand.store), brand.now).lists
    assert [(each.customer, each.is_mail, each.sizes["opted_in"]) for each in found] == [
        ("acme", False, 1),
        ("acme", True, 2),
    ]
    assert all(each.last_file_at for each in found)
