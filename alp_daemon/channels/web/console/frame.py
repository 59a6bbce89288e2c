"""What the console's pages share: who may see them, the frame around them, and what they are asked for."""

from __future__ import annotations

import re
from collections.abc import Container
from datetime import date
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from alp_daemon.channels.web import guards, pages
from alp_daemon.channels.web.problems import HttpProblem
from alp_daemon.channels.web.site import Site
from alp_daemon.services.decisions import consider
from alp_daemon.services.logins.credentials import Kind

if TYPE_CHECKING:
    from alp_daemon.store.uploads import Upload

operators_only = guards.requires(Kind.operator)
"""Decorates a page function of the console."""

READ_UNASKED = 4 * 2**20
"""Bytes of a file, unpacked, up to which a page reads it by itself. It takes this process's time: a larger one is
asked for."""
_LONGEST_TEXT = 255

DONE = {
    "released": "It is back in the queue, and is worked in its turn.",
    "discarded": "It is discarded. The list stays as it is.",
    "undone": "It is undone.",
    "approved": "The feed is approved. What waited for it goes on.",
    "sent": "The customer has been sent a link to this page.",
    "revoked": "The log-in is revoked.",
    "freed": "The address may log in again.",
}
"""What a page says after something was done, by the word in its address. No other text can be put there."""


def render(request: Request, template: str, *, here: str, status: int = 200, **values: Any) -> Response:
    """A page of the console. ``here`` is the entry of the menu that it belongs to."""
    done = DONE.get(request.query_params.get("done", ""), "")
    return pages.render(request, f"console/{template}", status=status, here=here, done=done, **values)


def then(path: str, done: str, **figures: int) -> Response:
    """After a change: a page that says so, which can be loaded again without doing it again."""
    return RedirectResponse(f"{path}?{urlencode({'done': done, **figures})}", 303)


def text(request: Request, name: str) -> str | None:
    """What a filter asks for; None where it was left empty."""
    return request.query_params.get(name, "").strip()[:_LONGEST_TEXT] or None


def choice(request: Request, name: str, choices: Container[str]) -> str | None:
    """One of a filter's choices. What is none of them, from an old bookmark say, filters nothing."""
    given = text(request, name)
    return given if given in choices else None


def day(request: Request, name: str) -> date | None:
    """A day as browsers write it. Raises ``HttpProblem`` where it is none."""
    given = text(request, name)
    if given is None:
        return None
    try:
        return date.fromisoformat(given)
    except ValueError:
        raise HttpProblem(422, f"{name}: expected a day such as 2026-11-21") from None


def number(request: Request, name: str) -> int | None:
    given = text(request, name)
    if given is None or not re.fullmatch(r"[0-9]{1,18}", given):
        return None
    return int(given)


async def is_read_unasked(site: Site, upload: Upload) -> bool:
    return not await site.ask(consider.is_larger, site.settings, upload, READ_UNASKED)


async def confirmed(request: Request) -> dict[str, str]:
    """The fields of a form whose box "I am sure" was ticked. Raises ``HttpProblem`` where it was not."""
    fields = await guards.form(request)
    if fields.get("sure") != "yes":
        raise HttpProblem(422, "nothing was changed: tick the box that says that you are sure, then send it again")
    return fields
