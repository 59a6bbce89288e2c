"""Calls about numbers: commands, one number, and the list by pages."""

from __future__ import annotations

import hashlib
from typing import Any

from pydantic import TypeAdapter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from alp_daemon.channels.web import problems
from alp_daemon.channels.web.api import models, parsing
from alp_daemon.channels.web.bearer import Caller
from alp_daemon.channels.web.problems import HttpProblem
from alp_daemon.channels.web.site import Site
from alp_daemon.domain import phone
from alp_daemon.errors import AlpError
from alp_daemon.services.addresses import history, manage
from alp_daemon.services.addresses.idempotency import Once
from alp_daemon.services.addresses.optin import Command, Sender, Standing, parse_number

_ONE = TypeAdapter(models.Command)
_MANY = TypeAdapter(models.Commands)
_LONGEST_KEY = 200


async def manage_optin(site: Site, request: Request, caller: Caller) -> Response:
    body = await parsing.json_body(request)
    is_array = body.lstrip()[:1] == b"["
    given = parsing.parsed(_MANY, body) if is_array else [parsing.parsed(_ONE, body)]
    commands = [Command(each.command, each.number, tuple(each.tags)) for each in given]
    sender = Sender(caller.user, "api", "api")
    managed = await site.do(
        manage.manage, site.store, site.settings, caller.customer, commands, sender, site.now(), _once(request, body)
    )
    headers = {"Idempotent-Replayed": "true"} if managed.replayed else {}
    if is_array:
        answers = [_one_of_many(command, answer) for command, answer in zip(commands, managed.answers, strict=True)]
        return JSONResponse(answers, headers=headers)
    (answer,) = managed.answers
    if isinstance(answer, AlpError):
        problem = problems.of_error(answer)
        raise HttpProblem(problem.status, problem.detail, headers)
    return JSONResponse(_standing(answer), headers=headers)


async def number(site: Site, request: Request, caller: Caller) -> Response:
    key = parse_number(request.path_params["number"], caller.customer.region)
    stories = await site.ask(history.of_number, site.store, key, [caller.customer.id])
    if not stories:
        raise HttpProblem(404, f"{phone.mask(key)} has never been on this list")
    (story,) = stories
    told = {name: story[name] for name in ("number", "status", "tags")}
    return JSONResponse({**told, "consent_date": history.consent_date(story["history"]), "history": story["history"]})


async def numbers(site: Site, request: Request, caller: Caller) -> Response:
    asked = parsing.query(models.NumbersQuery, request)
    page = await site.ask(
        history.page,
        site.store,
        caller.customer.id,
        status=asked.status,
        tag=asked.tag,
        after=int(asked.after or 0),
        limit=asked.limit,
    )
    return JSONResponse({"numbers": page.numbers, "next": page.next})


def _once(request: Request, body: bytes) -> Once | None:
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    if not 1 <= len(key) <= _LONGEST_KEY or not (key.isascii() and key.isprintable()):
        raise HttpProblem(422, f"Idempotency-Key: expected 1 to {_LONGEST_KEY} characters of ASCII, such as a UUID")
    return Once(key, hashlib.sha256(body).digest())


def _one_of_many(command: Command, answer: manage.Answer) -> dict[str, Any]:
    if isinstance(answer, AlpError):
        return {"number": command.number, "error": problems.as_dict(problems.of_error(answer))}
    return _standing(answer)


def _standing(standing: Standing) -> dict[str, Any]:
    return {**standing.as_dict(), "event": standing.event, "message": standing.message}
