"""Who may see a page: guards for page functions, sessions in cookies, and the token that forms carry."""

from __future__ import annotations

import functools
import hmac
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from alp_daemon.channels.web.limits import small_body
from alp_daemon.channels.web.problems import HttpProblem
from alp_daemon.channels.web.site import of
from alp_daemon.services.logins.credentials import Kind
from alp_daemon.services.logins.sessions import Visitor

Page = Callable[[Request, Visitor], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]

_SAFE = ("GET", "HEAD")
_FORM = "application/x-www-form-urlencoded"
_MOST_FIELDS = 100


def requires(*kinds: Kind) -> Callable[[Page], Endpoint]:
    """The page is for visitors of these kinds. Others get 403, and who has not signed in may do so first.

    What changes something (POST) needs the session's token besides: in the field ``csrf`` of a plain form, in the
    header ``X-CSRF-Token``, or as ``?csrf=`` where the body is a file.
    """

    def decorate(page: Page) -> Endpoint:
        @functools.wraps(page)
        async def guarded(request: Request) -> Response:
            visitor = await visitor_of(request)
            if visitor is None:
                return _to_sign_in(request)
            if visitor.kind not in kinds:
                raise HttpProblem(403, f"this is not for a log-in of the kind {visitor.kind}")
            if request.method not in _SAFE:
                await _check_csrf(request)
            return await page(request, visitor)

        return guarded

    return decorate


async def visitor_of(request: Request) -> Visitor | None:
    """Who sits at the browser; templates then know ``visitor`` and ``csrf``."""
    site = of(request)
    secret = session_secret(request)
    visitor = await site.ask(site.sessions.find, secret, site.now()) if secret else None
    request.state.visitor = visitor
    request.state.csrf = _csrf(secret) if visitor else ""
    return visitor


async def form(request: Request) -> dict[str, str]:
    """The fields of a plain form, the last of each name."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise HttpProblem(415, f"expected a form ({_FORM})", {"Accept": _FORM})
    if not hasattr(request.state, "form"):
        text = (await small_body(request)).decode("utf-8", "replace")
        try:
            fields = parse_qs(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
        except ValueError:
            raise HttpProblem(400, f"a form has at most {_MOST_FIELDS} fields here") from None
        request.state.form = {name: values[-1] for name, values in fields.items()}
    fields_: dict[str, str] = request.state.form
    return fields_


def check_origin(request: Request) -> None:
    """Refuses what another site's page makes a browser send. Programs send no Origin, and have no cookie either."""
    origin = request.headers.get("origin")
    if origin is not None and origin.partition("://")[2] != request.headers.get("host"):
        raise HttpProblem(403, "this form was sent by a page of another site")


def session_secret(request: Request) -> str:
    return request.cookies.get(_cookie_name(request), "")


def set_session(request: Request, response: Response, secret: str) -> None:
    response.set_cookie(
        _cookie_name(request), secret, httponly=True, samesite="strict", secure=_is_secure(request), path="/"
    )


def end_session(request: Request, response: Response) -> None:
    response.delete_cookie(
        _cookie_name(request), httponly=True, samesite="strict", secure=_is_secure(request), path="/"
    )


def _is_secure(request: Request) -> bool:
    return request.url.scheme == "https"


def _cookie_name(request: Request) -> str:
    # RFC 6265bis, 4.1.3.2: browsers take a __Host- cookie from this very host over TLS only.
    return "__Host-alp-session" if _is_secure(request) else "alp-session"


def _csrf(secret: str) -> str:
    # Made of the cookie, which no other site can read, so that there is nothing more to keep.
    return hmac.digest(secret.encode(), b"csrf", "sha256").hex()


async def _check_csrf(request: Request) -> None:
    check_origin(request)
    given = request.headers.get("x-csrf-token") or request.query_params.get("csrf")
    if given is None:
        given = (await form(request)).get("csrf", "")
    if not hmac.compare_digest(given.encode(), request.state.csrf.encode()):
        raise HttpProblem(403, "this form is too old or was not made by this site; load the page again")


def _to_sign_in(request: Request) -> Response:
    if request.method not in _SAFE:
        return RedirectResponse("/login", 303)
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"/login?{urlencode({'next': wanted})}", 303)
