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

ROUTES: list[BaseRoute] = [
    Route("/console", overview.page, methods=["GET"]),
    Route("/console/uploads", uploads.listing, methods=["GET"]),
    Route("/console/uploads/{id:int}", uploads.one, methods=["GET"]),
    Route("/console/uploads/{id:int}/rejects.csv", uploads.rejects, methods=["GET"]),
    Route("/console/uploads/{id:int}/undo", uploads.undo, methods=["POST"]),
    Route("/console/held", held.listing, methods=["GET"]),
    Route("/console/held/{id:int}", held.one, methods=["GET"]),
    Route("/console/held/{id:int}/release", held.release, methods=["POST"]),
    Route("/console/held/{id:int}/discard", held.discard, methods=["POST"]),
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
