"""Whatever somebody edits past the program is found, and nothing is found where nobody did."""

from __future__ import annotations

import pytest

from alp_daemon.errors import NotFound
from alp_daemon.services.decisions.undo import undo
from alp_daemon.services.safekeeping.verify import verify
from tests.databases import sqlite_only
from tests.services.provider import Provider, number, numbers

NUMBERS = "+1212555"


@pytest.fixture
def worked(acme: Provider) -> Provider:
    """Something of everything that writes events: files of several modes, people, an undo, an opt-out by a file."""
    acme.process("append_tags.csv", {number(1): "a|b", number(2): "", number(3): "ü"})
    acme.process("soft_opt_out.csv", numbers(2))
    acme.text(number(1), "STOP", "m1")
    acme.command("opt_out", number(9))
    acme.process("append.csv", {number(4): "b"})
    undo(acme.store, 3, "Ann", acme.tick())
    acme.process("append.csv", {number(4): "b", number(1): "c"})
    acme.configure({}, preformatted={"minus": "opt_out"})
    acme.process("any.csv", f"{number(5)},x\n-{number(2)}\n", folder="preformatted")
    return acme


def faults(provider: Provider) -> list[str]:
    return [fault for each in verify(provider.store) for fault in each.faults]


def edit(provider: Provider, statement: str) -> None:
    with provider.store.write() as transaction:
        assert transaction._connection.execute(statement).rowcount > 0, "nothing was edited"


def test_what_nobody_edited_is_faultless(worked: Provider) -> None:
    (found,) = verify(worked.store, "acme")
    assert found.faults == ()
    assert (found.list, found.addresses) == ("acme", 7)
    assert found.events == sum(row["events"] for row in worked.rows("changes.of_list", list=1))


TAMPERED = {
    "an address's status": ("UPDATE addresses SET status = 1 WHERE key = 12125550001", "does not stand as its events"),
    "an address's tags": ("UPDATE addresses SET tag_set = 0 WHERE key = 12125550003", "does not stand as its events"),
    "an address's attributes": ("UPDATE addresses SET attrs = 7 WHERE key = 12125550003", "does not stand"),
    "an address taken away": ("DELETE FROM addresses WHERE key = 12125550003", "does not stand as its events"),
    "an address added": (
        "INSERT INTO addresses (list, key, status, tag_set) VALUES (1, 12125559999, 1, 0)",
        "does not stand as its events",
    ),
    "a feed's bit": ("UPDATE addresses SET feeds = 1024 WHERE key = 12125550003", "by a feed that the list does not"),
    "whom an upload listed": (
        "UPDATE addresses SET key = 17 WHERE key = 12125550001",
        "is said to have listed",
    ),
    "a feed": ("DELETE FROM feed_bits", "by a feed that the list does not know"),
    "an event's status": ("UPDATE events SET status_after = 1 WHERE status_after = 3", "the history was changed"),
    "an event taken away": ("DELETE FROM events WHERE version = 1 AND key = 12125550001", "names another number"),
    "an event added": (
        "INSERT INTO events (list, version, key, status_before, status_after, tags_before, tags_after)"
        " VALUES (1, 99, 12125559999, 0, 1, 0, 0)",
        "1 events belong to no change",
    ),
    "who did it": ("UPDATE changes SET actor = 'nobody' WHERE version = 2", "at version 2 or later"),
    "why it was done": ("UPDATE changes SET source = 'end_user' WHERE version = 1", "at version 1 or later"),
    "how many events a change has": ("UPDATE changes SET events = 1 WHERE version = 1", "version 1 names another"),
    "the last change": ("DELETE FROM changes WHERE version = (SELECT max(version) FROM changes)", "was changed"),
    "a list's digest": ("UPDATE lists SET digest = changes.digest FROM changes WHERE changes.version = 1", "changed"),
    "a set of tags taken away": ("DELETE FROM tag_sets WHERE id = 1", "set 1 of tags is missing"),
    "a set of tags": ("UPDATE tag_sets SET tags = 'b;a' WHERE tags = 'a;b'", "not as this program writes them"),
    "what is charged": ("UPDATE uploads SET never_seen = 1 WHERE id = 1", "is charged for 1 addresses"),
    "what an upload did": ("UPDATE uploads SET state = 'rejected' WHERE id = 1", "which was never applied"),
    "an upload": ("DELETE FROM uploads WHERE id = 1", "which was never applied"),
    "the version that an upload made": ("UPDATE uploads SET version = 7 WHERE id = 1", "says that it made version 7"),
    "a report": ("DELETE FROM reports WHERE upload = 1", "has no report"),
    "a report's figures": (
        """UPDATE reports SET json = replace(json, '"opted_in": 3', '"opted_in": 2') WHERE upload = 1""",
        "says opted_in 2, and its events say 3",
    ),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_what_somebody_edited_is_found(worked: Provider, what: str) -> None:
    statement, said = TAMPERED[what]
    if what == "an upload":
        edit(worked, "DELETE FROM reports WHERE upload = 1")
    if what == "the last change":
        edit(worked, "UPDATE uploads SET version = NULL WHERE version IS NOT NULL")
    edit(worked, statement)
    found = faults(worked)
    assert [fault for fault in found if said in fault], found
    assert all(fault.startswith("acme: ") for fault in found)
    assert NUMBERS not in "".join(found).replace("•", ""), "no full number"


def test_a_list_taken_away_is_found(worked: Provider) -> None:
    with worked.store.write() as transaction:
        for table in ("tag_sets", "feed_bits", "lists"):
            transaction._connection.execute(f"DELETE FROM {table}")
        other = "UPDATE changes SET list = 7"
        transaction._connection.execute(other)
    assert faults(worked) == ["list 7: it has a history, and is on no list"]


@sqlite_only
def test_rows_edited_past_their_triggers_are_found(acme: Provider) -> None:
    acme.process("append.csv", numbers(2_000))
    assert faults(acme) == []
    with acme.store.write() as transaction, transaction.without_triggers("addresses"):
        transaction._connection.execute("UPDATE addresses SET status = 2")
    assert ["past their triggers" in fault for fault in faults(acme)] == [True]


def test_an_edit_that_is_undone_leaves_no_trace(worked: Provider) -> None:
    edit(worked, "UPDATE addresses SET status = 1 WHERE key = 12125550001")
    edit(worked, "UPDATE addresses SET status = 3 WHERE key = 12125550001")
    assert faults(worked) == []


def test_a_customer_without_a_list(worked: Provider) -> None:
    with pytest.raises(NotFound, match="there is no list of 'other'"):
        verify(worked.store, "other")


def test_first_difference_names_its_version(worked: Provider) -> None:
    edit(worked, "UPDATE events SET tags_before = 3 WHERE version = 2 AND key = 12125550003")
    assert any("in version 2 does not begin where the address stood" in fault for fault in faults(worked))
