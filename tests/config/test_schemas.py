"""The JSON Schemas help an editor: a description of every key, and no red line under what this program accepts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from alp_daemon import customers, settings

SCHEMAS = {"settings": settings.json_schema(), "customer": customers.json_schema()}


def properties(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from schema.get("properties", {}).items()
    for definition in schema.get("$defs", {}).values():
        yield from properties(definition)


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_key_has_a_description(name):
    schema = SCHEMAS[name]
    for key, its_schema in properties(schema):
        definition = schema["$defs"].get(its_schema.get("$ref", "").rpartition("/")[2], {})
        assert its_schema.get("description") or definition.get("description"), key


@pytest.mark.parametrize("name", SCHEMAS)
def test_unknown_keys_are_marked(name):
    schema = SCHEMAS[name]
    assert schema["additionalProperties"] is False
    assert all(each["additionalProperties"] is False for each in schema["$defs"].values())


def test_a_customer_schema_has_no_id():
    schema = SCHEMAS["customer"]
    assert "id" not in schema["properties"]
    assert schema["required"] == ["name", "keyword"]


def test_texts_may_look_like_numbers_and_numbers_are_numbers():
    file = SCHEMAS["customer"]["$defs"]["FileFormat"]["properties"]
    feed = SCHEMAS["customer"]["$defs"]["Feed"]["properties"]
    text = ["string", "number", "boolean"]
    assert file["skip_rows"]["type"] == "integer"
    assert file["delimiter"]["type"] == text
    assert file["header"]["enum"] == [True, False, "yes", "no"]
    assert feed["phones"]["items"]["type"] == text
    assert feed["only"]["additionalProperties"]["items"]["type"] == text
    assert "soft_overwrite" in feed["mode"]["enum"]


def test_defaults_are_written_as_in_yaml():
    feed = SCHEMAS["customer"]["$defs"]["Feed"]["properties"]
    guard = SCHEMAS["customer"]["$defs"]["GuardSettings"]["properties"]
    assert feed["sidecar_wait"]["default"] == "10m"
    assert feed["guard"]["default"]["max_new"] == guard["max_new"]["default"] == "100%"
    assert SCHEMAS["settings"]["properties"]["retention"]["default"] == "30d"
    assert SCHEMAS["settings"]["$defs"]["LockoutSettings"]["properties"]["block"]["default"] == "1h"
