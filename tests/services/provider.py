"""A provider with one customer: a real configuration file, a real database, a real spool, and a clock in hand."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from alp_daemon.customers import Customer, load_file
from alp_daemon.domain.model import Evidence
from alp_daemon.registry import Registry
from alp_daemon.sections import SmtpSettings
from alp_daemon.services.addresses import history, inbound, optin
from alp_daemon.services.addresses.codes import addressee
from alp_daemon.services.decisions import approval
from alp_daemon.services.processing.process import work_next
from alp_daemon.services.receiving.intake import Intake, Sender
from alp_daemon.services.reports.report import Report
from alp_daemon.settings import Settings
from alp_daemon.store import uploads
from alp_daemon.store.store import Store, open_store
from alp_daemon.store.uploads import Upload
from tests import databases

NOW = datetime(2026, 11, 21, 6, 0, tzinfo=UTC)
SENDER = Sender("ftp", "acme", "192.0.2.7")
MODES = ("append", "append_tags", "soft_opt_out", "soft_opt_out_tags", "hard_opt_out")

File = Mapping[str, str]
"""What a test file lists: numbers with their tags, joined with ``|``."""


def number(index: int) -> str:
    """One of 10,000 valid numbers."""
    return f"+1212555{index:04}"


def numbers(count: int, start: int = 0) -> dict[str, str]:
    """A file of so many numbers without tags."""
    return {number(index): "" for index in range(start, start + count)}


def csv(rows: File) -> str:
    return "Phone,Tags\n" + "".join(f"{phone},{tags}\n" for phone, tags in rows.items())


def feed(mode: str, name: str | None = None, **extra: Any) -> dict[str, Any]:
    """A feed that takes the files of ``csv``."""
    return {
        "match": f"{name or mode}.csv",
        "mode": mode,
        "phones": ["Phone"],
        "tags": [{"column": "Tags", "split": "|"}],
        **extra,
    }


@dataclass
class Provider:
    """Times move on by a second with each thing done, unless a test moves them."""

    folder: Path
    now: datetime = NOW
    store: Store = field(init=False)
    settings: Settings = field(init=False)
    customer: Customer = field(init=False)

    def __post_init__(self) -> None:
        is_new = not (self.folder / "data").exists()
        (self.folder / "customers").mkdir(exist_ok=True)
        self.settings = Settings(
            data_dir=self.folder / "data",
            database=databases.of(self.folder),
            customers_dir=self.folder / "customers",
            node="here",
            smtp=SmtpSettings(operators=("ops@provider.example",)),
        )
        self.store = open_store(self.settings.database_address)
        self.configure({mode: feed(mode) for mode in MODES})
        if is_new:
            self.approve(*MODES)

    @property
    def intake(self) -> Intake:
        return Intake(self.store, self.settings, Registry.of(self.customer))

    def configure(self, feeds: Mapping[str, Any], **top: Any) -> None:
        """Writes the customer's file (JSON is YAML) and reads it."""
        path = self.folder / "customers" / "acme.yaml"
        rules = {"name": "Acme Water", "keyword": "ACME", "modes": MODES, "report_to": ["reports@acme.example"]}
        path.write_text(json.dumps({**rules, "feeds": feeds, **top}))
        self.customer = load_file(path)

    def approve(self, *feeds: str) -> None:
        sample = self.folder / "sample.csv"
        sample.write_text(csv(numbers(3)))
        for name in feeds:
            approval.approve(self.store, self.settings, self.customer, name, sample, "Ann", self.tick())

    def tick(self, **step: float) -> datetime:
        self.now += timedelta(**(step or {"seconds": 1}))
        return self.now

    def wait(self, **step: float) -> None:
        """Time passes by the database's clock too, by which leases go."""
        self.tick(**step)
        if databases.IS_POSTGRES:
            with self.store.write() as transaction:
                transaction._connection.execute(
                    "UPDATE uploads SET lease_until = to_char((lease_until::timestamptz - %s) AT TIME ZONE 'UTC',"
                    """ 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')""",
                    (timedelta(**step),),
                )

    def send(self, name: str, content: str | File, *, folder: str = "", evidence: Evidence = Evidence.assumed) -> int:
        """Puts a file into the queue."""
        source = self.folder / "outgoing"
        source.write_text(content if isinstance(content, str) else csv(content))
        return self.intake.take(source, "acme", name, folder, SENDER, self.tick(), evidence=evidence)

    def receive(self, name: str, content: str | File) -> int:
        """Sends a file as a client does: it may have to wait for its name or its sidecar."""
        incoming = self.intake.begin("acme")
        incoming.file.write((content if isinstance(content, str) else csv(content)).encode())
        return self.intake.receive(incoming, "acme", name, "", SENDER, self.tick(), evidence=Evidence.assumed)

    def work(self) -> Report | None:
        """Works the oldest due upload."""
        return work_next(self.store, self.settings, self.customer, "worker", self.tick())

    def drain(self) -> list[Report]:
        """Works the queue to its end."""
        return list(iter(self.work, None))

    def process(self, name: str, content: str | File, **how: Any) -> Report:
        """Sends a file and works it."""
        upload = self.send(name, content, **how)
        finished = self.work()
        assert finished is not None
        assert finished["upload"] == upload, "another upload was before it"
        return finished

    def list(self) -> dict[str, tuple[str, str]]:
        """The exported list: status and tags by number."""
        found: dict[str, tuple[str, str]] = {}
        out = self.folder / "export.csv"
        with out.open("w") as file:
            history.export(self.store, "acme", None, file)
        for line in out.read_text().splitlines()[1:]:
            phone, status, tags = line.split(",")
            found[phone] = (status, tags)
        return found

    def statuses(self) -> dict[str, str]:
        return {phone: status for phone, (status, _) in self.list().items()}

    def upload(self, id_: int) -> Upload:
        with self.store.read() as transaction:
            return uploads.get(transaction, id_)

    def rows(self, query: str, **values: object) -> list[dict[str, Any]]:
        with self.store.read() as transaction:
            return [dict(row) for row in transaction.all(query, **values)]

    def mails(self) -> list[dict[str, Any]]:
        """The outbox, oldest first."""
        return self.rows("outbox.due", now="9999", limit=1000)

    def text(self, phone: str, text: str, message: str | None = None) -> inbound.Answer:
        """An inbound message."""
        return inbound.message(self.store, addressee(self.customer), phone, text, message, self.tick())

    def command(self, name: str, phone: str, tags: Iterable[str] = (), source: str = "operator") -> optin.Standing:
        sender = optin.Sender("Ann", source, "cli")
        return optin.command(self.store, self.settings, self.customer, name, phone, tuple(tags), sender, self.tick())

    def history(self, phone: str) -> list[dict[str, Any]]:
        """All events of one number, oldest first."""
        stories = history.of_number(self.store, int(phone.removeprefix("+")), ["acme"])
        return stories[0]["history"] if stories else []
