"""The threads beside the I/O loop: some for each kind of work, so that none keeps another kind waiting."""

from __future__ import annotations

from pyftpdlib.ioloop import IOLoop

from alp_daemon.channels.ftp.offload import Offload

LOOK_SECONDS = 10.0
REPORT_SECONDS = 60.0


class Crew:
    """Only what is short, or what others do not wait for, shares its threads.

    A customer's work has one lane in each, however many sessions it has: one customer cannot take all threads from the
    others.
    """

    def __init__(self, ioloop: IOLoop) -> None:
        # A hash takes 25 ms of a core and 19 MiB; more threads would only take them from the transfers.
        self.judging = Offload(ioloop, 2, "ftp-judge")
        self.greeting = Offload(ioloop, 2, "ftp-greet")
        # The commit of many sessions, and verdicts that could not be written with others.
        self.committing = Offload(ioloop, 2, "ftp-commit")
        # Renames, deletions: a few queries each.
        self.serving = Offload(ioloop, 2, "ftp-serve")
        # Large files, perhaps over a slow network.
        self.storing = Offload(ioloop, 4, "ftp-store")
        # Customers' folders, which hang where they are mounts whose server has gone; and the reports of months in them.
        self.looking = Offload(ioloop, 4, "ftp-look", LOOK_SECONDS)
        self.reporting = Offload(ioloop, 2, "ftp-report", REPORT_SECONDS)
        self._all = (
            self.judging,
            self.greeting,
            self.committing,
            self.serving,
            self.storing,
            self.looking,
            self.reporting,
        )

    @property
    def idle(self) -> bool:
        return all(threads.idle for threads in self._all)

    def close(self) -> None:
        """Waits for what is running, but not for what may hang; what has not begun is dropped."""
        for threads in self._all:
            threads.close()
