"""The connection breaks in the middle of a commit: nothing is lost and nobody waits for ever."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

from alp_daemon.customers import load_file
from alp_daemon.domain.model import Evidence
from alp_daemon.errors import OutcomeUnknown
from alp_daemon.registry import Registry
from alp_daemon.services.processing import queue
from alp_daemon.services.processing.process import work_next
from alp_daemon.services.receiving.intake import Intake, Sender, Verdict
from alp_daemon.settings import Settings
from alp_daemon.store.store import open_store
from tests.databases import Server
from tests.nodes.cut import Way
from tests.services.provider import NOW

WHOLE = Verdict(Evidence.assumed)
ACME = "name: Acme\nkeyword: ACME\nfeeds: {}\n"


class Site:
    """One customer, whose files come in over a way that may break."""

    def __init__(self, folder: Path, address: str, way: Way, port: int) -> None:
        (folder / "acme.yaml").write_text(ACME)
        self.customer = load_file(folder / "acme.yaml")
        self.settings = Settings(data_dir=folder / "data", database=address, node="here")
        self.store = open_store(address)
        self.way = way
        self.broken = open_store(address.replace(f":{port}/", f":{way.port}/"))
        self.intake = Intake(self.broken, self.settings, Registry.of(self.customer))

    def receive(self) -> int:
        incoming = self.intake.begin("acme")
        incoming.file.write(b"2125550123,north\n")
        return self.intake.receive(incoming, "acme", "list.csv", "", Sender("ftp", "acme"), NOW)

    def states(self) -> list[str]:
        with self.store.read() as transaction:
            return [row["state"] for row in transaction.all("uploads.list", customer="acme", state=None, limit=9)]

    def close(self) -> None:
        self.broken.close()
        self.store.close()
        self.way.close()


@pytest.fixture
def site(tmp_path: Path, postgres: Server) -> Iterator[Site]:
    address = postgres.new()
    site = Site(tmp_path, address, Way(postgres.port), postgres.port)
    yield site
    site.close()
    postgres.forget()


@pytest.mark.parametrize(("breaks", "left"), [("before", []), ("after", ["received"])])
def test_a_file_whose_sender_was_told_otherwise_blocks_nobody(
    site: Site, breaks: Literal["before", "after"], left: list[str]
) -> None:
    site.way.breaks = breaks
    with pytest.raises(OutcomeUnknown, match="the connection broke during a commit"):
        site.receive()
    assert site.states() == left
    again = site.receive()
    site.intake.settle({again: WHOLE})
    site.intake.upkeep.tick(NOW)
    assert site.states() == ["received", *(["discarded"] if left else [])]
    assert queue.due_customers(site.store, NOW) == ["acme"]
    report = work_next(site.store, site.settings, site.customer, "worker", NOW)
    assert report is not None
    assert (report["upload"], report["state"]) == (again, "applied")


def test_a_worker_that_does_not_know_whether_it_has_committed_applies_nothing_again(site: Site) -> None:
    upload = site.receive()
    site.intake.settle({upload: WHOLE})
    site.way.breaks, site.way.behind = "after", b"The lease is the fence"
    with pytest.raises(OutcomeUnknown):
        work_next(site.broken, site.settings, site.customer, "one", NOW)
    assert site.states() == ["applied"]
    assert work_next(site.store, site.settings, site.customer, "two", NOW) is None
    with site.store.read() as transaction:
        (head,) = transaction.all("lists.all")
        assert [row["upload"] for row in transaction.all("changes.of_list", list=head["id"])] == [upload]
