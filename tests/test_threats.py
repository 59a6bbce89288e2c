"""The README's table of threats: each row names tests, and they exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
TABLE = (TESTS.parent / "README.md").read_text(encoding="utf-8").partition("| who | tries |")[2].partition("\n\n")[0]
NAMED = sorted(set(re.findall(r"`([\w/]+\.py(?:::\w+)*)`", TABLE)))


def test_there_is_such_a_table() -> None:
    assert len(NAMED) >= 20


@pytest.mark.parametrize("named", NAMED)
def test_what_it_names_exists(named: str) -> None:
    path, *names = named.split("::")
    body = ast.parse((TESTS / path).read_text()).body
    for name in names:
        found = [each for each in body if isinstance(each, ast.ClassDef | ast.FunctionDef) and each.name == name]
        assert found, f"there is no {name} in {path}"
        body = found[0].body
