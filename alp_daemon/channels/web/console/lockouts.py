"""Addresses that failed log-ins have locked out, and the way to free one."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from alp_daemon.channels.web import guards
from alp_daemon.channels.web.console import frame
from alp_daemon.channels.web.site import of
from alp_daemon.errors import NotFound
from alp_daemon.services.logins.sessions import Visitor


@frame.operators_only
async def page(request: Request, _visitor: Visitor) -> Response:
    site = of(request)
    found = await site.ask(site.access.lockouts, site.now())
    return frame.render(request, "lockouts.html", here="lockouts", found=found, limits=site.settings.lockout)


@frame.operators_only
async def free(request: Request, visitor: Visitor) -> Response:
    site = of(request)
    ip = (await guards.form(request)).get("ip", "")
    if not await site.do(site.access.unlock, ip, visitor.user, site.now()):
        raise NotFound(f"{ip[:60]} is not locked out any more")
    return frame.then("/console/lockouts", "freed")
