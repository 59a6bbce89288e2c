"""One e-mail subscriber at a time: how one stands and why, and taking one off by hand."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import numpy as np

from alp_daemon import log
from alp_daemon.customers import mail_list
from alp_daemon.domain.model import Status
from alp_daemon.domain.policy import UNSUBSCRIBE
from alp_daemon.domain.subscribers import AddressBook
from alp_daemon.errors import NotFound, UsageProblem
from alp_daemon.files.informz import address
from alp_daemon.services.addresses import optin
from alp_daemon.services.addresses.history import occurrence
from alp_daemon.services.addresses.optin import Sender
from alp_daemon.store import lists, subscribers, tagsets
from alp_daemon.store.lists import ListHead
from alp_daemon.store.store import Store, Transaction

Story = dict[str, Any]


def story(store: Store, customer: str, email: str) -> Story:
    """How a customer's subscriber stands, and everything that ever happened to the address. Raises ``NotFound``."""
    wanted = parse(email)
    with store.read() as transaction:
        head = lists.open_list(transaction, mail_list(customer))
        key = subscribers.key_of(transaction, head, wanted)
        if head is None or key is None:
            raise NotFound(f"nobody of this address has ever been on the list of {customer}")
        return _story(transaction, head, wanted, key)


def unsubscribe(store: Store, customer: str, email: str, sender: Sender, now: datetime) -> Story:
    """Sees to it that nobody writes to this address again; recorded also where nothing changes."""
    wanted = parse(email)
    with store.write() as transaction:
        head = lists.create_list(transaction, mail_list(customer), now)
        key = subscribers.key_of(transaction, head, wanted) or _taken_in(transaction, head, wanted)
        before = lists.read_state(transaction, head, np.array([key], np.int64)).status.tolist()
        optin.write(transaction, mail_list(customer), UNSUBSCRIBE, key, (), sender, now)
        after = _story(transaction, head, wanted, key)
    changed = before != [Status[after["status"]]]
    log.info("command", command="unsubscribe", customer=customer, changed=changed, actor=sender.actor)
    return {**after, "changed": changed}


def parse(text: str) -> str:
    """The address as the list has it. Raises ``UsageProblem``."""
    found = address.parse(text)
    if found is None:
        raise UsageProblem("this is no e-mail address; expected one such as name@example.com")
    return found


def _taken_in(transaction: Transaction, head: ListHead, wanted: str) -> int:
    highest = transaction.one("emails.highest", list=head.id)
    assert highest is not None
    book = AddressBook({}, highest["key"] + 1)
    (key,) = book.take_in([wanted]).tolist()
    subscribers.keep_addresses(transaction, head, book.take_new())
    return int(key)


def _story(transaction: Transaction, head: ListHead, wanted: str, key: int) -> Story:
    state = lists.read_state(transaction, head, np.array([key], np.int64))
    events = transaction.all("events.of_address", list=head.id, key=key)
    used = [event[column] for event in events for column in ("tags_before", "tags_after")]
    sets = tagsets.of_ids(transaction, head.id, [*used, *state.tag_set.tolist()])
    return {
        "email": wanted,
        "status": Status(int(state.status[0])).name if len(state) else Status.absent.name,
        "interests": list(sets[int(state.tag_set[0])]) if len(state) else [],
        "attributes": _attributes(transaction, head, int(state.attrs[0])) if len(state) else {},
        "history": [
            {
                **occurrence(event),
                "interests_before": list(sets[event["tags_before"]]),
                "interests_after": list(sets[event["tags_after"]]),
                "attributes_before": _attributes(transaction, head, event["attrs_before"]),
                "attributes_after": _attributes(transaction, head, event["attrs_after"]),
            }
            for event in events
        ],
    }


def _attributes(transaction: Transaction, head: ListHead, id_: int) -> dict[str, Any]:
    row = transaction.one("attribute_sets.get", list=head.id, id=id_)
    attributes: dict[str, Any] = json.loads(row["attributes"]) if row else {}
    return attributes
