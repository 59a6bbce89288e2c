from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import trustme

from alp_daemon import log
from alp_daemon.channels.web import WebServer
from alp_daemon.channels.web.connection import REQUEST_SECONDS, TAKING_SECONDS
from alp_daemon.channels.web.limits import IDLE_SECONDS
from alp_daemon.channels.web.site import Check
from alp_daemon.channels.web.site import Site as WebSite
from alp_daemon.registry import Registry
from alp_daemon.services.decisions import approval
from alp_daemon.services.logins.access import Access
from alp_daemon.services.logins.credentials import Credentials
from alp_daemon.services.receiving.intake import Intake
from alp_daemon.settings import Settings
from alp_daemon.store.store import open_store
from tests.web.site import Site

CUSTOMER = """\
name: {name}
keyword: {keyword}
codes: ["55512", "+12125550100"]
feeds:
  members:
    match: "members*.csv"
    mode: append
    phones: [Phone]
    tags: [{{column: Group}}]
"""
MEMBERS = "Phone,Group\n(212) 555-0123,north\n212.555.0124,south\nnonsense,north\n"

SiteMaker = Callable[..., Site]


@pytest.fixture(scope="session", autouse=True)
def _log_as_the_daemon_does() -> None:
    log.tell_everything()


@pytest.fixture
def logged(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """What was logged since it was last asked. The log goes to what stderr was when its first line was written."""
    log._logger.cache_clear()
    yield lambda: capsys.readouterr().err
    log._logger.cache_clear()


@pytest.fixture
def make_site(tmp_path: Path) -> Iterator[SiteMaker]:
    sites: list[Site] = []

    def make(
        *,
        tls: trustme.CA | None = None,
        request_seconds: float = REQUEST_SECONDS,
        idle_seconds: float = IDLE_SECONDS,
        taking_seconds: float = TAKING_SECONDS,
        checks: dict[str, Check] | None = None,
        **web: Any,
    ) -> Site:
        (tmp_path / "customers").mkdir()
        for id_, name, keyword in (("acme", "Acme Water", "ACME"), ("beta", "Beta School", "BETA")):
            (tmp_path / f"customers/{id_}.yaml").write_text(CUSTOMER.format(name=name, keyword=keyword))
        if tls is not None:
            web["tls"] = _certificate(tls, tmp_path)
        settings = Settings.model_validate(
            {
                "data_dir": str(tmp_path / "data"),
                "customers_dir": str(tmp_path / "customers"),
                "web": {"host": "127.0.0.1", "port": 0, **web},
            }
        )
        registry = Registry(settings.customers_dir)
        registry.reload(datetime.now(UTC))
        store = open_store(settings.database_path)
        _approve(store, settings, registry, tmp_path)
        access = Access(store, settings.lockout)
        intake = Intake(store, settings, registry)
        web_site = WebSite(store, settings, access, intake, registry, checks or {})
        server = WebServer(
            web_site, request_seconds=request_seconds, idle_seconds=idle_seconds, taking_seconds=taking_seconds
        ).start()
        site = Site(server, store, settings, registry, access, Credentials(store))
        if tls is not None:
            site.scheme, site.verify = "https", _trusting(tls)
        sites.append(site)
        return site

    yield make
    for site in sites:
        for client in site.clients:
            client.close()
        site.server.stop(grace=2)
        site.store.close()


@pytest.fixture
def site(make_site: SiteMaker) -> Site:
    return make_site()


def _approve(store: Any, settings: Settings, registry: Registry, folder: Path) -> None:
    sample = folder / "members.csv"
    sample.write_text(MEMBERS)
    for customer in registry.all().values():
        approval.approve(store, settings, customer, "members", sample, "Ann", datetime.now(UTC))


def _certificate(authority: trustme.CA, folder: Path) -> dict[str, str]:
    issued = authority.issue_cert("127.0.0.1")
    issued.private_key_pem.write_to_path(folder / "web.key")
    for pem in issued.cert_chain_pems:
        pem.write_to_path(folder / "web.crt", append=True)
    return {"certificate": str(folder / "web.crt"), "key": str(folder / "web.key")}


def _trusting(authority: trustme.CA) -> Any:
    import ssl

    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context
