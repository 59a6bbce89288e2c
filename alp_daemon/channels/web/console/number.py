"""One number, or one e-mail address of a brand: everything that ever happened to it, and why it stands as it does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from alp_daemon.channels.web.console import frame
from alp_daemon.channels.web.site import Site, of
from alp_daemon.customers import Customer
from alp_daemon.errors import NotFound, UsageProblem
from alp_daemon.services.addresses import history, optin, subscriber
from alp_daemon.services.addresses.explain import why
from alp_daemon.services.logins.sessions import Visitor

_USUAL_REGION = "US"


@dataclass(frozen=True, slots=True)
class Story:
    """What happened to an address on one list, the newest first."""

    customer: str
    status: str
    tags: list[str]
    why: str
    events: list[dict[str, Any]]


@frame.operators_only
async def page(request: Request, _visitor: Visitor) -> Response:
    site = of(request)
    wanted, customer = frame.text(request, "number"), frame.text(request, "customer")
    address, stories, fault = "", list[Story](), ""
    if wanted:
        try:
            address, stories = await site.ask(_of_email if "@" in wanted else _of_number, site, wanted, customer)
        except (UsageProblem, NotFound) as error:
            fault = str(error)
    return frame.render(
        request,
        "number.html",
        here="number",
        status=422 if fault else 200,
        wanted=wanted or "",
        chosen=customer,
        customers=sorted(site.registry.all()),
        address=address,
        stories=stories,
        fault=fault,
    )


def _of_number(site: Site, wanted: str, customer: str | None) -> tuple[str, list[Story]]:
    configured = site.registry.customer(customer) if customer else None
    key = optin.parse_number(wanted, configured.region if configured else _USUAL_REGION)
    lists = [customer] if customer else history.known_lists(site.store)
    found = history.of_number(site.store, key, lists)
    return f"+{key}", [_story(site, each["customer"], each["status"], each["tags"], each["history"]) for each in found]


def _of_email(site: Site, wanted: str, customer: str | None) -> tuple[str, list[Story]]:
    address = subscriber.parse(wanted)
    brands = [each for id_, each in site.registry.all().items() if each.brand and customer in (None, id_)]
    found = [(each, _subscriber(site, each, address)) for each in brands]
    return address, [
        _story(site, each.id, story["status"], story["interests"], _as_tags(story["history"]))
        for each, story in found
        if story is not None
    ]


def _subscriber(site: Site, customer: Customer, address: str) -> dict[str, Any] | None:
    try:
        return subscriber.story(site.store, customer.id, address)
    except NotFound:
        return None


def _as_tags(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A subscriber's events as a number's: an interest is a tag, and nobody sends messages by e-mail."""
    return [
        {**event, "tags_before": event["interests_before"], "tags_after": event["interests_after"], "message": None}
        for event in events
    ]


def _story(site: Site, customer: str, status: str, tags: list[str], events: list[dict[str, Any]]) -> Story:
    configured = site.registry.customer(customer)
    sentence = why(status, events, configured.keyword if configured else "")
    return Story(customer, status, tags, sentence, events[::-1])
