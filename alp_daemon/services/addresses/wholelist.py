"""A customer's list as a file, brought along at go-live or written out: its numbers', or its brand's subscribers'."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import IO

from alp_daemon.customers import Customer
from alp_daemon.errors import NotFound
from alp_daemon.services.addresses import history, importing, mailimport, subscribers
from alp_daemon.services.addresses.importing import Imported
from alp_daemon.store.store import Store


class ListKind(StrEnum):
    """What a list holds."""

    numbers = "numbers"
    subscribers = "subscribers"


def kind_meant(customer: Customer, name: str) -> ListKind:
    """A brand's id means its subscribers, and so does the id of a customer that has nothing but the brand."""
    is_brand = customer.brand is not None and (name != customer.id or not customer.feeds)
    return ListKind.subscribers if is_brand else ListKind.numbers


def export(store: Store, customer: Customer, kind: ListKind, status: str | None, out: IO[str]) -> int:
    """Writes the list, or those in one status, as CSV; returns how many rows. Raises ``NotFound`` without a brand."""
    if kind is ListKind.numbers:
        return history.export(store, customer.id, status, out)
    if customer.brand is None:
        raise NotFound(f"customer {customer.id} has no brand, so it has no subscribers")
    return subscribers.export(store, customer, status, out)


def bring(store: Store, customer: Customer, path: Path, by: str, now: datetime) -> Imported:
    """Merges a file in the form of ``export`` into the list that its header is of."""
    if customer.brand is not None and mailimport.is_of_subscribers(path):
        return mailimport.import_subscribers(store, customer, path, by, now)
    return importing.import_list(store, customer, path, by, now)
