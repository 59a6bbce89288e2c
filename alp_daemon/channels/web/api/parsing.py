"""From a request to typed values, or to a problem that names every fault."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails
from starlette.requests import Request

from alp_daemon.channels.web.limits import small_body
from alp_daemon.channels.web.problems import HttpProblem

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)

_JSON = "application/json"
# An escape; in group 1 half of a surrogate pair, whose other half is not there. Whole pairs are passed over.
_ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)


async def json_body(request: Request) -> bytes:
    """The body of a JSON call, unread. Raises ``HttpProblem`` for another type of content."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _JSON:
        raise HttpProblem(415, f"expected Content-Type: {_JSON}", {"Accept": _JSON})
    return await small_body(request)


def mended(body: bytes) -> bytes:
    """JSON with U+FFFD for signs that are none: bytes that are no UTF-8, and halves of surrogate pairs.

    For what must not be refused over one. A gateway that cuts a text into parts cuts emoji in two, and one that passes
    bytes on as it gets them sends Latin-1.
    """
    text = body.decode("utf-8-sig", "replace")
    return _ESCAPE.sub(lambda escape: r"\ufffd" if escape[1] else escape[0], text).encode()


def parsed(adapter: TypeAdapter[T], body: bytes) -> T:
    """Raises ``HttpProblem``: 400 for what is no JSON, 422 for JSON that says something else than expected."""
    try:
        return adapter.validate_json(body)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        if faults[0]["type"] == "json_invalid":
            raise HttpProblem(400, faults[0]["msg"]) from None
        raise _unusable(faults, "the body is not what this call takes") from None


def query(model: type[M], request: Request) -> M:
    given: Mapping[str, str] = dict(request.query_params)
    try:
        return model.model_validate(given)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        raise _unusable(faults, "the parameters are not what this call takes") from None


def _unusable(faults: list[ErrorDetails], detail: str) -> HttpProblem:
    """What was sent is not quoted: it may be a number."""
    errors: list[dict[str, Any]] = [
        {"at": "/" + "/".join(map(str, fault["loc"])), "message": fault["msg"]} for fault in faults[:20]
    ]
    return HttpProblem(422, detail, more={"errors": errors})
