"""The installation at a glance."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from alp_daemon.channels.web import svg
from alp_daemon.channels.web.console import frame
from alp_daemon.channels.web.site import of
from alp_daemon.services.logins.sessions import Visitor
from alp_daemon.services.web.overview import Hour, overview

# From the bottom of a bar to its top: what needs somebody stands where it is seen.
_STACKED = {
    "applied": "good",
    "received": "plain",
    "discarded": "plain",
    "undone": "plain",
    "rejected": "warn",
    "held": "warn",
    "failed": "bad",
}
_EVERY_THIRD_HOUR = 3


@frame.operators_only
async def page(request: Request, _visitor: Visitor) -> Response:
    site = of(request)
    now = site.now()
    found = await site.ask(overview, site.store, site.metrics, now)
    return frame.render(
        request,
        "overview.html",
        here="overview",
        now=now,
        found=found,
        chart=svg.bars(
            [_stack(hour) for hour in found.hours], [f"{hour.since:%H}" for hour in found.hours], _EVERY_THIRD_HOUR
        ),
        came=sum(hour.total for hour in found.hours),
    )


def _stack(hour: Hour) -> dict[str, int]:
    stack: dict[str, int] = {}
    for stage, kind in _STACKED.items():
        if n := hour.stages.get(stage):
            stack[kind] = stack.get(kind, 0) + n
    return stack
