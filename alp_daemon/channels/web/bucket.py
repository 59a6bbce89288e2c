"""How many wrong tokens one address may try: a token bucket each, in memory."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

# A program with a wrong token in its configuration is told so often enough to be noticed, and costs nearly nothing.
BURST = 20.0
PER_SECOND = 0.2
# Addresses remembered; those unused the longest are forgotten first.
_MOST = 10_000


@dataclass(slots=True)
class _Level:
    left: float
    at: float


class Buckets:
    """Refuses what is wrong anyway. A right token never comes here, so nobody can be locked out by it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._levels: OrderedDict[str, _Level] = OrderedDict()

    def wait(self, address: str) -> float:
        """Counts one wrong token; the seconds to wait before the next where there were too many, else 0."""
        now = self._clock()
        level = self._levels.pop(address, None) or _Level(BURST, now)
        level.left = min(BURST, level.left + (now - level.at) * PER_SECOND)
        level.at = now
        enough = level.left >= 1
        if enough:
            level.left -= 1
        self._levels[address] = level
        if len(self._levels) > _MOST:
            self._levels.popitem(last=False)
        return 0.0 if enough else (1 - level.left) / PER_SECOND
