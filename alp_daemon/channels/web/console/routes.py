"""Every address of the console, and that of the page that customers approve by."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route

from alp_daemon.channels.web.console import (
    approval,
    credentials,
    customers,
    feed,
    held,
    lockouts,
    number,
    overview,
    uploads,
    usage,
)
from alp_daemon.channels.web.paths import UPLOAD

ROUTES: list[BaseRoute] = [
    Route("/console", overview.page, methods=["GET"]),
    Route("/console/uploads", uploads.listing, methods=["GET"]),
    Route(f"/console/uploads/{UPLOAD}", uploads.one, methods=["GET"]),
    Route(f"/console/uploads/{UPLOAD}/rejects.csv", uploads.rejects, methods=["GET"]),
    Route(f"/console/uploads/{UPLOAD}/undo", uploads.undo, methods=["POST"]),
    Route("/console/held", held.listing, methods=["GET"]),
    Route(f"/console/held/{UPLOAD}", held.one, methods=["GET"]),
    Route(f"/console/held/{UPLOAD}/release", held.release, methods=["POST"]),
    Route(f"/console/held/{UPLOAD}/discard", held.discard, methods=["POST"]),
    Route("/console/customers", customers.listing, methods=["GET"]),
    Route("/console/customers/{customer}", customers.one, methods=["GET"]),
    Route("/console/customers/{customer}/credentials", credentials.issue, methods=["POST"]),
    Route("/console/customers/{customer}/credentials/revoke", credentials.revoke, methods=["POST"]),
    Route("/console/customers/{customer}/feeds/{feed}", feed.page, methods=["GET"]),
    Route("/console/customers/{customer}/feeds/{feed}/approve", feed.approve, methods=["POST"]),
    Route("/console/customers/{customer}/feeds/{feed}/send", feed.send, methods=["POST"]),
    Route("/console/number", number.page, methods=["GET"]),
    Route("/console/usage", usage.page, methods=["GET"]),
    Route("/console/lockouts", lockouts.page, methods=["GET"]),
    Route("/console/lockouts/free", lockouts.free, methods=["POST"]),
    Route("/approval/{token}", approval.page, methods=["GET"]),
    Route("/approval/{token}", approval.decide, methods=["POST"]),
]
