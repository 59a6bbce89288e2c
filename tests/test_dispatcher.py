"""The dispatcher hands out only what may be worked now; the rest waits where a person sees it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic, sleep

import pytest

from alp_daemon.daemon.dispatcher import Dispatcher
from alp_daemon.domain.model import Evidence
from alp_daemon.registry import MISSING_TOLERANCE, CustomerStatus, Registry
from alp_daemon.services.decisions import holds
from alp_daemon.services.receiving.intake import Intake, Sender
from alp_daemon.settings import Settings
from alp_daemon.store import uploads
from alp_daemon.store.store import Store, open_store
from alp_daemon.store.uploads import Upload

ACME = "name: Acme\nkeyword: ACME\nfeeds: {}\n"


class Site:
    """One customer, and a dispatcher with one worker that nothing was started for yet."""

    def __init__(self, folder: Path) -> None:
        self.yaml = folder / "customers" / "acme.yaml"
        self.yaml.parent.mkdir()
        self.yaml.write_text(ACME)
        settings = Settings(data_dir=folder / "data", customers_dir=self.yaml.parent, workers=1)
        self.store: Store = open_store(settings.database_path)
        self.registry = Registry(settings.customers_dir)
        self.dispatcher = Dispatcher(self.store, settings, self.registry)
        self.intake = Intake(self.store, settings, self.registry, on_due=self.dispatcher.bell)
        self.source = folder / "members.csv"
        self.source.write_text("2125550123,north\n")

    def send(self, customer: str = "acme", *, before: timedelta = timedelta()) -> int:
        """A file that came so long before now."""
        sender = Sender("cli", "operator")
        now = datetime.now(UTC) - before
        return self.intake.take(
            self.source, customer, "members.csv", "preformatted", sender, now, evidence=Evidence.proven
        )

    def upload(self, upload: int) -> Upload:
        with self.store.read() as transaction:
            return uploads.get(transaction, upload)

    def becomes(self, upload: int, state: str) -> bool:
        until = monotonic() + 30
        while monotonic() < until:
            if self.upload(upload).state == state:
                return True
            sleep(0.05)
        return False


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    yield site
    site.dispatcher.stop(5)


def test_files_of_a_customer_whose_yaml_is_gone_are_held_until_it_is_back(site: Site) -> None:
    now = datetime.now(UTC)
    site.registry.reload(now - timedelta(minutes=1))
    site.yaml.unlink()
    site.registry.reload(now - MISSING_TOLERANCE)
    assert site.registry.status("acme", now) is CustomerStatus.missing
    upload = site.send()
    site.dispatcher.start()
    assert site.becomes(upload, "held")

    site.yaml.write_text(ACME)
    assert site.registry.reload(now).returned == ("acme",)
    assert holds.requeue_returned(site.store, "acme", now) == [upload]
    site.dispatcher.bell()
    assert site.becomes(upload, "applied")


def test_a_file_of_a_customer_that_is_not_known_yet_waits_a_moment_for_it(site: Site) -> None:
    """Another node has read the new customer's file already."""
    nobodys, early = site.send("nobody", before=MISSING_TOLERANCE), site.send("acme")
    site.dispatcher.start()
    assert site.becomes(nobodys, "held")
    assert site.upload(early).state == "received"

    site.registry.reload(datetime.now(UTC))
    assert site.becomes(early, "applied")
    assert site.upload(early).held_at is None
