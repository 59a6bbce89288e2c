"""A real server on a free port, with a customer and its log-in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import trustme

from alp_daemon import log
from alp_daemon.channels.ftp import FtpServer
from alp_daemon.registry import Registry
from alp_daemon.services.logins.access import Access
from alp_daemon.services.logins.credentials import Credentials
from alp_daemon.services.receiving.intake import Intake
from alp_daemon.settings import Settings
from alp_daemon.store.sqlite import SqliteStore
from alp_daemon.store.store import Store
from tests.ftp.site import Site

ACME = """\
name: ACME Utilities
keyword: ACME
feeds:
  members:
    match: "*.csv"
    mode: append
    phones: [Phone]
"""

SiteMaker = Callable[..., Site]


@pytest.fixture(scope="session", autouse=True)
def _log_as_the_daemon_does() -> None:
    log.tell_everything()


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def certificate(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    issued = authority.issue_cert("localhost", "127.0.0.1")
    chain, key = folder / "chain.pem", folder / "key.pem"
    issued.private_key_pem.write_to_path(key)
    for pem in issued.cert_chain_pems:
        pem.write_to_path(chain, append=True)
    return chain, key


@pytest.fixture
def make_site(tmp_path: Path, authority: trustme.CA, certificate: tuple[Path, Path]) -> Iterator[SiteMaker]:
    servers: list[FtpServer] = []

    def make(
        *,
        tls: bool = False,
        required: bool = False,
        reuse: bool = False,
        customer: str = ACME,
        lockout: dict[str, Any] | None = None,
        login_seconds: float = 30,
        busy_seconds: float = 60,
        free_space_floor: str = "200MiB",
        on_due: Callable[[Store], None] = lambda store: None,
        **ftp: Any,
    ) -> Site:
        if tls:
            chain, key = certificate
            ftp["tls"] = {
                "certificate": str(chain),
                "key": str(key),
                "required": str(required).lower(),
                "require_session_reuse": str(reuse).lower(),
            }
        settings = Settings.model_validate(
            {
                "data_dir": str(tmp_path / "data"),
                "customers_dir": str(tmp_path / "customers"),
                "ftp": {"host": "127.0.0.1", "port": 0, **ftp},
                "lockout": lockout or {},
                "free_space_floor": free_space_floor,
            }
        )
        settings.customers_dir.mkdir(exist_ok=True)
        (settings.customers_dir / "acme.yaml").write_text(customer)
        now = datetime.now(UTC)
        registry = Registry(settings.customers_dir)
        registry.reload(now)
        store = SqliteStore(settings.database_path, busy_seconds=busy_seconds).open()
        credentials = Credentials(store)
        intake = Intake(store, settings, registry, on_due=lambda: on_due(store))
        access = Access(store, settings.lockout)
        server = FtpServer(settings, access, intake, registry, login_seconds=login_seconds)
        servers.append(server)
        server.start()
        login = credentials.issue("acme", "ftp", "a test", now)
        return Site(server, store, settings, registry, intake, access, credentials, login, authority)

    yield make
    for server in servers:
        server.stop(grace=2)


@pytest.fixture
def site(make_site: SiteMaker) -> Site:
    return make_site()
