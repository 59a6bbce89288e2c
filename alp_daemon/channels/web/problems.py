"""What went wrong, told to programs (RFC 9457, problem+json) and to people (a page)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from alp_daemon.channels.web import pages
from alp_daemon.errors import (
    AlpError,
    ConfigurationError,
    NoRoom,
    NotFound,
    Refused,
    TryAgain,
    Unavailable,
    UnusableFile,
    UsageProblem,
)


@dataclass(frozen=True, slots=True)
class Kind:
    """A sort of problem. ``slug`` names it for ever; ``/docs#slug`` explains it."""

    slug: str
    status: int
    title: str
    cure: str


KINDS = {
    kind.status: kind
    for kind in (
        Kind("malformed", 400, "Not a request we can read", "Send what this page says, as JSON in UTF-8."),
        Kind(
            "unauthorized", 401, "Sign in first", "Send Authorization: Bearer TOKEN with a token that was not revoked."
        ),
        Kind("forbidden", 403, "Not yours to do", "Use a token, or a log-in, that is for this."),
        Kind("not-found", 404, "There is no such thing", "Look at the address; what belongs to others is not shown."),
        Kind("method", 405, "This address takes no such method", "See the Allow header."),
        Kind("too-slow", 408, "The request came too slowly", "Send it again over a better line."),
        Kind("refused", 409, "A rule forbids it", "Read the detail; trying again gives the same answer."),
        Kind("too-large", 413, "The body is too large", "Send less at a time."),
        Kind("media-type", 415, "This address takes another type of content", "See the Accept header of the answer."),
        Kind("unusable", 422, "The request makes no sense", "Correct what the detail says, and send it again."),
        Kind("too-many", 429, "Too many wrong attempts", "Wait as long as the Retry-After header says."),
        Kind("internal", 500, "An error of this program", "Tell your provider when it happened."),
        Kind("no-room", 507, "No room for the file", "Send it again later; it is not your file that is at fault."),
        Kind("unavailable", 503, "Not available just now", "Try again after what the Retry-After header says."),
    )
}

# The edge's one table from the program's errors to HTTP.
_STATUS: dict[type, int] = {
    UsageProblem: 422,
    UnusableFile: 422,
    NotFound: 404,
    Refused: 409,
    ConfigurationError: 409,
    TryAgain: 503,
    NoRoom: 507,
    Unavailable: 503,
}
_RETRY_SECONDS = "5"


@dataclass
class HttpProblem(Exception):
    """Raised by a handler that knows what to answer."""

    status: int
    detail: str
    headers: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)


def of_error(error: AlpError) -> HttpProblem:
    status = next((_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS), 500)
    detail = str(error) if status != 500 else KINDS[500].cure
    again = {"Retry-After": _RETRY_SECONDS} if isinstance(error, TryAgain | Unavailable) else {}
    return HttpProblem(status, detail, again)


def as_dict(problem: HttpProblem) -> dict[str, Any]:
    kind = KINDS[problem.status]
    return {
        "type": f"/docs#{kind.slug}",
        "title": kind.title,
        "status": kind.status,
        "detail": problem.detail,
        **problem.more,
    }


def answer(request: Request, problem: HttpProblem) -> Response:
    """A page for people's addresses, problem+json for all others."""
    if pages.is_page(request):
        response = pages.render(request, "problem.html", status=problem.status, problem=as_dict(problem))
        response.headers.update(problem.headers)
        return response
    return JSONResponse(as_dict(problem), problem.status, problem.headers, media_type="application/problem+json")


async def on_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, HttpProblem)
    return answer(request, error)


async def on_alp_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, AlpError)
    return answer(request, of_error(error))


async def on_http_error(request: Request, error: Exception) -> Response:
    """What the framework itself refuses: an unknown address, a wrong method."""
    assert isinstance(error, HTTPException)
    status = error.status_code if error.status_code in KINDS else 400
    return answer(request, HttpProblem(status, KINDS[status].cure, error.headers or {}))


async def on_bug(request: Request, _error: Exception) -> Response:
    # The server logs it with its traceback.
    return answer(request, HttpProblem(500, KINDS[500].cure))
