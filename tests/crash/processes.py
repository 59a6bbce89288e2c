"""Processes that may be killed: a command, the daemon, and the step at which one dies."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.proc import workers_of

WAIT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Step:
    """Where a process dies: ``before`` or ``after`` the ``nth`` call of a function whose arguments show ``about``.

    With ``by="SIGSTOP"`` it only stands still, so that something else can be done at that moment.
    """

    at: str
    when: str
    about: str = ""
    nth: int = 1
    by: str = "SIGKILL"

    def __str__(self) -> str:
        return f"{self.when} {self.about or self.at.rpartition(':')[2]}" + (f" #{self.nth}" if self.nth > 1 else "")


@dataclass(frozen=True, slots=True)
class Finished:
    """How a command ended; a negative code is the signal that killed it."""

    code: int
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True)
class Command:
    """A command that runs."""

    pid: int
    stdout: Path
    stderr: Path

    def finished(self) -> Finished:
        _, status = os.waitpid(self.pid, 0)
        return Finished(os.waitstatus_to_exitcode(status), self.stdout.read_text(), self.stderr.read_text())


class Daemon:
    """A running ``alp-daemon serve``."""

    def __init__(self, data: Path, process: subprocess.Popen[bytes]) -> None:
        self._data = data
        self._process = process

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_dead(self) -> bool:
        return self._process.poll() is not None

    def workers(self) -> list[int]:
        """Process ids of its worker processes."""
        return workers_of(self.pid)

    def ports(self) -> dict[str, int] | None:
        path = self._data / "ports.json"
        ports: dict[str, int] | None = json.loads(path.read_text()) if path.exists() else None
        return ports if ports and ports["pid"] == self.pid else None

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def was_killed(self) -> bool:
        """Waits for its death and says whether it was a violent one."""
        return self._process.wait(WAIT_SECONDS) == -signal.SIGKILL
