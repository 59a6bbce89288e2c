"""The files in systemd/: sound for systemd's own tools, and in keeping with the code and with each other."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from alp_daemon.daemon.parts import STALLED_SECONDS
from alp_daemon.daemon.serve import STOP_SECONDS
from alp_daemon.errors import ConfigurationError, UsageProblem
from alp_daemon.sections import FtpSettings
from alp_daemon.store.sqlite import BUSY_SECONDS

FOLDER = Path(__file__).parents[2] / "systemd"
UNIT = FOLDER / "alp-daemon.service"
TEMPLATE = FOLDER / "alp-daemon@.service"

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="makes files that belong to other users")


def needs(tool: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(tool) is None, reason=f"{tool} is not installed")


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def directives(unit: Path = UNIT) -> dict[str, list[str]]:
    """Every directive of the unit with its values, in order."""
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r"^(\w+)=(.*)$", unit.read_text(), re.MULTILINE):
        found.setdefault(name, []).append(value)
    return found


def seconds(text: str) -> float:
    amount, unit = re.fullmatch(r"(\d+)(min|s|)", text).groups()  # type: ignore[union-attr]
    return float(amount) * {"min": 60, "s": 1, "": 1}[unit]


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """The root of a machine on which the unit is installed."""
    units = tmp_path / "usr/lib/systemd/system"
    units.mkdir(parents=True)
    for standard in Path("/usr/lib/systemd/system").glob("*.target"):
        (units / standard.name).write_bytes(standard.read_bytes())
    for program in ("opt/alp-daemon/venv/bin/alp-daemon", "bin/kill"):
        path = tmp_path / program
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#!/bin/sh\n")
        path.chmod(0o755)
    for name, place in (
        ("alp-daemon.service", "etc/systemd/system/alp-daemon.service"),
        ("alp-daemon@.service", "etc/systemd/system/alp-daemon@.service"),
        ("alp-daemon.sysusers.conf", "etc/sysusers.d/alp-daemon.conf"),
        ("alp-daemon.tmpfiles.conf", "etc/tmpfiles.d/alp-daemon.conf"),
    ):
        path = tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(FOLDER / name, path)
    return tmp_path


@needs("systemd-analyze")
@pytest.mark.parametrize("unit", [UNIT.name, *(f"alp-daemon@{role}.service" for role in ("ftp", "web", "worker"))])
def test_systemd_has_nothing_to_say_against_the_unit(machine: Path, unit: str) -> None:
    result = run("systemd-analyze", "verify", "--man=no", f"--root={machine}", unit)
    # An unknown directive or a wrong value is a warning only: it must be silent, too.
    assert (result.returncode, result.stdout + result.stderr) == (0, "")


@needs("systemd-analyze")
@pytest.mark.parametrize("unit", [UNIT, TEMPLATE], ids=lambda unit: unit.name)
def test_the_service_is_locked_in(unit: Path) -> None:
    """The exposure is 1.5 of 10 at the most; 9.6 is what a unit without hardening gets."""
    result = run("systemd-analyze", "security", "--offline=true", "--threshold=15", unit)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("Type", ["notify"]),
        ("NotifyAccess", ["main"]),
        ("ExecStart", ["/opt/alp-daemon/venv/bin/alp-daemon serve --config /etc/alp-daemon/alp.yaml"]),
        ("ExecReload", ["/bin/kill -HUP $MAINPID"]),
        ("Restart", ["on-failure"]),
        ("RestartPreventExitStatus", [f"{UsageProblem.exit_code} {ConfigurationError.exit_code}"]),
        # Anything else would send SIGTERM to workers in the middle of a transaction.
        ("KillMode", ["mixed"]),
        ("OOMPolicy", ["continue"]),
        ("StateDirectory", ["alp-daemon"]),
        ("User", ["alp-daemon"]),
        ("CapabilityBoundingSet", [""]),
    ],
)
def test_the_unit_says_what_is_promised(name: str, values: list[str]) -> None:
    assert directives()[name] == values


def test_a_role_by_itself_is_locked_in_and_kept_alive_as_all_of_them_together() -> None:
    """systemd cannot have it in one place for both."""
    together, apart = directives(), directives(TEMPLATE)
    assert apart.pop("ExecStart") == [together.pop("ExecStart")[0].replace("serve", "serve --role %i")]
    assert apart.pop("Description") != together.pop("Description")
    assert apart == together


def test_the_unit_waits_longer_than_the_daemon_may_take() -> None:
    """A daemon that waits out a locked database is neither hung nor to be killed."""
    unit = directives()
    assert seconds(unit["WatchdogSec"][0]) > STALLED_SECONDS + BUSY_SECONDS
    assert seconds(unit["TimeoutStopSec"][0]) > STOP_SECONDS + BUSY_SECONDS
    assert seconds(unit["TimeoutStartSec"][0]) > BUSY_SECONDS


def test_the_unit_allows_as_many_files_as_sessions_may_open() -> None:
    # The control connection, the data connection with its listener, and the file.
    assert int(directives()["LimitNOFILE"][0]) > 4 * FtpSettings().max_connections


def test_holders_of_leases_stay_visible() -> None:
    """The queue reads /proc/PID/stat of processes that may belong to another user."""
    assert "ProtectProc" not in directives()


@pytest.mark.parametrize("unit", [UNIT, TEMPLATE], ids=lambda unit: unit.name)
def test_every_credential_that_the_comments_speak_of_is_loaded(unit: Path) -> None:
    spoken_of = set(re.findall(r"/run/credentials/alp-daemon(?:@\w+)?\.service/([\w-]+)", unit.read_text()))
    loaded = dict(value.split(":") for value in directives(unit)["LoadCredential"])
    assert spoken_of == set(loaded)
    # A relative name is looked for in /etc/credstore and may be missing; an absolute path may not.
    assert not any(source.startswith("/") for source in loaded.values())


@needs_root
@needs("systemd-sysusers")
@needs("systemd-tmpfiles")
def test_user_and_folders_are_made_as_the_service_needs_them(machine: Path) -> None:
    (machine / "etc/alp-daemon").mkdir()
    (machine / "etc/alp-daemon/alp.yaml").touch()
    for command in (
        ("systemd-sysusers", f"--root={machine}", "alp-daemon.conf"),
        ("systemd-tmpfiles", f"--root={machine}", "--create", "alp-daemon.conf"),
    ):
        result = run(*command)
        assert result.returncode == 0, result.stderr

    name, _, uid, gid, _, home, shell = (machine / "etc/passwd").read_text().strip().split(":")
    assert (name, home) == ("alp-daemon", "/var/lib/alp-daemon")
    assert shell.endswith("/nologin")
    assert {path: access(machine / path) for path in ("etc/alp-daemon", "etc/alp-daemon/customers")} == {
        "etc/alp-daemon": (0o750, 0, int(gid)),
        "etc/alp-daemon/customers": (0o2750, 0, int(gid)),
    }
    assert access(machine / "etc/alp-daemon/alp.yaml") == (0o640, 0, int(gid))
    assert access(machine / "var/lib/alp-daemon") == (0o750, int(uid), int(gid))
    assert access(machine / "var/backups/alp") == (0o700, int(uid), int(gid))


def access(path: Path) -> tuple[int, int, int]:
    """Mode, owner and group."""
    status = path.stat()
    return status.st_mode & 0o7777, status.st_uid, status.st_gid
