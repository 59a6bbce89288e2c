"""What a command makes is not for other users of the machine, whatever their own umask says."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.program import PROGRAM

_MADE = ("data", "data/alp.db")


@pytest.mark.parametrize(("umask", "folder", "file"), [(0o022, 0o750, 0o640), (0o077, 0o700, 0o600)])
def test_a_database_is_readable_by_owner_and_group_at_the_most(
    tmp_path: Path, umask: int, folder: int, file: int
) -> None:
    (tmp_path / "alp.yaml").write_text("customers_dir: customers\n")
    (tmp_path / "customers").mkdir()
    (tmp_path / "customers" / "acme.yaml").write_text("name: Acme\nkeyword: ACME\n")
    command = [*PROGRAM, "opt-in", "acme", "2125550123", "--config", str(tmp_path / "alp.yaml")]
    subprocess.run(command, check=True, capture_output=True, umask=umask)
    assert [(tmp_path / path).stat().st_mode & 0o777 for path in _MADE] == [folder, file]
