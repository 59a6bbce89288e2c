"""Calls about files: send one, and see what became of it."""

from __future__ import annotations

from collections.abc import AsyncIterator

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from alp_daemon import log
from alp_daemon.channels.web.api import models, parsing
from alp_daemon.channels.web.bearer import Caller
from alp_daemon.channels.web.limits import check_length, too_large
from alp_daemon.channels.web.problems import HttpProblem
from alp_daemon.channels.web.site import Site
from alp_daemon.files.incoming import Incoming
from alp_daemon.services.receiving.intake import Sender
from alp_daemon.services.web import webupload

# Written at once, in a thread: what comes off the wire in pieces of 64 KiB would be handed over 16 times as often.
_WRITE_AT_ONCE = 2**20


async def upload(site: Site, request: Request, caller: Caller) -> Response:
    asked = parsing.query(models.UploadQuery, request)
    most = site.largest_of(caller.customer)
    check_length(request, most)
    if request.headers.get("content-encoding", "identity") != "identity":
        raise HttpProblem(
            415, "send the file as it is; a gzip or zip file is unpacked here", {"Accept-Encoding": "identity"}
        )
    feed = webupload.chosen_feed(caller.customer, asked.filename, asked.feed)
    incoming = await site.do(site.intake.begin, caller.customer.id)
    sender = Sender("api", caller.user, caller.ip)
    try:
        await receive(site, request.stream(), incoming, most)
        id_ = await site.do(
            webupload.accept, site.intake, incoming, caller.customer, asked.filename, feed, sender, site.now()
        )
    finally:
        await site.do(incoming.abort)
    return JSONResponse({"upload": id_}, 202, {"Location": f"/api/v1/uploads/{id_}"})


async def receive(site: Site, body: AsyncIterator[bytes], incoming: Incoming, most: int) -> None:
    """Writes the body to the spool. Returns at its announced end only: a body cut short raises ``HttpProblem``.

    HTTP says where a body ends, by its length or its last chunk, so who gets here has the whole of it.
    """
    waiting, size = bytearray(), 0
    try:
        async for chunk in body:
            waiting += chunk
            size += len(chunk)
            if size > most:
                raise too_large(most)
            if len(waiting) >= _WRITE_AT_ONCE:
                await site.do(incoming.write, bytes(waiting))
                waiting.clear()
    except ClientDisconnect:
        log.warning("upload_cut", customer=incoming.customer, size=size)
        raise HttpProblem(400, "the body ended before its announced end") from None
    await site.do(incoming.write, bytes(waiting))


async def report(site: Site, request: Request, caller: Caller) -> Response:
    found = await site.ask(webupload.report_of, site.store, caller.customer.id, request.path_params["id"])
    return JSONResponse(found)


async def rejects(site: Site, request: Request, caller: Caller) -> Response:
    text = await site.ask(webupload.rejects_of, site.store, caller.customer.id, request.path_params["id"])
    name = f"upload-{request.path_params['id']}-rejects.csv"
    return PlainTextResponse(
        text, media_type="text/csv", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
