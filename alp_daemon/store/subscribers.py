"""What a mail list has beside its addresses: their texts, interests, attributes, fields. No rule stands here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from alp_daemon.domain.subscribers import AddressBook, AttributeSets
from alp_daemon.store.lists import ListHead
from alp_daemon.store.store import Transaction, stamp


@dataclass(frozen=True, slots=True)
class Field:
    """A field of subscribers as its first upload defined it. ``demographic`` is "" for those that are none."""

    name: str
    type: str
    data_type: str
    demographic: str
    is_multiple: bool


def read_addresses(transaction: Transaction, head: ListHead | None) -> AddressBook:
    """Every address that the list has ever held."""
    if head is None:
        return AddressBook({}, 1)
    addresses = read_texts(transaction, head)
    known = dict(zip(addresses.values(), addresses, strict=True))
    return AddressBook(known, max(addresses, default=0) + 1)


def read_texts(transaction: Transaction, head: ListHead) -> dict[int, str]:
    """The addresses by key, in the order of their keys."""
    return transaction.read_texts("emails.part", head.id)


def key_of(transaction: Transaction, head: ListHead | None, address: str) -> int | None:
    """The key of an address; None where the list has never held it."""
    row = transaction.one("emails.find", list=head.id, address=address) if head else None
    return int(row["key"]) if row else None


def read_attributes(transaction: Transaction, head: ListHead | None) -> AttributeSets:
    if head is None:
        return AttributeSets({}, 1)
    known = transaction.read_texts("attribute_sets.part", head.id)
    return AttributeSets(known, max(known, default=0) + 1)


def keep_addresses(transaction: Transaction, head: ListHead, new: Iterable[tuple[int, str]]) -> None:
    """Keys and addresses of those that are new, sorted by both."""
    transaction.insert_emails(head.id, list(new))


def keep_attributes(transaction: Transaction, head: ListHead, new: Iterable[tuple[int, str]]) -> None:
    """Ids and texts of those that are new, sorted by id."""
    transaction.insert_attribute_sets(head.id, list(new))


def read_interests(transaction: Transaction, head: ListHead | None) -> list[str]:
    """Their names, sorted."""
    return [row["name"] for row in transaction.all("interests.all", list=head.id)] if head else []


def add_interest(transaction: Transaction, head: ListHead, name: str, by: str, now: datetime) -> bool:
    """``False``: there is one of this name."""
    return bool(transaction.run("interests.add", list=head.id, name=name, by=by, now=stamp(now)))


def read_fields(transaction: Transaction, head: ListHead | None) -> dict[str, Field]:
    rows = transaction.all("fields.all", list=head.id) if head else []
    return {
        row["name"]: Field(row["name"], row["type"], row["data_type"], row["demographic"], bool(row["is_multiple"]))
        for row in rows
    }


def keep_fields(transaction: Transaction, head: ListHead, fields: Iterable[Field], upload: int) -> None:
    """Makes the fields that are new; a field that is there stays what it is."""
    transaction.many(
        "fields.add",
        (
            {
                "list": head.id,
                "name": field.name,
                "type": field.type,
                "data_type": field.data_type,
                "demographic": field.demographic,
                "is_multiple": int(field.is_multiple),
                "upload": upload,
            }
            for field in fields
        ),
    )


def keep_target_groups(transaction: Transaction, head: ListHead, groups: Mapping[str, Iterable[str]]) -> None:
    transaction.many(
        "target_groups.add",
        ({"list": head.id, "field": field, "name": name} for field, names in groups.items() for name in names),
    )
