"""The running daemon with its spool in a bucket: what its clients are told, and what a kill leaves."""

from __future__ import annotations

import ftplib
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from alp_daemon import settings
from alp_daemon.files import objects
from alp_daemon.registry import Registry
from alp_daemon.services.receiving.intake import Intake
from alp_daemon.store.store import open_store
from tests.crash.conftest import ACME, BEFORE
from tests.crash.processes import Daemon, Step
from tests.crash.provider import SETTINGS, Provider
from tests.s3.conftest import PREFIX
from tests.s3.proxy import Fault, Proxy
from tests.s3.world import OURS

HEADER = "Phone,Feeder\n"


@pytest.fixture
def provider(tmp_path: Path, spool: str) -> Provider:
    provider = Provider(tmp_path)
    provider.set_up({"acme": ACME})
    provider.write("alp.yaml", f"{SETTINGS}spool: {spool}\n")
    return provider


@pytest.fixture
def login(provider: Provider) -> dict[str, str]:
    sample = str(provider.write("sample.csv", BEFORE))
    return json.loads(provider.done("approve", "acme", "--sample", sample, "--by", "ann", "--json"))


@contextmanager
def entered(provider: Provider, daemon: Daemon, login: dict[str, str]) -> Iterator[ftplib.FTP]:
    with provider.login(daemon, login["user"], login["password"]) as ftp:
        yield ftp


def names(bucket: Any) -> list[str]:
    found = [each.key.removeprefix(f"{PREFIX}/") for each in bucket.objects.all()]
    return [name for name in found if name not in OURS]


def test_the_bytes_are_in_the_bucket_before_the_226(provider: Provider, login: dict[str, str], bucket: Any) -> None:
    with provider.daemon() as daemon, entered(provider, daemon, login) as ftp:
        for number in range(3):
            content = f"{HEADER}212555010{number},north\n".encode()
            assert ftp.storbinary(f"STOR members-{number}.csv", io.BytesIO(content)).startswith("226 ")
            (row,) = provider.rows("SELECT * FROM uploads WHERE name = ?", f"members-{number}.csv")
            assert bucket.Object(f"{PREFIX}/{row['object']}").get()["Body"].read() == content
        ftp.quit()
        provider.wait_until_idle()
    assert {row["state"] for row in provider.uploads()} == {"applied"}
    assert provider.export().count("opted_in") == 1
    assert list((provider.folder / "data/incoming").iterdir()) == []
    assert not (provider.folder / "data/spool").exists()


def test_while_the_storage_is_away_clients_are_told_to_come_again(
    provider: Provider, login: dict[str, str], bucket: Any, proxy: Proxy
) -> None:
    token = json.loads(provider.done("credentials", "issue", "acme", "--for", "api", "--json"))["token"]
    with provider.daemon() as daemon, entered(provider, daemon, login) as ftp:
        ports = daemon.ports()
        assert ports is not None
        url = f"http://127.0.0.1:{ports['web']}"
        headers = {"Authorization": f"Bearer {token}"}

        def post() -> httpx.Response:
            return httpx.post(
                f"{url}/api/v1/uploads?filename=members.csv", content=BEFORE.encode(), headers=headers, timeout=60
            )

        # A refusal that is not worth a second attempt is told at once.
        with proxy.broken(Fault.denied):
            with pytest.raises(ftplib.error_temp, match="nothing was kept, send it again later"):
                ftp.storbinary("STOR members-1.csv", io.BytesIO(BEFORE.encode()))
            refused = post()
            assert (refused.status_code, "Retry-After" in refused.headers) == (503, True)
            assert "s3://" not in refused.text
            assert httpx.get(f"{url}/readyz").json()["parts"]["spool"] == "does not answer"
        assert provider.uploads() == []
        assert names(bucket) == []
        assert ftp.storbinary("STOR members-1.csv", io.BytesIO(BEFORE.encode())).startswith("226 ")
        assert post().status_code == 202
        assert httpx.get(f"{url}/readyz").json()["parts"]["spool"] == "ok"
        ftp.quit()
        provider.wait_until_idle()
    assert [row["state"] for row in provider.uploads()] == ["applied", "applied"]


def test_a_kill_between_the_object_and_its_record(
    provider: Provider, login: dict[str, str], bucket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = Step("alp_daemon.services.receiving.intake:Intake._record", "before")
    with provider.daemon([step]) as daemon:
        ftp = provider.login(daemon, login["user"], login["password"])
        with pytest.raises((EOFError, ConnectionError)):
            ftp.storbinary("STOR members-1.csv", io.BytesIO(BEFORE.encode()))
        ftp.close()
        assert daemon.was_killed()
    (orphan,) = names(bucket)
    assert provider.uploads() == []
    with provider.daemon() as daemon, entered(provider, daemon, login) as ftp:
        assert names(bucket) == [orphan], "fresh: another node may be about to record it"
        ftp.storbinary("STOR members-2.csv", io.BytesIO(BEFORE.encode()))
        ftp.quit()
        provider.wait_until_idle()
    assert [(row["name"], row["state"]) for row in provider.uploads()] == [("members-2.csv", "applied")]
    monkeypatch.setattr(objects, "FRESH", timedelta(0))
    clean_shared(provider)
    kept = [row["object"] for row in provider.uploads()]
    assert sorted(names(bucket)) == sorted([f".strays/{orphan.replace('/', '-')}", *kept])


def clean_shared(provider: Provider) -> None:
    """What the daemon does once a day."""
    loaded = settings.load(provider.folder / "alp.yaml")
    registry = Registry(loaded.customers_dir)
    registry.reload(datetime.now(UTC))
    store = open_store(loaded.database_address)
    Intake(store, loaded, registry).upkeep.clean_shared()
    store.close()
