"""Real processes that really die: a child of this one, killed at a chosen line of the code under test."""

from __future__ import annotations

import os
import resource
import signal
import sys
import traceback
from collections.abc import Callable
from types import FrameType
from typing import Any

import structlog  # noqa: F401  log.py imports it when it is needed: once here is faster than in every child


def in_a_child(work: Callable[[], None], *, file_size: int | None = None) -> bool:
    """Runs ``work`` in a forked process, with a limit on the size of files if given. ``False``: it was killed.

    Open databases must be closed before: SQLite forbids to carry a connection over a fork.
    """
    child = os.fork()
    if child == 0:
        code = 1
        try:
            if file_size is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (file_size, file_size))
            work()
            code = 0
        except BaseException:  # noqa: BLE001  a child must never go on as a second test run
            traceback.print_exc()
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return False
    assert os.waitstatus_to_exitcode(status) == 0, "the child failed; its traceback is above"
    return True


def kill_at(step: int, *functions: str) -> None:
    """From now on, kills this process when it reaches its ``step``-th line in functions of these names."""
    left = step

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal left
        if frame.f_code.co_name not in functions:
            return None
        if event == "line":
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    sys.settrace(trace)
