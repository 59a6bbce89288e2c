"""The API's one table: an operation a row. Its routes, its OpenAPI document and its docs page are made from it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from alp_daemon.channels.web.api import messages, models, numbers, uploads
from alp_daemon.channels.web.api.parsing import query
from alp_daemon.channels.web.bearer import bearer_of, caller_of
from alp_daemon.channels.web.paths import UPLOAD
from alp_daemon.channels.web.site import Site, of
from alp_daemon.services.logins.credentials import Kind

Handler = Callable[[Site, Request, Any], Awaitable[Response]]

Body = tuple[Any, ...]
"""Types of a JSON body, any of which will do."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A good answer: what it means, and the types of its JSON or, where it has none, its media type."""

    meaning: str
    types: Body = ()
    media: str = "application/json"


@dataclass(frozen=True, slots=True)
class Operation:
    """One method on one address. ``refusals`` are the statuses of problems besides those of every operation."""

    method: str
    path: str
    name: str
    summary: str
    handler: Handler
    answers: dict[int, Answered]
    kind: Kind = Kind.api
    body: Body = ()
    takes_file: bool = False
    query: type[BaseModel] = models.Nothing
    headers: dict[str, str] = field(default_factory=dict)
    refusals: tuple[int, ...] = ()

    async def endpoint(self, request: Request) -> Response:
        """Who calls is known, and the parameters are sound, before anything else is looked at."""
        site = of(request)
        caller = await (caller_of(site, request) if self.kind is Kind.api else bearer_of(site, request, self.kind))
        query(self.query, request)
        return await self.handler(site, request, caller)


_ONCE = {"Idempotency-Key": "The same key with the same body within 24 hours is answered again and done once."}
_SIGNED = {messages.SIGNATURE: "`sha256=` and the HMAC-SHA256 of the body in hex; where the provider asks for it."}

OPERATIONS = (
    Operation(
        "POST",
        "/api/v1/manage-optin",
        "manageOptin",
        "Opt numbers in or out, suspend, reactivate, tag or ask: one command, or up to 1,000 in one transaction. Of"
        " several commands each has its own answer, and a refused one does not hinder the others.",
        numbers.manage_optin,
        {
            200: Answered(
                "How the number stands now; for an array, in its order.",
                (models.Standing, list[models.Standing | models.Failed]),
            )
        },
        body=(models.Command, models.Commands),
        headers=_ONCE,
        refusals=(400, 408, 409, 413, 415),
    ),
    Operation(
        "GET",
        "/api/v1/numbers/{number}",
        "number",
        "One number: status, tags, day of consent, and everything that happened to it.",
        numbers.number,
        {200: Answered("The number.", (models.Number,))},
        refusals=(404,),
    ),
    Operation(
        "GET",
        "/api/v1/numbers",
        "numbers",
        "The list in the order of its numbers, page by page.",
        numbers.numbers,
        {200: Answered("A page.", (models.NumbersPage,))},
        query=models.NumbersQuery,
    ),
    Operation(
        "POST",
        "/api/v1/uploads",
        "upload",
        "Send a file as the body, as it is. 202 means that the whole of it is safe; it is worked in the order in which"
        " your files came.",
        uploads.upload,
        {202: Answered("The file is queued; Location tells where to ask for its report.", (models.Accepted,))},
        takes_file=True,
        query=models.UploadQuery,
        refusals=(400, 408, 413, 415, 507),
    ),
    Operation(
        "GET",
        f"/api/v1/uploads/{UPLOAD}",
        "uploadReport",
        "What became of an upload.",
        uploads.report,
        {200: Answered("Its report as far as it has come.", (models.Report,))},
        refusals=(404,),
    ),
    Operation(
        "GET",
        f"/api/v1/uploads/{UPLOAD}/rejects.csv",
        "uploadRejects",
        "What was refused of an upload: row, column, value, reason. It is for reading; correct the source and send the"
        " full file again.",
        uploads.rejects,
        {200: Answered("The rows.", media="text/csv")},
        refusals=(404,),
    ),
    Operation(
        "POST",
        "/api/v1/messages",
        "message",
        "An inbound text message, sent by the gateway. One that is sent again within 72 hours is done once.",
        messages.message,
        {200: Answered("What it meant, and the one text that may go back.", (models.MessageAnswer,))},
        kind=Kind.gateway,
        body=(models.Message,),
        headers=_SIGNED,
        refusals=(400, 404, 408, 413, 415),
    ),
)

EVERYWHERE = (401, 403, 422, 429, 503)
"""Statuses that every operation may have."""
