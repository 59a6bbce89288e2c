"""What customers used: since when, how often, and what is charged."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from alp_daemon.channels.web.console import frame
from alp_daemon.channels.web.site import of
from alp_daemon.services.logins.sessions import Visitor
from alp_daemon.services.operations.usage import usage_of_all


@frame.operators_only
async def page(request: Request, _visitor: Visitor) -> Response:
    site = of(request)
    usage = await site.ask(usage_of_all, site.store, list(site.registry.all()), site.now())
    return frame.render(request, "usage.html", here="usage", usage=usage)
