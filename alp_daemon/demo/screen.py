"""What the visitor sees: colours and a spinner on a terminal, plain text elsewhere, nothing at all for ``--json``."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.text import Text

from alp_daemon.demo.acts import Outcome
from alp_daemon.services.reports import reporttext
from alp_daemon.services.reports.report import Report

_WIDEST: Final = 120
_NAME_WIDTH: Final = 18
_STATE_WIDTH: Final = 10
_INDENT: Final = 3 + _NAME_WIDTH + 1 + _STATE_WIDTH + 1
_STYLES: Final = {"applied": "green", "held": "yellow", "rejected": "magenta", "locked out": "magenta"}


class Screen:
    """Prints things as they happen."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._console = Console(quiet=quiet, highlight=False)
        # A pipe has no width of its own; there the lines are as long as they may be.
        self._console.width = min(self._console.width, _WIDEST) if self._console.is_terminal else _WIDEST

    def opening(self, customers: int) -> None:
        self._console.print()
        self._console.print(Text("alp-daemon: a file dropped by FTP becomes a synchronised opt-in list", "bold"))
        self._say(
            f"A throw-away server starts on this machine with {customers} sample customers. Each sends a real file by"
            " FTP; what becomes of it is compared with what samples/ promises: every line of the report, every number"
            " of the list."
        )

    def busy(self, with_what: str) -> AbstractContextManager[object]:
        """Shows that something is going on, while it is."""
        return self._console.status(Text(with_what, "dim"))

    def heading(self, title: str) -> None:
        self._console.print()
        self._console.print(Text(title, "bold"))

    def outcome(self, outcome: Outcome) -> None:
        """The verdict, what was sent, what it became, what that shows, and what came of it."""
        row = Text(" ")
        row.append("✓" if outcome.is_as_promised else "✗", "green" if outcome.is_as_promised else "bold red")
        row.append(f" {outcome.name:<{_NAME_WIDTH}} ", "bold")
        row.append(f"{outcome.state:<{_STATE_WIDTH}} ", _STYLES.get(outcome.state, ""))
        row.append(self._beside(outcome.shows))
        row.append("\n" + " " * _INDENT + self._beside(f"→ {outcome.result}"), "dim")
        for difference in outcome.differences:
            row.append("\n" + textwrap.indent(difference, " " * _INDENT), "red")
        self._console.print(row, soft_wrap=True)

    def verdict(self, outcomes: Sequence[Outcome], seconds: float) -> None:
        good = sum(outcome.is_as_promised for outcome in outcomes)
        self._console.print()
        self._console.print(
            Text(
                f"{good} of {len(outcomes)} came out as promised, in {seconds:.1f} seconds.",
                "bold green" if good == len(outcomes) else "bold red",
            )
        )

    def note(self, text: str) -> None:
        self._console.print()
        self._say(text)

    def commands(self, rows: Sequence[tuple[str, str]]) -> None:
        """Names and values to be copied: they are never wrapped."""
        self._console.print()
        for name, value in rows:
            self._console.print(Text(f"  {name:<10} ", "dim").append(value, "bold"), soft_wrap=True)

    def report(self, found: Report, config: Path) -> None:
        """A report; the commands in it are for the installation of that configuration."""
        self._console.print()
        self._console.rule(Text(f"{found['customer']}: {found['name']}"), align="left", style="dim")
        self._console.print(Text(reporttext.text(found, f" --config {config}")), soft_wrap=True)

    def _say(self, text: str) -> None:
        self._console.print(Text(textwrap.fill(text, self._console.width)), soft_wrap=True)

    def _beside(self, text: str) -> str:
        """The text wrapped for the last column, whose first line stands beside the others."""
        # A terminal too narrow for four columns wraps by itself.
        width = max(self._console.width - _INDENT, _INDENT)
        return textwrap.fill(text, width).replace("\n", "\n" + " " * _INDENT)
