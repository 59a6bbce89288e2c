"""The cases: which file comes to which list, and what the list must be afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.bench import data
from tests.bench.site import text_of

ROWS_PER_PERSON = 1 / (1 - data.BAD_SHARE - data.DUPLICATE_SHARE)
"""Bad rows and duplicates come on top of a row for each person."""


@dataclass(frozen=True)
class Case:
    name: str
    what: str
    mode: str
    file: str
    loaded: bool
    """Comes to the list that case A has made."""
    stopped: bool = False
    """Somebody has said STOP since."""


CASES = (
    Case("A", "first load, append_tags", "append_tags", "first", loaded=False),
    Case("B", "the identical file again", "append_tags", "first", loaded=True),
    Case("B'", "the identical file after one STOP", "append_tags", "first", loaded=True, stopped=True),
    Case("C", "1 % changed, 0.5 % new, 0.5 % omitted, soft_opt_out_tags", "soft_opt_out_tags", "changed", loaded=True),
    Case("D", "10 % omitted, hard_opt_out, guard raised", "hard_opt_out", "shrunk", loaded=True),
)
_STATUS_OF_OMITTED = {"append_tags": "opted_in", "soft_opt_out_tags": "suspended", "hard_opt_out": "opted_out"}
_MADE_BY: dict[str, Callable[[data.People, int], data.People]] = {
    "first": data.first,
    "changed": data.changed,
    "shrunk": data.shrunk,
}


class Files:
    """The files of one size, and the lists that they must lead to."""

    def __init__(self, folder: Path, rows: int) -> None:
        self.rows = rows
        self._folder = folder
        self._count = int(rows / ROWS_PER_PERSON)
        self._everybody = data.people(self._count)
        folder.mkdir(parents=True, exist_ok=True)

    def path(self, name: str) -> Path:
        path = self._folder / f"{name}.csv"
        if not path.exists():
            data.write(path, self._listed(name))
        return path

    def somebody(self) -> str:
        return f"+1{data.digits(int(self._everybody.numbers[0]))}"

    def expected(self, case: Case) -> str:
        """The exported list after a case."""
        rows = self._rows("first", _STATUS_OF_OMITTED[case.mode]) if case.loaded else {}
        rows |= self._rows(case.file, "opted_in")
        if case.stopped:
            rows[self.somebody()] = ("opted_out", rows[self.somebody()][1])
        return text_of([(number, *standing) for number, standing in rows.items()])

    def _rows(self, name: str, status: str) -> dict[str, tuple[str, str]]:
        listed = self._listed(name)
        numbers = (f"+1{data.digits(number)}" for number in listed.numbers.tolist())
        return {number: (status, ";".join(data.tags(listed, row))) for row, number in enumerate(numbers)}

    def _listed(self, name: str) -> data.People:
        return _MADE_BY[name](self._everybody, self._count)
