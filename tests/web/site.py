"""A real server on a free port, two customers with their log-ins, and clients that speak HTTP to it."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from alp_daemon.channels.web import WebServer
from alp_daemon.registry import Registry
from alp_daemon.services.logins.access import Access
from alp_daemon.services.logins.credentials import PROVIDER, Credentials, Issued, Kind
from alp_daemon.services.processing.process import work_next
from alp_daemon.settings import Settings
from alp_daemon.store.store import Store

JOE, ANN, EVE = "+12125550123", "+12125550124", "+12125550125"


@dataclass
class Site:
    server: WebServer
    store: Store
    settings: Settings
    registry: Registry
    access: Access
    credentials: Credentials
    scheme: str = "http"
    verify: Any = True
    clients: list[httpx.Client] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server.port}"

    def client(self, **how: Any) -> httpx.Client:
        """A browser's or a program's own connections and cookies."""
        client = httpx.Client(base_url=self.url, verify=self.verify, timeout=30, **how)
        self.clients.append(client)
        return client

    def issue(self, customer: str, kind: Kind, name: str = "") -> Issued:
        return self.credentials.issue(customer, kind, "a test", datetime.now(UTC), name=name)

    def api(self, customer: str = "acme", **headers: str) -> httpx.Client:
        """A program of a customer."""
        token = self.issue(customer, Kind.api).password
        return self.client(headers={"Authorization": f"Bearer {token}", **headers})

    def gateway(self) -> httpx.Client:
        token = self.issue(PROVIDER, Kind.gateway).password
        return self.client(headers={"Authorization": f"Bearer {token}"})

    def signed_in(self, kind: Kind, customer: str = "acme", name: str = "") -> httpx.Client:
        """A browser with a session."""
        issued = self.issue(customer if kind.is_of_customer else PROVIDER, kind, name)
        client = self.client()
        answer = client.post("/login", data={"user": issued.user, "password": issued.password})
        assert answer.status_code == 303, answer.text
        return client

    def work(self, customer: str = "acme") -> dict[str, Any]:
        """Works the customer's next upload, as a worker does."""
        configured = self.registry.customer(customer)
        assert configured is not None
        report = work_next(self.store, self.settings, configured, "a test", datetime.now(UTC))
        assert report is not None
        return report

    def rows(self, query: str, **values: object) -> list[dict[str, Any]]:
        with self.store.read() as transaction:
            return [dict(row) for row in transaction.all(query, **values)]

    def connect(self) -> socket.socket:
        """A client of whom we know each byte."""
        return socket.create_connection(("127.0.0.1", self.server.port), 20)


def tls_1_1() -> ssl.SSLContext:
    """What a client that knows nothing newer offers; it would take any certificate and any cipher."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with pytest.warns(DeprecationWarning):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context
