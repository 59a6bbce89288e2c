"""Signing in and out with a browser."""

from __future__ import annotations

from datetime import datetime

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from alp_daemon import log
from alp_daemon.channels.web import guards, pages
from alp_daemon.channels.web.site import Site, ip_of, of, source_of
from alp_daemon.errors import Unavailable
from alp_daemon.services.logins.access import Denied, LockedOut, Login
from alp_daemon.services.logins.credentials import SIGNS_IN
from alp_daemon.services.logins.sessions import Visitor

# Longer ones are no user's of ours; hashing them would only take time.
_LONGEST = 200
_AFTER_SIGN_IN = "/"


async def login_page(request: Request) -> Response:
    if await guards.visitor_of(request) is not None:
        return RedirectResponse(_next(request.query_params.get("next", "")), 303)
    return _form(request, next_=request.query_params.get("next", ""))


async def login(request: Request) -> Response:
    guards.check_origin(request)
    fields = await guards.form(request)
    site, next_ = of(request), fields.get("next", "")
    user, password = fields.get("user", "").strip()[:_LONGEST], fields.get("password", "").strip()[:_LONGEST]
    verdict = await site.judge(
        source_of(request), site.access.judge, ip_of(request), user, password, site.now(), SIGNS_IN
    )
    if isinstance(verdict, Login):
        return await _welcome(site, request, verdict, next_)
    until = verdict.until
    log.warning(
        "sign_in_refused", ip=ip_of(request), reason="locked out" if isinstance(verdict, LockedOut) else "denied"
    )
    if until is not None:
        return _form(request, user, next_, status=429, fault=_locked_out(until))
    assert isinstance(verdict, Denied)
    return _form(request, user, next_, status=401, fault="Unknown user or wrong password.")


@guards.requires(*SIGNS_IN)
async def logout(request: Request, _visitor: Visitor) -> Response:
    site = of(request)
    await site.do(site.sessions.end, guards.session_secret(request))
    response = RedirectResponse("/login", 303)
    guards.end_session(request, response)
    return response


@guards.requires(*SIGNS_IN)
async def account(request: Request, _visitor: Visitor) -> Response:
    """Who has signed in, and the way out."""
    return pages.render(request, "account.html")


async def _welcome(site: Site, request: Request, login: Login, next_: str) -> Response:
    if login.kind.is_of_customer:
        try:
            site.customer(login.customer)
        except Unavailable as error:
            return _form(request, login.user, next_, status=503, fault=f"{str(error).capitalize()}.")
    secret = await site.do(site.sessions.begin, login, site.now(), guards.session_secret(request))
    response = RedirectResponse(_next(next_), 303)
    guards.set_session(request, response, secret)
    return response


def _form(request: Request, user: str = "", next_: str = "", *, status: int = 200, fault: str = "") -> Response:
    return pages.render(request, "login.html", status=status, user=user, next=next_, fault=fault)


def _next(wanted: str) -> str:
    """Where to go after signing in: a path of this site and nothing that a browser would read as another's."""
    is_ours = wanted.startswith("/") and not wanted.startswith("//") and "\\" not in wanted and wanted.isprintable()
    return wanted if is_ours else _AFTER_SIGN_IN


def _locked_out(until: datetime) -> str:
    return f"Too many failed log-ins: your address is blocked until {until:%Y-%m-%d %H:%M:%S} UTC."
