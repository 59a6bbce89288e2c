"""A provider with two customers: real YAML, a real database, a real spool."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from alp_daemon.domain.model import Evidence
from alp_daemon.registry import Registry
from alp_daemon.sections import SmtpSettings
from alp_daemon.services.receiving.intake import Intake, Sender
from alp_daemon.settings import Settings
from alp_daemon.store.store import Store, open_store

NOW = datetime(2026, 11, 21, 6, 0, tzinfo=UTC)

ACME = """\
name: Acme Water
keyword: ACME
feeds:
  members:
    match: "members*.csv"
    mode: append
    phones: [Phone]
  hashed:
    match: "hashed*.csv"
    mode: append
    phones: [Phone]
    sidecar: sha256
    sidecar_wait: 10m
  done:
    match: "done*.csv"
    mode: append
    phones: [Phone]
    sidecar: done
"""
SCHOOL = "name: School\nkeyword: SCHOOL\nfeeds: {}\n"


@dataclass
class World:
    """The intake and what stands around it. ``rung`` counts how often something became due, ``due`` says it once."""

    settings: Settings
    registry: Registry
    store: Store
    rung: list[None] = field(default_factory=list)
    due: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.intake = Intake(self.store, self.settings, self.registry, on_due=self._ring)

    def _ring(self) -> None:
        self.rung.append(None)
        self.due.set()

    def send(
        self,
        name: str,
        content: bytes = b"Phone\n2125550123\n",
        *,
        folder: str = "",
        customer: str = "acme",
        session: str = "s1",
        now: datetime = NOW,
        evidence: Evidence | None = Evidence.assumed,
    ) -> int:
        """One upload by FTP."""
        incoming = self.intake.begin(customer)
        incoming.file.write(content)
        sender = Sender("ftp", customer, "192.0.2.7", session)
        return self.intake.receive(incoming, customer, name, folder, sender, now, evidence=evidence)

    def row(self, upload: int) -> dict:
        with self.store.read() as transaction:
            return dict(transaction.one("uploads.get", id=upload))

    def rows(self, customer: str | None = None) -> list[dict]:
        """All uploads in the order in which the queue would work them."""
        with self.store.read() as transaction:
            rows = transaction.all("uploads.list", customer=customer, state=None, limit=-1)
        return sorted(map(dict, rows), key=lambda row: (row["arrived_at"], row["id"]))

    def content(self, upload: int) -> bytes:
        return (self.settings.spool_dir / self.row(upload)["object"]).read_bytes()

    def is_due(self, upload: int) -> bool:
        row = self.row(upload)
        return row["state"] == "received" and row["waits_for"] is None and row["evidence"] is not None

    def lease(self, upload: int, now: datetime = NOW) -> None:
        """A worker takes the upload."""
        with self.store.write() as transaction:
            until = (now + timedelta(minutes=2)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            now_text = now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            assert transaction.run("uploads.lease", id=upload, owner="w", seen=None, until=until, now=now_text)

    def spooled(self) -> list[Path]:
        """Every file in the spool, finished or not."""
        return [path for path in self.settings.spool_dir.rglob("*") if path.is_file()]

    def home(self, customer: str = "acme") -> Path:
        return self.intake.prepare(customer)


def build(folder: Path) -> World:
    """A world in ``folder``; what lies there already is used."""
    customers = folder / "customers"
    customers.mkdir(exist_ok=True)
    (customers / "acme.yaml").write_text(ACME)
    (customers / "school.yaml").write_text(SCHOOL)
    registry = Registry(customers)
    registry.reload(NOW)
    assert set(registry.all()) == {"acme", "school"}, registry.problems
    smtp = SmtpSettings(operators=("ops@provider.example",))
    settings = Settings(data_dir=folder / "data", customers_dir=customers, smtp=smtp)
    return World(settings, registry, open_store(settings.database_path))
