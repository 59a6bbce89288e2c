from __future__ import annotations

from pathlib import Path

import pytest

from tests.informz.brand import Brand


@pytest.fixture
def brand(tmp_path: Path) -> Brand:
    return Brand(tmp_path)
