"""What the service manager and monitoring are told of the loops of one process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from alp_daemon.daemon.parts import STALLED_SECONDS, Parts, assemble
from alp_daemon.settings import Settings


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    settings = Settings.model_validate(
        {
            "data_dir": str(tmp_path / "data"),
            "customers_dir": str(tmp_path / "customers"),
            "ftp": {"host": "127.0.0.1", "port": 0},
        }
    )
    parts = assemble(settings, "ftp")
    assert parts.ftp
    assert parts.drop
    parts.ftp.start()
    parts.drop.start()
    yield parts
    parts.drop.stop()
    parts.ftp.stop()
    parts.store.close()


def test_all_goes_on(parts: Parts) -> None:
    assert parts.all_go_on


def test_an_ftp_server_that_serves_nobody_any_more_is_a_standstill(parts: Parts) -> None:
    assert parts.ftp
    parts.ftp.stop()
    parts.ftp.last_turn -= STALLED_SECONDS
    assert not parts.all_go_on


def test_drop_folders_that_nobody_looks_at_are_no_reason_to_end_all_else(parts: Parts) -> None:
    assert parts.drop
    parts.drop.stop()
    parts.drop.progress._last_turn -= STALLED_SECONDS
    assert parts.all_go_on
