"""The column ``status`` of an import: a word that nobody knows there refuses the whole file.

``Opted Out`` or ``STOP`` is such a word, most likely. Were only its row left out, the list would count as brought
along, and the next file would opt in who had opted out.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from alp_daemon.domain.model import Reject, Rejects, Status
from alp_daemon.errors import UnusableFile
from alp_daemon.masking import masked

UNKNOWN_SHOWN = 10


class StatusColumn:
    """Read row by row, and then checked."""

    def __init__(self, known: Iterable[Status]) -> None:
        self._known = {status.name: status for status in known}
        self._unknown = Rejects()

    def read(self, row: int, cell: str | None, address: str, rejects: Rejects) -> Status | None:
        """The status of a row; None where its word is not known, which ``check`` refuses the file for.

        A row without a word and an address is about nobody, and no more than a reject.
        """
        word = (cell or "").strip()
        status = self._known.get(word)
        if status is None:
            about = self._unknown if word or address.strip() else rejects
            about.add(Reject(row, "status", word, "unknown_status"))
        return status

    def check(self, path: Path) -> None:
        """Raises ``UnusableFile`` (``unknown_status``) where a word was not known: nothing of the file is imported."""
        if not self._unknown.total:
            return
        shown = [f"row {each.row} {masked(each.value[:40])!r}" for each in self._unknown.kept[:UNKNOWN_SHOWN]]
        more = self._unknown.total - len(shown)
        raise UnusableFile(
            "unknown_status",
            f"{path.name}: nothing was imported: there is no such status as that of {', '.join(shown)}"
            f"{f' and {more:,} more' if more else ''}; expected one of {', '.join(self._known)}."
            " Say of each row which it is, and import the whole file: nobody who has opted out may be left behind",
        )
