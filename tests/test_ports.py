"""Who is taken for the daemon: nobody but the process that has said so, however old the file is."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from alp_daemon import ports
from alp_daemon.daemon.serve import send_reload
from alp_daemon.errors import Unavailable
from alp_daemon.procstat import started

ENDS_BY_ITSELF = "import sys; sys.stdin.read()"
ADDS_ITSELF = (
    "import os, sys, pathlib, signal; from alp_daemon import ports;"
    " signal.signal(signal.SIGHUP, lambda *_: os.write(1, b'told\\n'));"
    " ports.add(pathlib.Path(sys.argv[1]), {sys.argv[2]: 2121}, is_main=sys.argv[3] == 'main');"
    " print('added', flush=True); sys.stdin.read()"
)


@contextmanager
def process(program: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", program, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        yield child
        assert child.stdin
        child.stdin.close()


@contextmanager
def daemon(data_dir: Path, part: str, importance: str) -> Iterator[subprocess.Popen[str]]:
    with process(ADDS_ITSELF, str(data_dir), part, importance) as child:
        assert child.stdout
        assert child.stdout.readline() == "added\n"
        yield child


def write(data_dir: Path, text: str) -> None:
    (data_dir / "ports.json").write_text(text)


def test_the_process_that_has_said_so_is_found_and_told(tmp_path: Path) -> None:
    with daemon(tmp_path, "ftp", "main") as child:
        assert ports.running(tmp_path) == ports.Running(child.pid, {"ftp": 2121})
        assert send_reload(tmp_path) == child.pid
        assert child.stdout
        assert child.stdout.readline() == "told\n"


def test_whoever_has_got_the_number_since_is_not_told(tmp_path: Path) -> None:
    """SIGHUP ends a process that does not expect it."""
    with process(ENDS_BY_ITSELF) as stranger:
        write(tmp_path, json.dumps({"pid": stranger.pid, "started": "1", "ftp": 2121}))
        assert ports.running(tmp_path) is None
        with pytest.raises(Unavailable, match="no daemon runs on"):
            send_reload(tmp_path)
    assert stranger.returncode == 0


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[]",
        "",
        "{",
        '{"ftp": 2121}',
        '{"pid": "x", "started": "1"}',
        '{"pid": -1, "started": ""}',
        '{"pid": OWN}',
        '{"pid": OWN, "started": ""}',
    ],
)
def test_a_file_that_does_not_say_who_names_nobody(tmp_path: Path, text: str) -> None:
    write(tmp_path, text.replace("OWN", str(os.getpid())))
    assert ports.running(tmp_path) is None
    with pytest.raises(Unavailable, match="no daemon runs on"):
        send_reload(tmp_path)


def test_where_there_is_no_file_nobody_runs(tmp_path: Path) -> None:
    assert ports.running(tmp_path) is None


def test_one_that_was_killed_runs_no_more(tmp_path: Path) -> None:
    with daemon(tmp_path, "ftp", "main") as child:
        child.send_signal(signal.SIGKILL)
        child.wait()
        assert ports.running(tmp_path) is None


def test_signals_go_to_the_main_one_whoever_came_first(tmp_path: Path) -> None:
    with daemon(tmp_path, "web", "other"), daemon(tmp_path, "ftp", "main") as main:
        assert ports.running(tmp_path) == ports.Running(main.pid, {"web": 2121, "ftp": 2121})
        with daemon(tmp_path, "third", "other"):
            found = ports.running(tmp_path)
            assert found
            assert found.pid == main.pid


def test_another_takes_the_place_of_one_whose_number_is_a_strangers(tmp_path: Path) -> None:
    with process(ENDS_BY_ITSELF) as stranger:
        write(tmp_path, json.dumps({"pid": stranger.pid, "started": "1", "ftp": 2121}))
        with daemon(tmp_path, "web", "other") as child:
            found = ports.running(tmp_path)
            assert found
            assert found.pid == child.pid


def test_the_settings_are_those_of_the_process_that_signals_go_to(tmp_path: Path) -> None:
    ports.add(tmp_path, {"web": 1}, is_main=False, settings={"smtp": "a"}, read_at="noon")
    ports.add(tmp_path, {"ftp": 2}, is_main=True, settings={"smtp": "b"}, read_at="one")
    ports.add(tmp_path, {"third": 3}, is_main=False, settings={"smtp": "c"}, read_at="two")
    found = ports.running(tmp_path)
    assert found == ports.Running(os.getpid(), {"web": 1, "ftp": 2, "third": 3}, {"smtp": "b"}, "one")


def test_the_last_one_takes_the_file_with_it(tmp_path: Path) -> None:
    ports.add(tmp_path, {"ftp": 1}, is_main=True)
    ports.add(tmp_path, {"web": 2}, is_main=False)
    ports.remove(tmp_path, {"ftp": 1})
    assert ports.running(tmp_path) == ports.Running(os.getpid(), {"web": 2})
    ports.remove(tmp_path, {"web": 2})
    assert list(tmp_path.glob("*ports.json")) == []


def test_a_start_is_told_of_those_that_live_only() -> None:
    with process(ENDS_BY_ITSELF) as child:
        assert started(child.pid).isdigit()
        assert child.stdin
        child.stdin.close()
        # Nobody has waited for it: until then it is a zombie.
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert started(child.pid) == ""
