"""What commands are given, as the rest of the program can take it: texts, names of people, whole numbers."""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable
from typing import Any, Final

import click

from alp_daemon.customers import names

WHOLE_NUMBER: Final = click.IntRange(1, 2**63 - 1)
"""An upload or a version: what a database can hold."""

LIMIT: Final = click.IntRange(1, 100_000)
"""How many lines somebody wants to see: the whole is what `export` and the database's views are for."""


class _Name(click.ParamType[str]):
    """Who does something. It is kept in the history, where a blank would say nothing years later."""

    name = "name"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not value.strip():
            self.fail("expected a name", param, ctx)
        return value.strip()


NAME: Final = _Name()

SOURCE: Final = click.option(
    "--source",
    type=click.Choice(("operator", "end_user")),
    default="operator",
    help="end_user: said by phone or letter.",
)
"""Whose word it is that somebody wants nothing more."""


def by_required(help_text: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """``--by NAME`` for what a person must answer for: nothing is taken for granted."""
    return click.option("--by", type=NAME, required=True, metavar="NAME", help=help_text)


def by_default(help_text: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """``--by NAME`` for what is done every day, and by scripts: whose terminal it is will do."""
    return click.option("--by", type=NAME, default=user, show_default="your user name", metavar="NAME", help=help_text)


def user() -> str:
    """Who is at work: the one behind ``sudo``, since the daemon's user is nobody's name."""
    return os.environ.get("SUDO_USER", "").strip() or name_of_user(os.geteuid())


def name_of_user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"#{uid}"


def readable(value: Any) -> Any:
    """A text that came in another encoding than the terminal's, so that it can be kept.

    A STOP must not be lost to the accent behind it. Paths stay as they are: their files are called so.
    """
    if type(value) is str:  # one of a choice is what it is
        return names.readable(value)
    if isinstance(value, tuple):
        return tuple(map(readable, value))
    return value
