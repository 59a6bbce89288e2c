"""The OpenAPI document says what is so: called by it, and worse than it allows, the API never breaks."""

from __future__ import annotations

import re

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks
from starlette.routing import Route

from alp_daemon.channels.web.api.docs import document
from alp_daemon.channels.web.api.models import Event, MessageAnswer, Number, NumbersPage, Report, Standing
from alp_daemon.channels.web.app import ROUTES
from alp_daemon.channels.web.problems import KINDS
from tests.web.conftest import MEMBERS, SiteMaker
from tests.web.site import JOE, Site
from tests.web.test_manage_optin import command

# Enough to find what is wrong with an operation's schema; HYPOTHESIS_PROFILE=thorough does not make it longer.
EXAMPLES = 15
OPERATIONS = [(path, method) for path, methods in document()["paths"].items() for method in methods]
# Of 500 there is never a good reason. The rest are checks of what the answers look like.
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]


@pytest.fixture
def called(make_site: SiteMaker) -> Site:
    """A site on which every call of the document finds something."""
    site = make_site()
    api = site.api()
    api.post("/api/v1/manage-optin", json=command("opt_in", JOE, "a"))
    api.post("/api/v1/uploads", params={"filename": "members.csv"}, content=MEMBERS)
    site.work()
    return site


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_every_operation_keeps_its_word(called: Site, path: str, method: str, mode: GenerationMode) -> None:
    """Called as the document allows (positive), and as it does not (negative)."""
    schema = schemathesis.openapi.from_url(f"{called.url}/openapi.json")
    operation = schema[path][method.upper()]
    kind = next(iter(document()["paths"][path][method]["security"][0]))
    client = called.gateway() if kind == "gateway" else called.api()
    authorization = {"Authorization": client.headers["authorization"]}

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,  # the same calls in each run
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    @given(st.data())
    def calls(data: st.DataObject) -> None:
        case = data.draw(operation.as_strategy(generation_mode=mode))
        case.headers = {**(case.headers or {}), **authorization}
        case.call_and_validate(base_url=called.url, checks=CHECKS)

    calls()


def test_every_route_of_the_api_is_described() -> None:
    routes = {
        (re.sub(r":\w+\}", "}", route.path), method.lower())
        for route in ROUTES
        if isinstance(route, Route) and route.path.startswith("/api/")
        for method in (route.methods or set()) - {"HEAD"}
    }
    assert routes == set(OPERATIONS)


def test_the_document_is_openapi_3_1(site: Site) -> None:
    told = site.client().get("/openapi.json").json()
    assert told["openapi"] == "3.1.0"
    operations = [each for methods in told["paths"].values() for each in methods.values()]
    assert len({each["operationId"] for each in operations}) == len(operations)
    references = set(re.findall(r'"#/components/schemas/(\w+)"', site.client().get("/openapi.json").text))
    assert references == set(told["components"]["schemas"])


def test_real_answers_are_as_the_types_say(called: Site) -> None:
    """The schema conformance above sees mostly problems; these are the good answers."""
    api, gateway = called.api(), called.gateway()
    Standing.model_validate(api.post("/api/v1/manage-optin", json=command("suspend")).json())
    number = Number.model_validate(api.get(f"/api/v1/numbers/{JOE}").json())
    assert all(isinstance(event, Event) for event in number.history)
    assert NumbersPage.model_validate(api.get("/api/v1/numbers").json()).next is None
    Report.model_validate(api.get("/api/v1/uploads/1").json())
    text = {"id": "m", "from": JOE, "to": "55512", "text": "STOP"}
    MessageAnswer.model_validate(gateway.post("/api/v1/messages", json=text).json())


def test_the_page_shows_every_call_type_and_problem(site: Site) -> None:
    page = site.client().get("/docs").text
    anchors = set(re.findall(r'id="([\w-]+)"', page))
    for methods in document()["paths"].values():
        for each in methods.values():
            assert each["operationId"] in anchors
    assert {kind.slug for kind in KINDS.values()} <= anchors
    assert set(document()["components"]["schemas"]) <= anchors
    assert set(re.findall(r'href="#([\w-]+)"', page)) <= anchors
