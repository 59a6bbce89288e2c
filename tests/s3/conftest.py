from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from alp_daemon.files import s3client
from tests.s3 import world as worlds
from tests.s3.proxy import Proxy
from tests.s3.server import Server, serving
from tests.s3.world import World

PREFIX = "alp/uploads"
_NUMBERS = count(1)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture
def proxy(server: Server) -> Iterator[Proxy]:
    proxy = Proxy(server.port)
    yield proxy
    proxy.close()


@pytest.fixture
def bucket(server: Server, proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A bucket of this test's own, as another client sees it. The program goes to it through the proxy."""
    for name in ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "key")
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    # A busy machine is no fault of the storage.
    monkeypatch.setattr(s3client, "PATIENCE", s3client.Patience(timedelta(seconds=60), timedelta(seconds=60)))
    return server.make_bucket(f"test-{next(_NUMBERS)}")


@pytest.fixture
def hasty(bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Gives up soon, for faults that stay."""
    monkeypatch.setattr(s3client, "PATIENCE", s3client.Patience(timedelta(seconds=1), timedelta(seconds=3)))


@pytest.fixture
def spool(bucket: Any) -> str:
    """What ``alp.yaml`` says."""
    return f"s3://{bucket.name}/{PREFIX}"


@pytest.fixture(params=["bucket", "folder on this file system", "folder on another one"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """A world with each kind of shared storage."""
    if request.param == "bucket":
        bucket = request.getfixturevalue("bucket")
        yield worlds.build(tmp_path, f"s3://{bucket.name}/{PREFIX}", worlds.BucketStorage(bucket, PREFIX))
        return
    shared = Path("/dev/shm") if "another" in request.param else tmp_path
    if "another" in request.param and (not shared.is_dir() or shared.stat().st_dev == tmp_path.stat().st_dev):
        pytest.skip("needs a second file system")
    with tempfile.TemporaryDirectory(dir=shared) as folder:
        yield worlds.build(tmp_path, folder, worlds.FolderStorage(Path(folder)))


@pytest.fixture
def bucket_world(bucket: Any, spool: str, tmp_path: Path) -> World:
    return worlds.build(tmp_path, spool, worlds.BucketStorage(bucket, PREFIX))
