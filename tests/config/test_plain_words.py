"""Whatever stands at whatever key, what is wrong with it is said in words of people who edit files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from alp_daemon import customers, settings
from alp_daemon.domain.keyword import DEFAULT_WORDS
from alp_daemon.problem import ConfigurationFileError

# What pydantic says of Python's types.
LIBRARY = re.compile(r"Input should|valid (?:string|integer|path|list|tuple|dictionary)|class '|pydantic|Value error")
WRONG: tuple[Any, ...] = (["a"], [["a"]], [{"a": "b"}], {"a": "b"}, {"a": ["b"]}, "a", "-1", "1.5", "9" * 24)
Where = tuple[str | int, ...]


def places(schema: dict[str, Any], node: dict[str, Any], at: Where = ()) -> Iterator[Where]:
    """Every key that a file may have; a first item for each list, a name for each mapping of free names."""
    yield at
    for choice in node.get("anyOf", ()):
        yield from places(schema, choice, at)
    if "$ref" in node:
        yield from places(schema, schema["$defs"][node["$ref"].rpartition("/")[2]], at)
    for key, value in node.get("properties", {}).items():
        yield from places(schema, value, (*at, key))
    for value in node.get("patternProperties", {}).values():
        yield from places(schema, value, (*at, "x"))
    if isinstance(node.get("items"), dict):
        yield from places(schema, node["items"], (*at, 0))


def document(where: Where, value: Any) -> str:
    for step in reversed(where):
        value = [value] if isinstance(step, int) else {step: value}
    return str(yaml.safe_dump(value))


def told_of_settings(path: Path) -> Sequence[str]:
    try:
        settings.load(path)
    except ConfigurationFileError as error:
        return [problem.message for problem in error.problems]
    return []


def told_of_customer(path: Path) -> Sequence[str]:
    return [problem.message for problem in customers.check_file(path, DEFAULT_WORDS).problems]


@pytest.mark.parametrize(
    ("schema", "told"),
    [(settings.json_schema(), told_of_settings), (customers.json_schema(), told_of_customer)],
    ids=["alp.yaml", "a customer"],
)
def test_no_mistake_is_told_in_the_library_s_words(schema, told, tmp_path):
    path, found = tmp_path / "acme.yaml", 0
    for where in sorted(set(places(schema, schema)) - {()}, key=str):
        for value in WRONG:
            path.write_text(document(where, value))
            messages = told(path)
            found += bool(messages)
            assert not [message for message in messages if LIBRARY.search(message)], path.read_text()
    assert found > 100


def test_a_path_and_a_number(write):
    assert told_of_settings(write("alp.yaml", "data_dir: [a]\nworkers: [a]\n")) == [
        "data_dir: expected a path",
        "workers: expected a whole number",
    ]
