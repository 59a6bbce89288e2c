"""``backup`` beside a daemon at work, and ``backup`` and ``restore`` killed half-way or out of space."""

from __future__ import annotations

import subprocess
import sysconfig
from pathlib import Path

import pytest

from tests.crash.conftest import Copy
from tests.crash.outcome import assert_sound, outcome
from tests.crash.processes import Step
from tests.crash.provider import Provider
from tests.eventually import eventually

COMMAND = Path(sysconfig.get_path("scripts")) / "alp-daemon"
BACKUP = [
    Step("alp_daemon.store.sqlite:SqliteStore.copy_to", "before"),
    Step("alp_daemon.store.sqlite:SqliteStore.copy_to", "after"),
    Step("alp_daemon.services.safekeeping.backup:looked_at", "after"),
    Step("alp_daemon.services.safekeeping.backup:_copy_spool", "after"),
    Step("alp_daemon.files.atomic:make_durable", "after"),
]
RESTORE = [
    Step("alp_daemon.services.safekeeping.restore:copy_file", "after"),
    Step("alp_daemon.services.safekeeping.restore:looked_at", "after"),
    Step("alp_daemon.services.safekeeping.restore:_folded", "after"),
    Step("alp_daemon.services.safekeeping.passedon:pass_on", "after"),
    Step("alp_daemon.services.safekeeping.restore:_put_aside", "after"),
    Step("alp_daemon.services.safekeeping.restore:_bring_files", "after"),
    Step("alp_daemon.services.safekeeping.restore:link_or_copy", "after", "alp.db"),
    Step("alp_daemon.services.safekeeping.restore:place", "before", "alp.db"),
]
"""Until the new database has the old one's name."""


def update(provider: Provider, number: int) -> str:
    return str(provider.write(f"members-{number}.csv", f"Phone,Feeder\n21255501{number:02},east\n2125550101,north\n"))


@pytest.fixture(scope="module")
def backed_up(made: Provider, copy: Copy) -> Provider:
    """Its backup is older than what it has."""
    provider = copy(made)
    provider.done("backup", "--spool", str(provider.folder / "backup"))
    provider.done("process", "acme", update(provider, 1))
    provider.done("message", "acme", "2125550102", "STOP", "--id", "m9")
    return provider


def test_backups_beside_a_daemon_at_work(made: Provider, copy: Copy) -> None:
    provider = copy(made)
    applied = "SELECT count(*) AS n FROM uploads WHERE state = 'applied'"
    (before,) = provider.rows(applied)
    with provider.daemon():
        for number in range(3):
            provider.drop("acme", f"members-{number}.csv", Path(update(provider, number + 10)).read_text())
            provider.done("backup", str(provider.folder / f"{number}.db"))
            provider.done("verify")
        eventually(lambda: provider.rows(applied)[0]["n"] == before["n"] + 3)
    for number in range(3):
        provider.done("restore", str(provider.folder / f"{number}.db"), "--anyway")
        provider.done("verify")


@pytest.mark.parametrize("step", BACKUP, ids=str)
def test_a_killed_backup_is_none(backed_up: Provider, copy: Copy, step: Step) -> None:
    provider = copy(backed_up)
    before, target = outcome(provider), provider.folder / "second"
    provider.dies(step, "backup", "--spool", str(target))
    assert not target.exists()
    assert outcome(provider) == before
    provider.done("backup", "--spool", str(target))
    assert not target.with_name("second.part").exists()


@pytest.mark.parametrize("step", RESTORE, ids=str)
def test_a_killed_restore_leaves_all_as_it_was(backed_up: Provider, copy: Copy, step: Step) -> None:
    provider = copy(backed_up)
    before = outcome(provider)
    provider.dies(step, "restore", str(provider.folder / "backup"), "--anyway")
    assert outcome(provider) == before
    assert_sound(provider)
    provider.done("restore", str(provider.folder / "backup"), "--anyway")
    provider.done("verify")
    assert provider.rows("SELECT count(*) AS n FROM messages") == [{"n": 1}]


def test_killed_after_the_last_step_it_is_done(backed_up: Provider, copy: Copy) -> None:
    provider = copy(backed_up)
    step = Step("alp_daemon.services.safekeeping.restore:_replace", "after")
    provider.dies(step, "restore", str(provider.folder / "backup"), "--anyway")
    provider.done("verify")
    assert provider.rows("SELECT count(*) AS n FROM messages") == [{"n": 1}]
    (kept,) = (provider.folder / "data").glob("replaced-*")
    assert list(kept.glob("opted-out-acme.csv"))


def test_while_the_daemon_runs_nothing_is_restored(backed_up: Provider, copy: Copy) -> None:
    provider = copy(backed_up)
    with provider.daemon():
        finished = provider.run("restore", str(provider.folder / "backup"), "--anyway")
        assert (finished.code, "stop it first" in finished.stderr) == (69, True)


def test_while_the_daemon_runs_its_database_is_not_copied_to_another(backed_up: Provider, copy: Copy) -> None:
    provider = copy(backed_up)
    source, target = str(provider.folder / "data" / "alp.db"), str(provider.folder / "new.db")
    with provider.daemon():
        finished = provider.run("copy-database", source, target)
        assert (finished.code, "stop it first" in finished.stderr) == (69, True)
        assert not Path(target).exists()
    provider.done("copy-database", source, target)


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_out_of_space_nothing_has_changed(backed_up: Provider, copy: Copy, command: str) -> None:
    provider = copy(backed_up)
    before, target = outcome(provider), provider.folder / "second"
    arguments = (
        [command, str(provider.folder / "backup"), "--anyway"] if command == "restore" else [command, str(target)]
    )
    finished = subprocess.run(
        ["prlimit", "--fsize=40000", COMMAND, *arguments, "--config", provider.folder / "alp.yaml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 75, finished.stderr
    assert not target.exists()
    assert not list((provider.folder / "data").glob("alp.db.part"))
    assert outcome(provider) == before
    assert_sound(provider)
