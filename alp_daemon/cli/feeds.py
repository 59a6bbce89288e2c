"""The feed that a file on the command line is taken as."""

from __future__ import annotations

from pathlib import Path

from alp_daemon.cli.context import say
from alp_daemon.customers import Customer
from alp_daemon.services.decisions import preview


def choose_feed(customer: Customer, file: Path, feed: str | None, *, guess: bool = True) -> str:
    """As ``preview.choose_feed``; where FTP would make something else of the file's name, that is told on stderr."""
    chosen = preview.choose_feed(customer, file, feed, guess=guess)
    if (told := preview.otherwise_by_ftp(customer, file, chosen)) is not None:
        say(told)
    return chosen
