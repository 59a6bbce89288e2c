"""Every address of the web side, and what stands around all of them."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from alp_daemon.channels.web import informz, monitoring, pages, problems, signin, uploader, uploaders
from alp_daemon.channels.web.api import docs
from alp_daemon.channels.web.api.operations import OPERATIONS
from alp_daemon.channels.web.bucket import Buckets
from alp_daemon.channels.web.console.routes import ROUTES as CONSOLE
from alp_daemon.channels.web.headers import SecurityHeaders
from alp_daemon.channels.web.limits import IDLE_SECONDS, BodyLimits
from alp_daemon.channels.web.paths import UPLOAD
from alp_daemon.channels.web.proxies import TrustedProxies
from alp_daemon.channels.web.site import Site
from alp_daemon.domain.networks import networks
from alp_daemon.errors import AlpError

ROUTES: list[BaseRoute] = [
    Route("/login", signin.login_page, methods=["GET"]),
    Route("/login", signin.login, methods=["POST"]),
    Route("/logout", signin.logout, methods=["POST"]),
    Route("/account", signin.account, methods=["GET"]),
    Route("/uploaders", uploaders.listed, methods=["GET"]),
    Route("/uploaders", uploaders.issue, methods=["POST"]),
    Route("/uploaders/revoke", uploaders.revoke, methods=["POST"]),
    *uploader.ROUTES,
    *(Route(each.path, each.endpoint, methods=[each.method]) for each in OPERATIONS),
    *CONSOLE,
    Route("/informz/aapi", informz.post, methods=["POST"]),
    Route(f"/informz/uploads/{UPLOAD}", informz.state, methods=["GET"]),
    Route("/openapi.json", docs.openapi, methods=["GET"]),
    Route("/docs", docs.page, methods=["GET"]),
    Route("/healthz", monitoring.live, methods=["GET"]),
    Route("/readyz", monitoring.ready, methods=["GET"]),
    Route("/metrics", monitoring.metrics, methods=["GET"]),
    Mount("/static", StaticFiles(directory=pages.STATIC), name="static"),
]


def make_app(site: Site, idle_seconds: float = IDLE_SECONDS) -> ASGIApp:
    """The application. Its frame stands outside of the framework's own, so that answers to bugs are framed too."""
    app = Starlette(
        routes=ROUTES,
        exception_handlers={
            problems.HttpProblem: problems.on_problem,
            AlpError: problems.on_alp_error,
            HTTPException: problems.on_http_error,
            Exception: problems.on_bug,
        },
    )
    # `/login/` is no address; a redirect would be built from the Host header, which anybody may write.
    app.router.redirect_slashes = False
    app.state.site = site
    app.state.wrong_tokens = Buckets()
    trusted = networks(site.settings.web.trusted_proxies)
    return TrustedProxies(SecurityHeaders(BodyLimits(app, idle_seconds)), trusted)
