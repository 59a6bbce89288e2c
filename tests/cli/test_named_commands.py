"""What messages, pages and drafts tell people to type can be typed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from alp_daemon.cli import cli

PACKAGE = Path(__file__).parents[2] / "alp_daemon"
PROSE = {"runs", "is"}
"""`another alp-daemon runs on this data_dir`, `alp-daemon is ready`."""

_NAMED = re.compile(r"alp-daemon (?P<words>[a-z][a-z-]*(?: [a-z][a-z-]*)?)(?P<rest>[^`\n]*)")


def texts(path: Path) -> Iterator[str]:
    """The texts of a module, or a template as a whole. Values in a text are put in as X."""
    if path.suffix != ".py":
        yield path.read_text(encoding="utf-8")
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "X" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def named(text: str) -> Iterator[tuple[list[str], list[str]]]:
    """Each command that a text names, as its words and the options after them."""
    for found in _NAMED.finditer(text):
        words = found["words"].split()
        if words[0] not in PROSE:
            yield words, re.findall(r"(?<!\S)--[a-z][a-z-]*", found["rest"])


def fault(words: list[str], options: list[str]) -> str | None:
    with click.Context(cli) as context:
        command = cli.get_command(context, words[0])
        if isinstance(command, click.Group) and len(words) > 1:
            command = command.get_command(context, words[1])
    if command is None:
        return f"there is no `alp-daemon {' '.join(words)}`"
    known = {option for parameter in command.params for option in parameter.opts}
    unknown = [option for option in options if option not in known]
    return f"`alp-daemon {' '.join(words)}` has no {unknown[0]}" if unknown else None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("send them with `alp-daemon send`", "there is no `alp-daemon send`"),
        ("`alp-daemon credentials make acme`", "there is no `alp-daemon credentials make`"),
        ("say `alp-daemon undo 5 --by NAME --by-force`", "`alp-daemon undo` has no --by-force"),
        ("see `alp-daemon show 5`, then say --anyway", None),
        ("`alp-daemon process CUSTOMER FILE --feed FEED`", None),
        ("`alp-daemon customers push --folder DIR`", None),
    ],
)
def test_what_cannot_be_typed_is_found(text: str, told: str | None) -> None:
    assert [fault(*each) for each in named(text)] == [told]


def test_every_command_that_is_named_can_be_typed() -> None:
    checked, faults = 0, []
    for path in sorted([*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.html")]):
        for words, options in (each for text in texts(path) for each in named(text)):
            checked += 1
            if told := fault(words, options):
                faults.append(f"{path.relative_to(PACKAGE)}: {told}")
    assert faults == []
    assert checked > 20
