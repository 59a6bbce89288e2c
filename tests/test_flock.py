"""One at a time in a folder."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from alp_daemon.flock import alone_in


def test_a_second_one_waits_for_the_first(tmp_path: Path) -> None:
    came = []

    def come() -> None:
        with alone_in(tmp_path):
            came.append("second")

    with alone_in(tmp_path):
        second = threading.Thread(target=come)
        second.start()
        second.join(0.1)
        came.append("first")
    second.join(10)
    assert came == ["first", "second"]


def test_death_and_failure_leave_it(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys; from pathlib import Path; from alp_daemon.flock import alone_in\n"
        "with alone_in(Path(sys.argv[1])): os.kill(os.getpid(), signal.SIGKILL)"
    )
    died = subprocess.run([sys.executable, "-c", script, str(tmp_path)])
    assert died.returncode == -signal.SIGKILL
    with pytest.raises(ZeroDivisionError), alone_in(tmp_path):
        raise ZeroDivisionError
    with alone_in(tmp_path):
        pass


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), alone_in(tmp_path / "nowhere"):
        pass
