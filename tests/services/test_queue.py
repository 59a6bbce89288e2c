"""What a lease may take: only what is in the queue, settled, and as it was seen."""

from __future__ import annotations

import pytest

from alp_daemon.services.processing import queue
from alp_daemon.store.store import stamp
from tests.services.provider import SENDER, Provider, numbers

LATER = "2027-01-01T00:00:00.000000Z"


def lease(acme: Provider, upload: int, *, seen: str | None = None, owner: str = "worker") -> int:
    with acme.store.write() as transaction:
        return transaction.run("uploads.lease", id=upload, owner=owner, seen=seen, until=LATER, now=stamp(acme.tick()))


def test_what_waits_in_the_queue(acme: Provider) -> None:
    upload = acme.send("append.csv", numbers(3))
    assert lease(acme, upload) == 1
    assert (acme.upload(upload).lease_owner, acme.upload(upload).attempts) == ("worker", 1)


def test_not_what_its_sender_began_to_rename_after_the_look(acme: Provider) -> None:
    upload = acme.send("append.csv", numbers(3))
    with acme.store.read() as transaction:
        assert transaction.one("uploads.next", customer="acme")["id"] == upload
    assert acme.intake.own.hold_back(upload, acme.tick())
    assert lease(acme, upload) == 0
    assert acme.intake.own.rename(upload, "acme", "append_tags.csv", "", acme.tick()), "it is still its sender's"
    assert lease(acme, upload) == 1


def test_not_what_is_not_settled(acme: Provider) -> None:
    incoming = acme.intake.begin("acme")
    incoming.file.write(b"Phone,Tags\n")
    upload = acme.intake.receive(incoming, "acme", "append.csv", "", SENDER, acme.tick())
    assert lease(acme, upload) == 0


@pytest.mark.parametrize(("seen", "taken"), [(None, 0), ("another", 0), ("first", 1)])
def test_not_what_another_has_taken_since_the_look(acme: Provider, seen: str | None, taken: int) -> None:
    upload = acme.send("append.csv", numbers(3))
    lease(acme, upload, owner="first")
    assert lease(acme, upload, seen=seen) == taken


def test_a_dead_owners_upload_is_claimed(acme: Provider) -> None:
    upload = acme.send("append.csv", numbers(3))
    lease(acme, upload, owner="first")
    acme.wait(days=365)
    claimed = queue.claim(acme.store, acme.settings, "acme", "second", acme.now)
    assert claimed is not None
    assert (claimed.id, claimed.lease_owner) == (upload, "second")
