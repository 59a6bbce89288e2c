"""The JSON Schemas help an editor: a description of every key, and no red line under what this program accepts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from alp_daemon import customers, settings
from alp_daemon.customers.guard import GuardSettings
from alp_daemon.domain.guard import DEFAULTS, DEFAULTS_BY_MODE
from alp_daemon.quantities import written_share

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
    assert feed["sidecar_wait"]["default"] == "10m"
    assert SCHEMAS["settings"]["properties"]["retention"]["default"] == "30d"
    assert SCHEMAS["settings"]["$defs"]["LockoutSettings"]["properties"]["block"]["default"] == "1h"


@pytest.mark.parametrize("limit", GuardSettings.model_fields)
def test_a_limit_of_the_guard_has_no_default_but_that_of_the_mode(limit: str) -> None:
    """One that stood in the schema would overrule what the mode says."""
    shown = SCHEMAS["customer"]["$defs"]["GuardSettings"]["properties"][limit]
    usual, hard = (in_words(getattr(limits, limit)) for limits in (DEFAULTS, DEFAULTS_BY_MODE["hard_opt_out"]))
    assert shown["default"] is None
    assert shown["description"].endswith(f"({usual})." if usual == hard else f"({usual}; hard_opt_out {hard}).")


def in_words(limit: float) -> str:
    return written_share(limit) if isinstance(limit, float) else str(limit)
