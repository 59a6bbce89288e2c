"""What the daemon does by itself, when the database fails it on the way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from alp_daemon.daemon.parts import Parts, assemble
from alp_daemon.daemon.rounds import look_at_customers, rounds_aside
from alp_daemon.domain.model import Evidence
from alp_daemon.errors import OutcomeUnknown, TryAgain
from alp_daemon.registry import MISSING_TOLERANCE
from alp_daemon.sections import WebSettings
from alp_daemon.services.decisions import holds
from alp_daemon.services.receiving.intake import Sender
from alp_daemon.settings import Settings
from alp_daemon.store import uploads
from alp_daemon.store.postgres import PostgresStore
from alp_daemon.store.store import Store, open_store
from tests.databases import Server
from tests.nodes.cut import Way
from tests.services.provider import NOW

CUSTOMERS = ("acme", "bolt")


class Site:
    """A daemon's parts for a role, of which none runs."""

    def __init__(self, folder: Path, address: str) -> None:
        self.address = address
        self.customers = folder / "customers"
        self.customers.mkdir()
        for id_ in CUSTOMERS:
            self.write(id_)
        places = {"data_dir": folder / "data", "customers_dir": self.customers, "database": address}
        self.settings = Settings(**places, web=WebSettings(port=0), node="here")
        self.store: Store = open_store(address)
        self._opened = [self.store]

    def write(self, customer: str) -> None:
        (self.customers / f"{customer}.yaml").write_text(
            f"name: {customer}\nkeyword: {customer.upper()}\nfeeds: {{}}\n"
        )

    def parts(self, role: str, address: str | None = None) -> Parts:
        parts = assemble(self.settings.model_copy(update={"database": address or self.address}), role)
        self._opened.append(parts.store)
        return parts

    def receive(self, parts: Parts, customer: str) -> int:
        incoming = parts.intake.begin(customer)
        incoming.file.write(b"2125550123,north\n")
        sender = Sender("api", customer)
        return parts.intake.receive(
            incoming, customer, "list.csv", "preformatted", sender, NOW, evidence=Evidence.proven
        )

    def states(self) -> dict[str, str]:
        """Of each customer's newest upload."""
        with self.store.read() as transaction:
            found = uploads.find(transaction, "uploads.list", customer=None, state=None, limit=9)
        return {upload.customer: upload.state for upload in reversed(found)}

    def close(self) -> None:
        for store in self._opened:
            store.close()


@pytest.fixture
def site(tmp_path: Path, postgres: Server) -> Iterator[Site]:
    site = Site(tmp_path, postgres.new())
    yield site
    site.close()
    postgres.forget()


def test_the_customers_return_is_followed_up_until_it_is_done(site: Site) -> None:
    parts = site.parts("worker")
    look_at_customers(parts, NOW)
    for id_ in CUSTOMERS:
        (site.customers / f"{id_}.yaml").unlink()
    gone = NOW + MISSING_TOLERANCE
    look_at_customers(parts, NOW)
    look_at_customers(parts, gone)
    for id_ in CUSTOMERS:
        site.receive(parts, id_)
        holds.hold_without_customer(site.store, id_, gone)
        site.write(id_)

    hasty = PostgresStore(site.address, busy_seconds=0.1)
    with site.store.write() as transaction:
        transaction.lock("holds", "acme")
        for _ in range(2):
            with pytest.raises(TryAgain):
                look_at_customers(replace(parts, store=hasty), gone + timedelta(seconds=5))
        hasty.close()
        with site.parts("worker").store.read() as other:
            assert [upload.customer for upload in uploads.find(other, "uploads.held")] == ["acme"]
    look_at_customers(parts, gone + timedelta(seconds=10))
    assert site.states() == {"acme": "received", "bolt": "received"}
    assert not parts.to_follow_up


def test_a_web_node_withdraws_what_its_sender_was_told_was_not_kept(site: Site, postgres: Server) -> None:
    way = Way(postgres.port)
    parts = site.parts("web", site.address.replace(f":{postgres.port}/", f":{way.port}/"))
    look_at_customers(parts, NOW)
    way.breaks = "after"
    with pytest.raises(OutcomeUnknown):
        site.receive(parts, "acme")
    assert site.states() == {"acme": "received"}
    rounds_aside(parts)["intake"].do(NOW)
    assert site.states() == {"acme": "discarded"}
    way.close()
