"""A customer's own admin issues and revokes its uploaders."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from alp_daemon.channels.web import guards, pages
from alp_daemon.channels.web.problems import HttpProblem
from alp_daemon.channels.web.site import of
from alp_daemon.services.logins.credentials import Issued, Kind
from alp_daemon.services.logins.sessions import Visitor


@guards.requires(Kind.admin)
async def listed(request: Request, visitor: Visitor) -> Response:
    return await _page(request, visitor)


@guards.requires(Kind.admin)
async def issue(request: Request, visitor: Visitor) -> Response:
    """The password stands in this answer and nowhere else, so there is no redirect."""
    site = of(request)
    issued = await site.do(site.credentials.issue, visitor.customer, Kind.uploader, visitor.user, site.now())
    return await _page(request, visitor, issued)


@guards.requires(Kind.admin)
async def revoke(request: Request, visitor: Visitor) -> Response:
    site = of(request)
    user = (await guards.form(request)).get("user", "")
    revoked = await site.do(
        site.credentials.revoke, visitor.customer, user, visitor.user, site.now(), only=Kind.uploader
    )
    if not revoked:
        raise HttpProblem(404, "you have no such uploader, or it was revoked before")
    return RedirectResponse("/uploaders", 303)


async def _page(request: Request, visitor: Visitor, issued: Issued | None = None) -> Response:
    site = of(request)
    known = await site.ask(site.credentials.list, visitor.customer)
    uploaders = [each for each in known if each.kind == Kind.uploader]
    return pages.render(request, "uploaders.html", uploaders=uploaders, issued=issued)
