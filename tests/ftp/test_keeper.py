"""What becomes of an upload that was answered 226 while the database takes nothing more about it."""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs

from alp_daemon.channels.ftp import keeper
from tests.eventually import eventually
from tests.ftp.site import Site

FILE = b"Phone\n2125550123\n"


@pytest.fixture(autouse=True)
def _tries_again_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "_RETRY_SECONDS", 0.1)


@contextmanager
def never_settled(site: Site, name: str) -> Iterator[None]:
    """Meanwhile the database refuses to say of this upload whether it is whole, and not because it is locked."""
    _run(
        site,
        "CREATE TRIGGER trouble BEFORE UPDATE OF evidence ON uploads"
        f" WHEN NEW.name = '{name}' BEGIN SELECT RAISE(ABORT, 'trouble'); END",
    )
    try:
        yield
    finally:
        _run(site, "DROP TRIGGER trouble")


def _run(site: Site, statement: str) -> None:
    with closing(sqlite3.connect(site.settings.database_path, timeout=30)) as connection, connection:
        connection.execute(statement)


def send(site: Site, *names: str) -> None:
    ftp = site.enter()
    for name in names:
        assert ftp.storbinary(f"STOR {name}", io.BytesIO(FILE)).startswith("226 ")
    ftp.quit()


def wait_for_failures(logs: list[Any], number: int) -> list[Any]:
    return eventually(
        lambda: [line for line in logs if line["event"] == "ftp_internal_error"], lambda found: len(found) >= number
    )


def evidence(site: Site) -> dict[str, str | None]:
    return {row["name"]: row["evidence"] for row in site.uploads()}


def test_an_unexpected_error_puts_the_verdict_off_and_does_not_lose_it(site: Site) -> None:
    with capture_logs() as logs, never_settled(site, "a.csv"):
        send(site, "a.csv")
        assert "trouble" in str(wait_for_failures(logs, 3)[0]["exc_info"])
        assert evidence(site) == {"a.csv": None}
    (row,) = site.settled()
    assert (row["evidence"], row["state"]) == ("assumed", "received")


def test_one_record_that_cannot_be_written_keeps_no_other_upload_waiting(site: Site) -> None:
    with capture_logs() as logs, never_settled(site, "a.csv"):
        send(site, "a.csv")
        wait_for_failures(logs, 1)
        send(site, "b.csv", "c.csv")
        expected = {"a.csv": None, "b.csv": "assumed", "c.csv": "assumed"}
        eventually(lambda: evidence(site), lambda found: found == expected)
    site.settled(3)
