"""Files whose senders were told that nothing was kept: a record that appears all the same is withdrawn."""

from __future__ import annotations

from datetime import timedelta

from alp_daemon.services.processing import queue
from alp_daemon.services.receiving.arrival import Arrival, Sender
from alp_daemon.services.receiving.place import Place
from alp_daemon.services.receiving.unanswered import Unanswered
from tests.services.provider import Provider, numbers

OBJECT = "acme/0123456789abcdef"


def landed(acme: Provider, name: str = OBJECT) -> int:
    """A record whose commit has come to the database."""
    arrival = Arrival("acme", "append.csv", "", Sender("ftp", "acme"), acme.tick(), Place("append"), None)
    with acme.store.write() as transaction:
        return int(arrival.record(transaction, name, 3, "here")["id"])


def test_a_commit_that_comes_late_stops_nobodys_queue(acme: Provider) -> None:
    unanswered = Unanswered(acme.store)
    unanswered.note([OBJECT])
    unanswered.withdraw(acme.tick())
    upload = landed(acme)
    acme.send("append.csv", numbers(1))
    assert queue.due_customers(acme.store, acme.now) == []
    unanswered.withdraw(acme.tick(minutes=4))
    assert acme.upload(upload).state == "discarded"
    assert queue.due_customers(acme.store, acme.now) == ["acme"]


def test_other_files_stay(acme: Provider) -> None:
    unanswered = Unanswered(acme.store)
    unanswered.note([OBJECT])
    upload = landed(acme, "acme/another")
    unanswered.withdraw(acme.now)
    assert acme.upload(upload).state == "received"


def test_what_a_worker_has_is_withdrawn_once_it_is_given_back(acme: Provider) -> None:
    unanswered = Unanswered(acme.store)
    unanswered.note([OBJECT])
    upload = landed(acme)
    with acme.store.write() as transaction:
        transaction.run("uploads.settle", id=upload, evidence="assumed", note="")
        transaction.run("uploads.lease", id=upload, owner="worker", seen=None, until="9999", now="")
    unanswered.withdraw(acme.now)
    assert acme.upload(upload).state == "received"
    queue.give_back(acme.store, upload, "worker")
    unanswered.withdraw(acme.now)
    assert acme.upload(upload).state == "discarded"


def test_nobody_asks_for_ever(acme: Provider) -> None:
    unanswered = Unanswered(acme.store)
    unanswered.note([OBJECT])
    unanswered.withdraw(acme.now)
    unanswered.withdraw(acme.now + timedelta(minutes=5))
    upload = landed(acme)
    unanswered.withdraw(acme.now + timedelta(minutes=5))
    assert acme.upload(upload).state == "received"
