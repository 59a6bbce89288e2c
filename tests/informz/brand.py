"""A provider whose one customer has a brand with three interests."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from alp_daemon.customers import mail_list
from alp_daemon.domain.model import Evidence
from alp_daemon.services.addresses import subscribers
from alp_daemon.services.receiving.intake import Sender
from alp_daemon.services.reports.report import Report
from alp_daemon.store import lists
from alp_daemon.store import subscribers as stored
from tests.files.informz.requests import request
from tests.services.provider import Provider

INTERESTS = ("Events", "News", "Offers")

Row = dict[str, str]


class Brand(Provider):
    """``say`` sends a request and works it; ``list`` is the export by address."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.configure({}, brand={"id": "9999", "users": ["testuser"]})
        for interest in INTERESTS:
            subscribers.add_interest(self.store, self.customer, interest, "Ann", self.tick())

    def say(self, records: str = "", *fields: str, **how: Any) -> Report:
        """One request of tests.files.informz.requests, from its drop to its end."""
        return self.drop(request(records, *fields, **how))

    def drop(self, content: str | bytes, name: str = "upload.xml", evidence: Evidence = Evidence.assumed) -> Report:
        source = self.folder / "outgoing"
        source.write_bytes(content.encode() if isinstance(content, str) else content)
        sender = Sender("ftp", "acme", "192.0.2.7")
        upload = self.intake.take(source, "acme", name, "", sender, self.tick(), evidence=evidence)
        finished = self.work()
        assert finished is not None
        assert finished["upload"] == upload
        return finished

    def exported(self, status: str | None = None) -> str:
        text = io.StringIO()
        subscribers.export(self.store, self.customer, status, text)
        return text.getvalue()

    def people(self) -> dict[str, Row]:
        """The exported list by address; empty cells are left out."""
        rows = csv.DictReader(io.StringIO(self.exported()))
        return {row.pop("email"): {name: cell for name, cell in row.items() if cell} for row in rows}

    def interests(self) -> dict[str, set[str]]:
        """Who has which interests."""
        return {email: set(filter(None, row.get("interests", "").split(";"))) for email, row in self.people().items()}

    def standing(self) -> dict[str, str]:
        return {email: row["status"] for email, row in self.people().items()}

    def fields(self) -> dict[str, stored.Field]:
        with self.store.read() as transaction:
            return stored.read_fields(transaction, lists.open_list(transaction, mail_list("acme")))

    def target_groups(self) -> dict[str, list[str]]:
        """The values of each demographic category."""
        groups: dict[str, list[str]] = {}
        with self.store.read() as transaction:
            for field, name in transaction.rows("SELECT field, name FROM target_groups"):
                groups.setdefault(field, []).append(name)
        return {field: sorted(names) for field, names in groups.items()}

    def mails(self) -> list[dict[str, Any]]:
        return self.rows("outbox.due", now="9999", limit=1000)
