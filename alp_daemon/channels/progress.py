"""Whether the scan of the drop folders goes on, and where it stands if it does not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from pathlib import Path
from time import monotonic

from alp_daemon import log

# The largest file over a slow network, or a burst of tens of thousands. What takes longer hangs.
_LONGEST_MOVE_SECONDS = 1800.0


class Progress:
    """Kept by the scan's thread; any other may look. ``moves_until``: by when what is being moved must have been."""

    def __init__(self, at: Path) -> None:
        self._at = at
        self._last_turn = monotonic()
        self.moves_until = -inf
        self._is_standstill_told = False

    @property
    def last_turn(self) -> float:
        """When the scan last went on (monotonic seconds). To move files takes as long as they are large and their
        storage slow: that is no standstill."""
        return max(self._last_turn, min(monotonic(), self.moves_until))

    def begin_at(self, folder: Path) -> None:
        self._at = folder
        self.turn()

    def turn(self) -> None:
        self._last_turn = monotonic()

    @contextmanager
    def moving(self) -> Iterator[None]:
        self.moves_until = monotonic() + _LONGEST_MOVE_SECONDS
        try:
            yield
        finally:
            self.turn()
            self.moves_until = -inf

    def tell_of_standstill(self, seconds: float) -> None:
        """Logs, once, that the scan has not gone on for so many seconds, and where; and once that it does again."""
        stands_still = monotonic() - self.last_turn >= seconds
        if stands_still and not self._is_standstill_told:
            reason = f"no answer for {seconds:.0f} seconds; until there is one, no drop folder is scanned"
            log.error("drop_scan_stands_still", path=str(self._at), reason=reason)
        elif self._is_standstill_told and not stands_still:
            log.info("drop_scan_goes_on")
        self._is_standstill_told = stands_still
