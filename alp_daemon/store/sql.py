"""The named queries: every statement stands in ``queries/`` under a name that says its intention.

``queries/*.sql`` is what both databases understand. What they say differently stands in ``queries/sqlite/`` and
``queries/postgres/`` under the same names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Literal

Dialect = Literal["sqlite", "postgres"]

_NAME = re.compile(r"^-- name: (\S+)$", re.MULTILINE)
# What may hold a colon or a percent sign and is not ours to touch, and last what is: a parameter.
_TOKEN = re.compile(r"--[^\n]*|'[^']*'|\"[^\"]*\"|::|:(?P<parameter>[a-z_][a-z_0-9]*)")


@cache
def queries(dialect: Dialect) -> dict[str, str]:
    """All statements by name, as the database's library takes them. A name that stands twice is a mistake."""
    found: dict[str, str] = {}
    folder = files("alp_daemon.store").joinpath("queries")
    for _, source in (*_scripts(folder), *_scripts(folder.joinpath(dialect))):
        parts = _NAME.split(source)[1:]
        for name, statement in zip(parts[::2], parts[1::2], strict=True):
            if name in found:
                raise ValueError(f"the query {name} stands twice")
            found[name] = statement.strip().rstrip(";")
    return found if dialect == "sqlite" else {name: with_percent(statement) for name, statement in found.items()}


def with_percent(statement: str) -> str:
    """The statement with ``%(name)s`` for ``:name``, and with any other percent sign doubled, as psycopg wants it."""

    def renamed(token: re.Match[str]) -> str:
        return f"%({token['parameter']})s" if token["parameter"] else token[0]

    return _TOKEN.sub(renamed, statement.replace("%", "%%"))


def migrations(dialect: Dialect) -> list[tuple[str, str]]:
    """``(name, script)`` of every migration, in order. They are numbered alike for both databases."""
    folder = files("alp_daemon.store").joinpath("migrations")
    return list(_scripts(folder if dialect == "sqlite" else folder.joinpath(dialect)))


def _scripts(folder: Traversable) -> Iterator[tuple[str, str]]:
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if file.name.endswith(".sql"):
            yield file.name.removesuffix(".sql"), file.read_text(encoding="utf-8")
