"""Waiting for what is to come. Time-outs are generous: a busy machine must not fail a test."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(
    look: Callable[[], T],
    good: Callable[[T], object] = bool,
    *,
    otherwise: Callable[[], str] = str,
    seconds: float = 60,
    pause: float = 0.02,
) -> T:
    """What ``look`` gives once that is good. The test fails where it is not in time, and ``otherwise`` says more."""
    ends_at = time.monotonic() + seconds
    while not good(seen := look()):
        assert time.monotonic() < ends_at, f"after {seconds} s still {seen!r} {otherwise()}".rstrip()
        time.sleep(pause)
    return seen
