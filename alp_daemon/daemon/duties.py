"""What comes round by itself: small jobs, each with its own interval, and none able to end the others."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from alp_daemon import log
from alp_daemon.errors import TryAgain


@dataclass(slots=True)
class Duty:
    """A job to be done every so many seconds."""

    every: float
    do: Callable[[datetime], object]
    due_at: float = 0.0


def do_due(duties: list[Duty]) -> None:
    """Does what is due. Passing trouble (a locked database, a full disk) is for the next round."""
    for duty in duties:
        if time.monotonic() < duty.due_at:
            continue
        duty.due_at = time.monotonic() + duty.every
        try:
            duty.do(datetime.now(UTC))
        except (TryAgain, OSError) as error:
            log.warning("duty_put_off", error=f"{type(error).__name__}: {error}")
        except Exception as error:  # noqa: BLE001  one duty's bug must not end the others
            log.error("duty_failed", exc_info=error)
