"""A brand's list follows from its events too, and so do the addresses and attributes behind it."""

from __future__ import annotations

import pytest

from alp_daemon.services.safekeeping.verify import verify
from tests.files.informz.requests import field
from tests.informz.brand import Brand


def faults(brand: Brand) -> list[str]:
    return [fault for each in verify(brand.store, "acme") for fault in each.faults]


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("DELETE FROM emails WHERE key = 1", "acme/mail: subscriber 1 has no e-mail address"),
        ("DELETE FROM attribute_sets WHERE id = 1", "acme/mail: set 1 of attributes is missing"),
        ("UPDATE attribute_sets SET attributes = '[]' WHERE id = 1", "acme/mail: set 1 of attributes is not as"),
        ("UPDATE addresses SET attrs = 0", "acme/mail: subscriber 1 does not stand as its events say"),
    ],
)
def test_what_somebody_edited_is_found(brand: Brand, statement: str, said: str) -> None:
    brand.say("a@example.com,7\nb@example.com,8\n", field("Points", 2, DataType="Integer"))
    brand.say("a@example.com,9\n", field("Points", 2), action="UnsubscribeSubscribers")
    assert faults(brand) == []
    with brand.store.write() as transaction:
        transaction._connection.execute(statement)
    assert [fault for fault in faults(brand) if fault.startswith(said)]
