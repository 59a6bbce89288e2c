"""Pages: templates with a common frame, and what every one of them knows."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

_FOLDER = Path(__file__).parent
STATIC = _FOLDER / "static"

# Addresses of programs; all others are people's.
_PROGRAMS = ("/api/", "/openapi.json", "/healthz", "/readyz", "/metrics")


@cache
def templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def is_page(request: Request) -> bool:
    return not request.url.path.startswith(_PROGRAMS)


def render(request: Request, template: str, *, status: int = 200, **values: Any) -> Response:
    """A template with its values, and ``visitor`` (None where nobody has signed in) and ``csrf`` for its forms."""
    known = {"visitor": getattr(request.state, "visitor", None), "csrf": getattr(request.state, "csrf", "")}
    return HTMLResponse(templates().get_template(template).render(**known, **values), status)
