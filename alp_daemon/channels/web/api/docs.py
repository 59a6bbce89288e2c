"""The OpenAPI document of the API, and the same as a page that needs no network and no script."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import JsonSchemaMode
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from alp_daemon import __version__
from alp_daemon.channels.web import guards, pages
from alp_daemon.channels.web.api.models import Problem
from alp_daemon.channels.web.api.operations import EVERYWHERE, OPERATIONS, Answered, Body, Operation
from alp_daemon.channels.web.problems import KINDS
from alp_daemon.services.logins.credentials import Kind

_REFERENCE = "#/components/schemas/{model}"
_PROBLEM = {"application/problem+json": {"schema": {"$ref": _REFERENCE.format(model="Problem")}}}

_PATH_PARAMETERS = {
    "number": {"type": "string", "maxLength": 250, "examples": ["+12125550123"]},
    "id": {"type": "integer", "minimum": 1},
}


async def openapi(_request: Request) -> Response:
    return JSONResponse(document())


async def page(request: Request) -> Response:
    await guards.visitor_of(request)
    return pages.render(request, "docs.html", document=document(), kinds=KINDS.values())


@cache
def document() -> dict[str, Any]:
    """OpenAPI 3.1 (whose schemas are JSON Schema 2020-12, as pydantic writes them)."""
    schemas: dict[str, Any] = {}
    paths: dict[str, dict[str, Any]] = {}
    for each in OPERATIONS:
        paths.setdefault(_path(each), {})[each.method.lower()] = _operation(each, schemas)
    _schema((Problem,), "serialization", schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "alp-daemon ManageOptin API",
            "version": __version__,
            "description": "One customer's opt-in list. `opted_out` is lifted only by the end user's own message with"
            " the keyword; no call and no file can.",
        },
        "paths": paths,
        "components": {"schemas": dict(sorted(schemas.items())), "securitySchemes": _SECURITY},
    }


_SECURITY = {
    str(Kind.api): {
        "type": "http",
        "scheme": "bearer",
        "description": "A customer's token (`credentials issue --for api`).",
    },
    str(Kind.gateway): {"type": "http", "scheme": "bearer", "description": "The gateway's token (`--for gateway`)."},
}


def _operation(operation: Operation, schemas: dict[str, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "security": [{str(operation.kind): []}],
        "parameters": [*_path_parameters(operation), *_query_parameters(operation), *_header_parameters(operation)],
        "responses": {
            **{str(status): _answer(answer, schemas) for status, answer in operation.answers.items()},
            **{str(status): _refusal(status) for status in sorted({*EVERYWHERE, *operation.refusals})},
        },
    }
    if operation.body:
        content = {"application/json": {"schema": _schema(operation.body, "validation", schemas)}}
        described["requestBody"] = {"required": True, "content": content}
    elif operation.takes_file:
        content = {"application/octet-stream": {"schema": {"type": "string", "contentMediaType": "text/csv"}}}
        described["requestBody"] = {"required": True, "content": content}
    return described


def _answer(answer: Answered, schemas: dict[str, Any]) -> dict[str, Any]:
    schema = _schema(answer.types, "serialization", schemas) if answer.types else {"type": "string"}
    return {"description": answer.meaning, "content": {answer.media: {"schema": schema}}}


def _refusal(status: int) -> dict[str, Any]:
    return {"description": KINDS[status].title, "content": _PROBLEM}


def _path(operation: Operation) -> str:
    return re.sub(r"\{(\w+):\w+\}", r"{\1}", operation.path)


def _path_parameters(operation: Operation) -> list[dict[str, Any]]:
    names = re.findall(r"\{(\w+)\}", _path(operation))
    return [{"name": name, "in": "path", "required": True, "schema": _PATH_PARAMETERS[name]} for name in names]


def _query_parameters(operation: Operation) -> list[dict[str, Any]]:
    schema = operation.query.model_json_schema()
    return [
        {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            "description": property_.get("description", ""),
            "schema": _asked(property_),
        }
        for name, property_ in schema.get("properties", {}).items()
    ]


def _asked(property_: dict[str, Any]) -> dict[str, Any]:
    """What may stand in a URL: there is no null there."""
    rest = {
        name: value for name, value in property_.items() if name not in ("title", "description", "default", "anyOf")
    }
    return rest | next((choice for choice in property_.get("anyOf", ()) if choice.get("type") != "null"), {})


def _header_parameters(operation: Operation) -> list[dict[str, Any]]:
    schema = {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"}
    return [
        {"name": name, "in": "header", "required": False, "description": meaning, "schema": schema}
        for name, meaning in operation.headers.items()
    ]


def _schema(types: Body, mode: JsonSchemaMode, schemas: dict[str, Any]) -> dict[str, Any]:
    """The schema of any of the types; the models that it refers to are added to ``schemas``."""
    found = [_one_schema(each, mode, schemas) for each in types]
    return found[0] if len(found) == 1 else {"anyOf": found}


def _one_schema(type_: Any, mode: JsonSchemaMode, schemas: dict[str, Any]) -> dict[str, Any]:
    schema = TypeAdapter(type_).json_schema(mode=mode, by_alias=True, ref_template=_REFERENCE)
    schemas.update(schema.pop("$defs", {}))
    if isinstance(type_, type) and issubclass(type_, BaseModel):
        schemas[type_.__name__] = schema
        return {"$ref": _REFERENCE.format(model=type_.__name__)}
    return schema
