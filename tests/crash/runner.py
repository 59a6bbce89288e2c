"""Runs ``alp-daemon`` in processes that die at chosen steps: by SIGKILL, with no clean-up, as in a power cut.

``ALP_STEPS`` names a JSON list of steps in the order in which processes are to die of them. A step is wrapped around
a function of the program, so nothing in the program knows of the test. Worker processes are spawned: they run this
file again (as ``__mp_main__``) and so die of the same list. Each death leaves an empty file ``STEPS.N`` behind.
"""

from __future__ import annotations

import functools
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from typing import Any, NoReturn

from alp_daemon.cli import _COMMANDS, main, run


def preload() -> None:
    """Imports what commands import when they are called, so that a forked one need not."""
    for name in [*(f"alp_daemon.cli.{name}" for name in _COMMANDS), "sqlite_utils"]:
        import_module(name)


def run_in_child(arguments: list[str], plan: Path | None, stdout: Path, stderr: Path) -> NoReturn:
    """The rest of the life of a forked process: one command."""
    code = 70
    try:
        with stdout.open("w") as sys.stdout, stderr.open("w") as sys.stderr:
            try:
                if plan is not None:
                    arm(plan)
                code = run(arguments)
            except BaseException:  # noqa: BLE001  told to the test, which has an own process
                traceback.print_exc()
    finally:
        # Whatever happens, it must not go on as a second test run.
        os._exit(code)


def arm(plan: Path) -> None:
    """Wraps the functions of all steps that nobody has died of yet."""
    for number, step in enumerate(json.loads(plan.read_text())):
        if not _death(plan, number).exists():
            _wrap(plan, number, **step)


def _wrap(plan: Path, number: int, at: str, when: str, about: str, nth: int, by: str) -> None:
    module, _, path = at.partition(":")
    *owners, name = path.split(".")
    owner = import_module(module)
    if owners:
        owner = attrgetter(".".join(owners))(owner)
    function: Callable[..., Any] = getattr(owner, name)
    left = nth

    def reached(arguments: tuple[Any, ...]) -> bool:
        nonlocal left
        # One death after the other: a step counts from the moment when the one before it has killed.
        if number and not _death(plan, number - 1).exists():
            return False
        left -= about in repr(arguments)
        return left == 0

    @functools.wraps(function)
    def deadly(*arguments: Any, **options: Any) -> Any:
        dies = reached(arguments)
        if dies and when == "before":
            _die(plan, number, by)
        result = function(*arguments, **options)
        if dies and when == "after":
            _die(plan, number, by)
        return result

    setattr(owner, name, deadly)


def _die(plan: Path, number: int, by: str) -> None:
    try:
        _death(plan, number).touch(exist_ok=False)
    except FileExistsError:
        return  # another process was faster
    os.kill(os.getpid(), signal.Signals[by])


def _death(plan: Path, number: int) -> Path:
    return plan.with_suffix(f".{number}")


def hurry() -> None:
    """Shortens what is only there to be patient with slow writers and full disks."""
    from alp_daemon.channels import watch
    from alp_daemon.daemon import dispatcher

    dispatcher.PAUSE_SECONDS = 0.1
    dispatcher.IDLE_SECONDS = 0.2
    watch.AT_REST = 0.1


if "ALP_STEPS" in os.environ:
    arm(Path(os.environ["ALP_STEPS"]))

if __name__ == "__main__":
    hurry()
    main()
