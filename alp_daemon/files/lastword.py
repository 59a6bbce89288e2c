"""The answer to a question that may never be answered: a hard NFS mount whose server is away blocks whoever looks."""

from __future__ import annotations

import threading
from collections.abc import Callable

ANSWER_SECONDS = 5.0
"""Monitoring waits so long for its answer, and a storage that is well has given it long before."""

SILENT = "does not answer"


class LastWord:
    """Asks for a trouble in few words, None where there is none. One thread at a time asks, however many want to know.

    Whoever comes while it waits hears at once that there is no answer, if it has waited for ``seconds`` already.
    """

    def __init__(self, ask: Callable[[], str | None], seconds: float = ANSWER_SECONDS) -> None:
        self._ask = ask
        self._seconds = seconds
        self._lock = threading.Lock()
        self._asking: _Asking | None = None

    def __call__(self) -> str | None:
        with self._lock:
            if self._asking is None or self._asking.done.is_set():
                self._asking = _Asking(self._ask)
            asking = self._asking
        asking.is_late = not asking.done.wait(0 if asking.is_late else self._seconds)
        return SILENT if asking.is_late else asking.word


class _Asking:
    def __init__(self, ask: Callable[[], str | None]) -> None:
        self.done = threading.Event()
        self.is_late = False
        """Somebody has waited for it in vain."""
        self.word: str | None = SILENT
        threading.Thread(target=self._run, args=(ask,), name="spool-trouble", daemon=True).start()

    def _run(self, ask: Callable[[], str | None]) -> None:
        try:
            self.word = ask()
        except OSError as error:
            self.word = (error.strerror or SILENT).lower()
        finally:
            self.done.set()
