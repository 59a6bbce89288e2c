"""pyproject.toml names what is imported, each with its reason: nothing comes only because another package needs it."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
PROJECT = tomllib.loads(TEXT)["project"]
EXTRAS = PROJECT["optional-dependencies"]
# pydantic and its core are one: each release asks for one version of it.
ONE_WITH_ANOTHER = {"pydantic_core"}
# The project itself, and tests that pytest imports by the name of their folder.
OWN = {"alp_daemon", "tests", *(path.name for path in (ROOT / "tests").iterdir() if path.is_dir())}


def names(requirements: Iterable[str]) -> set[str]:
    return {canonicalize_name(Requirement(text).name) for text in requirements}


def imported(folder: str) -> dict[str, Path]:
    """The packages of others that are imported anywhere below a folder, and one place of each."""
    found = {}
    for path in (ROOT / folder).rglob("*.py"):
        for name in _imports(ast.parse(path.read_text(encoding="utf-8"))):
            found[name] = path
    return {
        name: path for name, path in found.items() if name not in {*sys.stdlib_module_names, *OWN, *ONE_WITH_ANOTHER}
    }


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


@cache
def distributions() -> dict[str, set[str]]:
    return {name: set(map(canonicalize_name, of)) for name, of in packages_distributions().items()}


def unnamed(folder: str, named: set[str]) -> list[str]:
    found = imported(folder)
    assert len(found) > 10
    return [f"{path}: {name}" for name, path in found.items() if not distributions().get(name, {name}) & named]


def test_what_the_program_imports_is_named() -> None:
    assert unnamed("alp_daemon", names([*PROJECT["dependencies"], *EXTRAS["postgres"], *EXTRAS["s3"]])) == []


def test_what_the_tests_import_is_named() -> None:
    assert unnamed("tests", names([*PROJECT["dependencies"], *EXTRAS["test"], *EXTRAS["bench"]])) == []


@pytest.mark.parametrize("requirement", sorted({*PROJECT["dependencies"], *chain(*EXTRAS.values())}))
def test_each_has_a_lower_bound_and_a_reason(requirement: str) -> None:
    assert re.search(r"[>~]=", requirement)
    lines = [line for line in TEXT.splitlines() if f'"{requirement}"' in line]
    assert any(re.search(r'",\s+# \S', line) for line in lines), lines
