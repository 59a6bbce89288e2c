"""The named queries: every statement stands in ``queries/*.sql`` under a name that says its intention."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

_NAME = re.compile(r"^-- name: (\S+)$", re.MULTILINE)


@cache
def queries() -> dict[str, str]:
    """All statements by name. A name that stands twice is a programming error."""
    found: dict[str, str] = {}
    for source in sorted(files("alp_daemon.store").joinpath("queries").iterdir(), key=lambda f: f.name):
        if not source.name.endswith(".sql"):
            continue
        parts = _NAME.split(source.read_text(encoding="utf-8"))[1:]
        for name, statement in zip(parts[::2], parts[1::2], strict=True):
            if name in found:
                raise ValueError(f"the query {name} stands twice")
            found[name] = statement.strip().rstrip(";")
    return found


def migrations() -> list[tuple[str, str]]:
    """``(name, script)`` of every numbered migration, in order."""
    folder = files("alp_daemon.store").joinpath("migrations")
    scripts = sorted((f for f in folder.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)
    return [(f.name.removesuffix(".sql"), f.read_text(encoding="utf-8")) for f in scripts]
