from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import databases
from tests.services.provider import Provider


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a provider that was just set up. Making one takes ten times as long as copying it."""
    folder = tmp_path_factory.mktemp("fresh")
    Provider(folder).store.close()
    databases.keep()
    return folder


@pytest.fixture
def acme(fresh: Path, tmp_path: Path) -> Iterator[Provider]:
    """A provider whose customer ``acme`` has an approved feed for each mode, called like the mode."""
    databases.copied(fresh, tmp_path)
    provider = Provider(tmp_path)
    yield provider
    provider.store.close()
