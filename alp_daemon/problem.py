"""What is wrong in a configuration file, and where: said to a person with the line and a caret, or as JSON."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from alp_daemon.errors import ConfigurationError

Severity = Literal["error", "warning"]

# A password typed in the wrong place must not travel from the file into a message or a log.
_SECRET = re.compile(r"((?:pass(?!ive)|pwd|secret|token|credential)[^:]*:\s*)\S.*", re.IGNORECASE)

_SHOWN = 120
_QUOTED = 60


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a file. ``line`` and ``column`` count from 1; ``source_line`` is "" where none helps."""

    path: Path
    line: int
    column: int
    message: str
    source_line: str = ""
    severity: Severity = "error"

    @property
    def place(self) -> tuple[Path, int, int]:
        """What problems are sorted by."""
        return self.path, self.line, self.column

    def __str__(self) -> str:
        return self._told("warning: " if self.severity == "warning" else "")

    @property
    def unrated(self) -> str:
        """The same without its severity, for who says that before it."""
        return self._told("")

    def _told(self, kind: str) -> str:
        headline = f"{self.path}:{self.line}:{self.column}: {kind}{self.message}"
        if not self.source_line.strip():
            return headline
        # A window of a long line; the caret stands under the same character in it.
        start = max(0, self.column - _SHOWN // 2) if len(self.source_line) > _SHOWN else 0
        shown = _SECRET.sub(r"\1…", self.source_line.replace("\t", " "))[start : start + _SHOWN]
        return f"{headline}\n    {shown}\n    {' ' * (self.column - 1 - start)}^"

    def as_dict(self) -> dict[str, str | int]:
        """The same for programs, without the source line: editors have it, and logs should not."""
        fields = asdict(self) | {"path": str(self.path)}
        del fields["source_line"]
        return fields


def shortened(text: str) -> str:
    """A value from the file, for a message that quotes it."""
    return text if len(text) <= _QUOTED else f"{text[:_QUOTED]}…"


class ConfigurationFileError(ConfigurationError):
    """Files that cannot be used, with every problem of every file."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))
