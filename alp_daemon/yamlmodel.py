"""From a YAML document to a typed model: each of pydantic's errors becomes a problem with a line and a cure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches
from functools import cache
from operator import attrgetter
from typing import Annotated, Any, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationError,
    model_validator,
)
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, WithJsonSchema
from pydantic_core import ErrorDetails, PydanticCustomError, core_schema

from alp_daemon.problem import Problem, shortened
from alp_daemon.quantities import written_duration
from alp_daemon.yamlfile import Document, Where


class Model(BaseModel):
    """A mapping of known keys. A key without a value is the same as no key."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _without_empty_keys(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        return {key: value for key, value in data.items() if value is not None}


AnyModel = TypeVar("AnyModel", bound=Model)

_SWITCH = {"true": True, "yes": True, "false": False, "no": False}


def _switch(value: object) -> object:
    if isinstance(value, bool):
        return value
    if (known := _SWITCH.get(str(value).lower())) is None:
        raise ValueError("expected yes or no")
    return known


Switch = Annotated[bool, BeforeValidator(_switch), WithJsonSchema({"enum": [True, False, "yes", "no"]})]


@dataclass(frozen=True)
class TextLike:
    """Annotates a ``str`` that must match ``pattern`` as a whole; the error says what was ``expected``."""

    pattern: str
    expected: str

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return handler(schema) | {"pattern": f"^(?:{self.pattern})$"}

    def _check(self, value: str) -> str:
        if not re.fullmatch(self.pattern, value):
            raise ValueError(f"expected {self.expected}")
        return value


def fault(message: str, *at: str | int) -> PydanticCustomError:
    """An error for a model's own validator to raise, at the key ``at`` below the model."""
    return PydanticCustomError("fault", "{message}", {"message": message, "at": at})


def validate(
    model: type[AnyModel],
    document: Document,
    *,
    given: Mapping[str, object] | None = None,
    context: Mapping[str, object] | None = None,
) -> tuple[AnyModel | None, list[Problem]]:
    """The model that the document describes, or all that is wrong with it.

    ``given`` are values that do not come from the file; ``context`` is handed to the model's validators.
    """
    try:
        # What is given stands last: a file cannot overrule it.
        return model.model_validate({**document.values, **(given or {})}, context=context), []
    except ValidationError as error:
        problems = [_problem(model, document, details) for details in error.errors(include_url=False)]
        return None, sorted(filter(None, problems), key=attrgetter("place"))


def _problem(model: type[Model], document: Document, error: ErrorDetails) -> Problem | None:
    if error["type"] == "too_short" and error["input"]:
        return None  # pydantic counts sound entries only, and has told what is wrong with the others
    where = tuple(step for step in error["loc"] if step != "[key]")
    if error["type"] == "missing":
        *parent, name = where
        return document.problem(tuple(parent), f'missing key "{name}"', at_key=True)
    if error["type"] == "extra_forbidden":
        *parent, name = where
        message = f"unknown key; {_suggestion(str(name), _known_keys(model, tuple(parent)))}"
        return document.problem(where, message, at_key=True)
    where += tuple(error.get("ctx", {}).get("at", ()))
    return document.problem(where, _message(error), at_key="[key]" in error["loc"])


def _message(error: ErrorDetails) -> str:
    render = _MESSAGES.get(error["type"])
    if error["input"] is None:
        return "this value is empty; if you mean the text, write it in quotes"
    return render(error) if render else error["msg"]


def _list_expected(error: ErrorDetails) -> str:
    given = error["input"]
    return f"expected a list: [{shortened(given)}]" if isinstance(given, str) and given else "expected a list"


def _literal_expected(error: ErrorDetails) -> str:
    choices = re.findall(r"'([^']*)'", error["ctx"]["expected"])
    return f"no such choice; {_suggestion(str(error['input']), choices)}"


_MESSAGES: dict[str, Callable[[ErrorDetails], str]] = {
    "dict_type": lambda _: 'expected "key: value" lines below this key',
    "fault": lambda error: error["msg"],
    "greater_than": lambda error: f"expected more than {error['ctx']['gt']}",
    "greater_than_equal": lambda error: f"expected at least {error['ctx']['ge']}",
    "int_parsing": lambda error: f'expected a whole number, not "{shortened(error["input"])}"',
    "less_than_equal": lambda error: f"expected at most {error['ctx']['le']}",
    "literal_error": _literal_expected,
    "int_type": lambda _: "expected a whole number",
    "model_type": lambda _: 'expected "key: value" lines below this key',
    "path_type": lambda _: "expected a path",
    "string_too_short": lambda _: "this text is empty",
    "string_type": lambda _: "expected a text",
    "too_short": lambda _: "expected at least one entry",
    "tuple_type": _list_expected,
    "value_error": lambda error: str(error["ctx"]["error"]),
}


def _suggestion(word: str, choices: list[str]) -> str:
    """``did you mean "column"?`` where one choice is close, else all of them."""
    if close := get_close_matches(word.lower(), choices, n=1):
        return f'did you mean "{close[0]}"?'
    return f"expected one of: {', '.join(choices)}"


@cache
def schema_of(model: type[Model]) -> dict[str, Any]:
    """The JSON Schema of the file, for editors. They see ``1`` and ``yes`` typed where this program sees a text."""
    return model.model_json_schema(schema_generator=_EditorSchema)


class _EditorSchema(GenerateJsonSchema):
    def str_schema(self, schema: core_schema.StringSchema) -> JsonSchemaValue:
        return super().str_schema(schema) | {"type": ["string", "number", "boolean"]}

    def encode_default(self, dft: Any) -> Any:
        # pydantic asks the value alone how it is written; here a duration is 10m.
        return written_duration(dft) if isinstance(dft, timedelta) else super().encode_default(dft)


def _known_keys(model: type[Model], where: Where) -> list[str]:
    """The keys that the mapping at ``where`` may have, read from the schema."""
    root = schema_of(model)
    node = _resolved(root, root)
    for step in where:
        below = node.get("items") if isinstance(step, int) else node.get("properties", {}).get(step)
        # A mapping of free names has one schema for all its values.
        node = _resolved(root, below or next(iter(node.get("patternProperties", {}).values())))
    return list(node.get("properties", {}))


def _resolved(root: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    for choice in node.get("anyOf", ()):
        if "$ref" in choice:
            return _resolved(root, choice)
    if reference := node.get("$ref"):
        return dict(root["$defs"][reference.rpartition("/")[2]])
    return node
