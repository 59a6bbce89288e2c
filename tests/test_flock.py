"""One at a time in a folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from alp_daemon.flock import alone_about, alone_among, alone_in, one_of_many


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


def test_who_is_about_the_same_waits_and_others_do_not(tmp_path: Path) -> None:
    file, came = tmp_path / "locks", []

    def come(subject: str) -> None:
        with alone_about(subject, file):
            came.append(subject)

    with alone_about("a", file):
        same, other = (threading.Thread(target=come, args=(subject,)) for subject in "ab")
        same.start()
        other.start()
        other.join(10)
        same.join(0.1)
        assert came == ["b"]
    same.join(10)
    assert came == ["b", "a"]
    assert file.stat().st_size == 0


def test_a_process_that_dies_lets_go_of_its_subject(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys; from pathlib import Path; from alp_daemon.flock import alone_about\n"
        "with alone_about('a', Path(sys.argv[1])): os.kill(os.getpid(), signal.SIGKILL)"
    )
    died = subprocess.run([sys.executable, "-c", script, str(tmp_path / "locks")])
    assert died.returncode == -signal.SIGKILL
    with alone_about("a", tmp_path / "locks"):
        pass


def test_many_share_a_file_or_one_has_it(tmp_path: Path) -> None:
    file = tmp_path / "locks"
    users = [one_of_many(file), one_of_many(file)]
    for user in users:
        with pytest.raises(BlockingIOError):
            alone_among(file)
        os.close(user)
    alone = alone_among(file)
    with pytest.raises(BlockingIOError):
        one_of_many(file)
    with pytest.raises(BlockingIOError):
        alone_among(file)
    with alone_about("a", file):
        os.close(alone)
    os.close(one_of_many(file))
