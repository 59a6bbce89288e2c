"""``alp-daemon demo`` as a visitor runs it: in a process of its own, in any folder, and on a real terminal."""

from __future__ import annotations

import ftplib
import io
import json
import os
import pty
import re
import select
import signal
import subprocess
import time
from dataclasses import fields, replace
from pathlib import Path

import httpx
import pytest

from alp_daemon.demo import acts
from alp_daemon.demo.samples import Sample, all_samples, sample
from alp_daemon.demo.stage import Stage
from alp_daemon.domain.changes import Changes
from tests.program import PROGRAM

COMMAND = [*PROGRAM, "demo"]
NOT_SAMPLES = ["by FTPS", "killed client", "sent again", "wrong passwords"]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """One in which the demo's folder is below ``tmp_path``, to see what it leaves behind."""
    (tmp_path / "tmp").mkdir()
    return {**os.environ, "TMPDIR": str(tmp_path / "tmp"), "TERM": "xterm", "COLUMNS": "120"}


def test_once_shows_everything_and_leaves_only_the_reports(tmp_path: Path, environment: dict[str, str]) -> None:
    done = subprocess.run(
        [*COMMAND, "--once"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=100
    )
    assert (done.returncode, done.stderr) == (0, "")
    names = [each.name for each in all_samples()] + NOT_SAMPLES
    assert re.findall(r"^ ✓ (\S+(?: \S+)?) +(?:applied|held|rejected|locked out) ", done.stdout, re.M) == names
    assert f"{len(names)} of {len(names)} came out as promised" in done.stdout
    assert "\x1b" not in done.stdout, "colours are for terminals"
    (kept,) = (tmp_path / "tmp").iterdir()
    assert f"reports    {kept}/CUSTOMER/" in done.stdout
    (text,) = (kept / "bad_rows").glob("*.report.txt")
    assert "9 rejected" in re.sub(" +", " ", text.read_text())


def test_json_says_the_same_to_programs(tmp_path: Path, environment: dict[str, str]) -> None:
    done = subprocess.run([*COMMAND, "--json"], cwd=tmp_path, env=environment, capture_output=True, timeout=100)
    outcomes = {each["name"]: each for each in json.loads(done.stdout)}
    assert done.returncode == 0
    assert [name for name, each in outcomes.items() if not each["as_promised"]] == []
    assert outcomes["cut_file"]["state"] == outcomes["killed client"]["state"] == "held"
    assert outcomes["wrong passwords"]["result"].startswith("421 ")
    changed = [each.name for each in all_samples() if each.before.read_text() != each.after.read_text()]
    assert {"soft_opt_out", "bulk_unsubscribe", "bulk_resubscribe"} <= set(changed)
    assert [name for name in changed if "nothing changed" in outcomes[name]["result"]] == []


def test_whatever_a_file_can_change_is_told() -> None:
    counted = {field.name for field in fields(Changes)}
    assert set(acts._CHANGES) == counted - {"unchanged", "never_seen_before"}


def test_on_a_terminal_it_stays_for_files_of_the_visitor(tmp_path: Path, environment: dict[str, str]) -> None:
    with Terminal(COMMAND, tmp_path, environment) as terminal:
        shown = terminal.read_until("Ctrl-C ends the server")
        host, port, user, password = (value_of(name, shown) for name in ("host", "port", "user", "password"))
        with ftplib.FTP(timeout=20) as client:
            client.connect(host, int(port))
            client.login(user, password)
            client.storbinary("STOR mine.csv", io.BytesIO(b"Phone,Group\n212-555-0177,north\n"))
            assert "(mine.csv) was applied" in terminal.read_until("(chargeable)")
            client.storbinary("STOR nobody.csv", io.BytesIO(b"Phone,Group\nno number,north\n"))
        waiting = terminal.read_until("ends it; the list stays as it is")
        release = re.search(r"alp-daemon release (\d+) --by NAME --config (\S+) ", waiting)
        assert release, waiting
        arguments = ["release", release[1], "--by", "visitor", "--config", release[2]]
        assert subprocess.run([*PROGRAM, *arguments], cwd=tmp_path, capture_output=True, timeout=60).returncode == 0
        assert "(nobody.csv) was applied" in terminal.read_until("released   by visitor")
        for name, promised in (("page", "Send a file"), ("console", "Overview")):
            with httpx.Client(follow_redirects=True) as browser:
                assert promised in browser.get(value_of(name, shown)).text
        assert httpx.get(value_of("page", shown) + "x").status_code == 404
        terminal.press_ctrl_c()
        terminal.read_until("removing everything")
        assert terminal.process.wait(30) == 0
    assert list((tmp_path / "tmp").iterdir()) == []


def test_told_to_end_it_takes_its_daemon_with_it(tmp_path: Path, environment: dict[str, str]) -> None:
    with Terminal(COMMAND, tmp_path, environment) as terminal:
        terminal.read_until("preformatted ")
        (ports,) = (tmp_path / "tmp").glob("alp-demo-*/data/ports.json")
        daemon = json.loads(ports.read_text())["pid"]
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.process.wait(30) == 130
    assert not Path(f"/proc/{daemon}").exists()
    assert list((tmp_path / "tmp").iterdir()) == []


def test_what_is_not_as_promised_is_said(tmp_path: Path) -> None:
    lie = copy_of(sample("append"), tmp_path / "append")
    lie.after.write_text(lie.after.read_text().replace("0111,opted_in", "0111,opted_out"))
    (tmp_path / "stage").mkdir()
    with Stage(tmp_path / "stage") as stage:
        login = stage.add(lie)
        stage.start()
        outcome = acts.send(stage, lie, login)
    assert not outcome.is_as_promised
    (difference,) = outcome.differences
    assert "-+15125550111,opted_out," in difference
    assert "++15125550111,opted_in," in difference


def copy_of(original: Sample, folder: Path) -> Sample:
    folder.mkdir()
    for path in original.folder.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return replace(original, folder=folder)


def value_of(name: str, shown: str) -> str:
    found = re.search(rf"^ +{name} +(\S+)$", shown, re.M)
    assert found, shown
    return found[1]


class Terminal:
    """A program on a terminal, whose screen we read and whose keys we press."""

    def __init__(self, command: list[str], folder: Path, environment: dict[str, str]) -> None:
        self._ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            # A session of its own, whose terminal this is: so Ctrl-C reaches it.
            preexec_fn=lambda: login_tty(theirs),
        )
        os.close(theirs)
        self._seen = ""

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)
        os.close(self._ours)

    def read_until(self, awaited: str, seconds: float = 90) -> str:
        """What is shown up to and with the awaited text, without colours."""
        ends_at = time.monotonic() + seconds
        while awaited not in self._seen:
            ready, _, _ = select.select([self._ours], [], [], max(0.0, ends_at - time.monotonic()))
            assert ready, f"after {seconds} s no {awaited!r} in:\n{self._seen}"
            shown = os.read(self._ours, 65536).decode(errors="replace")
            self._seen += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown).replace("\r", "")
        before, _, self._seen = self._seen.partition(awaited)
        return before + awaited

    def press_ctrl_c(self) -> None:
        os.write(self._ours, b"\x03")


def login_tty(terminal: int) -> None:
    import fcntl
    import termios

    os.setsid()
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
