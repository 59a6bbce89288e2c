from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.services.provider import Provider


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a provider that was just set up. Making one takes ten times as long as copying it."""
    folder = tmp_path_factory.mktemp("fresh")
    Provider(folder).store.close()
    return folder


@pytest.fixture
def acme(fresh: Path, tmp_path: Path) -> Provider:
    """A provider whose customer ``acme`` has an approved feed for each mode, called like the mode."""
    shutil.copytree(fresh, tmp_path, dirs_exist_ok=True)
    return Provider(tmp_path)
