"""``/informz/aapi``: Informz BulkUpload requests, bare or in a SOAP envelope, and what became of one."""

from __future__ import annotations

import base64
import binascii
from collections.abc import AsyncIterator
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from alp_daemon.channels.web.api.uploads import receive
from alp_daemon.channels.web.limits import check_length, in_time
from alp_daemon.channels.web.problems import HttpProblem, of_error
from alp_daemon.channels.web.site import Site, ip_of, of, source_of
from alp_daemon.customers import BULK_UPLOAD, Customer
from alp_daemon.errors import AlpError, NotFound
from alp_daemon.files.informz.nodes import NAMESPACE
from alp_daemon.files.informz.sender import MOST_BEFORE, Sender, sender_of
from alp_daemon.services.logins.access import LockedOut, Login
from alp_daemon.services.logins.credentials import Kind
from alp_daemon.services.web import bulkrequest, webupload

_OPERATION = "PostInformzMessage"
_BASIC = {"WWW-Authenticate": 'Basic realm="informz", charset="UTF-8"'}


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the response says. ``status`` is success, failure, or how far an upload has come."""

    status: str
    message: str
    brand_id: str = ""
    user: str = ""
    upload: int | None = None
    envelope: str = ""


async def post(request: Request) -> Response:
    """Takes a request into the queue; nothing is kept of one that is refused."""
    site = of(request)
    sender: Sender | None = None
    try:
        body = request.stream()
        beginning, sender = await _beginning(site, source_of(request), body)
        if sender is None:
            raise HttpProblem(
                400,
                f"this is no ActionRequest that begins with Password, Brand and User (within {MOST_BEFORE:,} bytes)",
            )
        customer = await _customer_of(site, request, sender)
        check_length(request, site.largest_of(customer))
        upload = await _taken(site, request, customer, sender, beginning, body)
        return _response(_answer(sender, "success", "Data submitted.", upload), 200)
    except ClientDisconnect:
        return _refused(HttpProblem(400, "the body ended before its announced end"), sender)
    except HttpProblem as problem:
        return _refused(problem, sender)
    except AlpError as error:
        return _refused(of_error(error), sender)


async def state(request: Request) -> Response:
    """How far an upload has come, for the brand's own users (HTTP Basic; the user is ``BRAND/USER``)."""
    site = of(request)
    try:
        brand_id, user, password = _basic(request)
        customer = await _customer_of(site, request, Sender(brand_id, user, password))
        found = await site.ask(webupload.report_of, site.store, customer.id, request.path_params["id"])
        if found["feed"] != BULK_UPLOAD:
            raise NotFound(f"there is no upload {found['upload']}")
    except HttpProblem as problem:
        return _refused(problem, None)
    except AlpError as error:
        return _refused(of_error(error), None)
    changes = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in found["changes"].items() if count)
    told = found["reason"] or changes or "nothing to change"
    return _response(_Answer(found["state"], told, brand_id, user, found["upload"]), 200)


async def _beginning(site: Site, address: str, body: AsyncIterator[bytes]) -> tuple[bytes, Sender | None]:
    """The body as far as its sender stands in it, and the sender. Raises ``HttpProblem`` where that takes too long."""
    beginning, sender, looked_at = bytearray(), None, 0
    async with in_time():
        async for chunk in body:
            beginning += chunk
            # Looked at again when there is twice as much: what a stranger sends must not be read over and over.
            if len(beginning) >= min(2 * looked_at, MOST_BEFORE):
                sender, looked_at = await site.judge(address, sender_of, bytes(beginning)), len(beginning)
            if sender or looked_at >= MOST_BEFORE:
                break
        if sender is None and looked_at < len(beginning):
            sender = await site.judge(address, sender_of, bytes(beginning))
    return bytes(beginning), sender


async def _customer_of(site: Site, request: Request, sender: Sender) -> Customer:
    """Whose brand it is, if brand, user and password say so. Raises ``HttpProblem``."""
    login = bulkrequest.login_of(sender.brand_id, sender.user)
    verdict = await site.judge(
        source_of(request), site.access.judge, ip_of(request), login, sender.password, site.now(), (Kind.informz,)
    )
    if isinstance(verdict, LockedOut):
        raise HttpProblem(
            403, f"too many failed log-ins: your address is blocked until {verdict.until:%Y-%m-%d %H:%M:%S} UTC"
        )
    denied = HttpProblem(401, "unknown brand or user, or wrong password", _BASIC)
    if not isinstance(verdict, Login):
        raise denied
    customer = site.customer(verdict.customer)
    brand = customer.brand
    if brand is None or brand.id != sender.brand_id or (brand.users and sender.user not in brand.users):
        raise denied
    return customer


async def _taken(
    site: Site, request: Request, customer: Customer, sender: Sender, beginning: bytes, body: AsyncIterator[bytes]
) -> int:
    incoming = await site.do(site.intake.begin, customer.id)
    try:
        await receive(site, _whole(beginning, body), incoming, site.largest_of(customer))
        return await site.do(bulkrequest.accept, site.intake, incoming, customer, sender, ip_of(request), site.now())
    finally:
        await site.do(incoming.abort)


async def _whole(beginning: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield beginning
    async for chunk in rest:
        yield chunk


def _basic(request: Request) -> tuple[str, str, str]:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    try:
        login, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        login, password = "", ""
    brand_id, _, user = login.partition("/")
    if scheme.lower() != "basic" or not (brand_id and user):
        raise HttpProblem(401, "say who asks: HTTP Basic with the user BRAND/USER", _BASIC)
    return brand_id, user, password


def _answer(sender: Sender | None, status: str, message: str, upload: int | None = None) -> _Answer:
    if sender is None:
        return _Answer(status, message, upload=upload)
    return _Answer(status, message, sender.brand_id, sender.user, upload, sender.envelope)


def _refused(problem: HttpProblem, sender: Sender | None) -> Response:
    response = _response(_answer(sender, "failure", problem.detail), problem.status)
    response.headers.update(problem.headers)
    return response


def _response(answer: _Answer, status: int) -> Response:
    text = _action_response(answer)
    if answer.envelope:
        text = _in_envelope(text, answer.envelope)
    return Response(text, status, media_type="text/xml; charset=utf-8")


def _action_response(answer: _Answer) -> str:
    upload = "" if answer.upload is None else str(answer.upload)
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<ActionResponse xmlns="{NAMESPACE}">\n'
        f"  <Brand id={quoteattr(answer.brand_id)}></Brand>\n"
        f"  <User>{escape(answer.user)}</User>\n"
        "  <Responses>\n"
        "    <BulkUpload>\n"
        f"      <UploadID>{upload}</UploadID>\n"
        "      <ActionStatus>\n"
        f"        <Status>{escape(answer.status)}</Status>\n"
        f"        <Message>{escape(answer.message)}</Message>\n"
        "      </ActionStatus>\n"
        "    </BulkUpload>\n"
        "  </Responses>\n"
        "</ActionResponse>\n"
    )


def _in_envelope(text: str, namespace: str) -> str:
    return (
        f'<?xml version="1.0" encoding="utf-8"?>\n<soap:Envelope xmlns:soap={quoteattr(namespace)}><soap:Body>'
        f'<{_OPERATION}Response xmlns="{NAMESPACE}"><{_OPERATION}Result>{escape(text)}</{_OPERATION}Result>'
        f"</{_OPERATION}Response></soap:Body></soap:Envelope>\n"
    )
