"""Customers' folders that do not answer, as mounts whose server has gone: who waits for them, and for how long."""

from __future__ import annotations

import ftplib
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from alp_daemon.channels.ftp import crew
from tests.eventually import eventually
from tests.ftp.conftest import SiteMaker
from tests.ftp.site import Site

HUNG = [f"school-{number}" for number in range(6)]
"""More than there are threads that look."""


@pytest.fixture
def answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Until it is set, nothing is made in the folders of those customers."""
    answers, mkdir = threading.Event(), os.mkdir

    def hanging(path: Any, *arguments: Any, **options: Any) -> None:
        if any(part in HUNG for part in Path(os.fsdecode(path)).parts):
            assert answers.wait(60)
        mkdir(path, *arguments, **options)

    monkeypatch.setattr(os, "mkdir", hanging)
    monkeypatch.setattr(crew, "LOOK_SECONDS", 0.5)
    yield answers
    answers.set()


@pytest.fixture
def site(make_site: SiteMaker, answers: threading.Event) -> Site:
    site = make_site()
    for customer in HUNG:
        (site.settings.customers_dir / f"{customer}.yaml").write_text("name: School\nkeyword: JOIN\nfeeds: {}\n")
    site.registry.reload(datetime.now(UTC))
    return site


def log_in(site: Site, customer: str) -> str:
    """What the server says."""
    login = site.credentials.issue(customer, "ftp", "a test", datetime.now(UTC))
    with ftplib.FTP(timeout=30) as ftp:
        ftp.connect("127.0.0.1", site.server.port)
        try:
            return ftp.login(login.user, login.password)
        except ftplib.error_temp as error:
            return str(error)


def test_only_its_customer_is_sent_away(site: Site, answers: threading.Event) -> None:
    with ThreadPoolExecutor(2 * len(HUNG)) as clients:
        said = list(clients.map(lambda customer: log_in(site, customer), 2 * HUNG))
    assert {line[:3] for line in said} == {"451"}
    assert "Your folder is not available just now; try again" in said[0]
    assert log_in(site, "acme").startswith("230")
    answers.set()
    eventually(lambda: {log_in(site, customer)[:3] for customer in HUNG}, {"230"}.__eq__)


def test_the_server_ends_all_the_same(site: Site) -> None:
    assert log_in(site, HUNG[0]).startswith("451")
    site.server.stop(grace=0.1)
