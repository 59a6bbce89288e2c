"""Who gets in: tokens, sign-ins, sessions, and what they open."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import time_machine
from starlette.routing import Route

from alp_daemon.channels.web.app import ROUTES
from alp_daemon.services.logins.credentials import PROVIDER, Kind
from tests.web.conftest import MEMBERS, SiteMaker
from tests.web.site import JOE, Site
from tests.web.test_manage_optin import command, problem

ACCOUNT = "/account"


def sign_in(client: httpx.Client, user: str, password: str, **fields: str) -> httpx.Response:
    return client.post("/login", data={"user": user, "password": password, **fields})


def csrf(client: httpx.Client) -> str:
    found = re.search(r'name="csrf" value="(\w+)"', client.get(ACCOUNT).text)
    assert found
    return found[1]


class TestTokens:
    @pytest.mark.parametrize("header", [None, "", "Bearer", "Basic YTpi", "Bearer alp_nonsense", "Bearer é"])
    def test_without_a_right_one_it_is_401(self, site: Site, header: str | None) -> None:
        headers = {} if header is None else {"Authorization": header.encode()}
        answer = site.client().get(f"/api/v1/numbers/{JOE}", headers=headers)
        assert problem(answer)[:2] == (401, "/docs#unauthorized")
        assert answer.headers["www-authenticate"].startswith("Bearer")

    def test_a_password_is_no_token(self, site: Site) -> None:
        password = site.issue("acme", Kind.ftp).password
        headers = {"Authorization": f"Bearer {password}"}
        assert site.client().get("/api/v1/numbers", headers=headers).status_code == 401

    def test_a_revoked_one_is_401_at_once(self, site: Site) -> None:
        api = site.api()
        assert api.get("/api/v1/numbers").status_code == 200
        assert site.credentials.revoke("acme", "acme-api", "Ann", datetime.now(UTC))
        assert problem(api.get("/api/v1/numbers"))[0] == 401

    def test_too_many_wrong_ones_are_slowed_and_the_right_one_never(self, site: Site) -> None:
        wrong, gateway = site.client(headers={"Authorization": "Bearer alp_guess"}), site.gateway()
        answers = [wrong.get("/api/v1/numbers") for _ in range(30)]
        assert [each.status_code for each in answers[:20]] == [401] * 20
        assert answers[-1].status_code == 429
        assert int(answers[-1].headers["retry-after"]) >= 1
        stop = {"id": "m1", "from": JOE, "to": "55512", "text": "STOP"}
        assert gateway.post("/api/v1/messages", json=stop).status_code == 200
        assert site.access.lockouts(datetime.now(UTC)) == []

    def test_a_customer_whose_file_is_broken_for_good_is_503(self, site: Site) -> None:
        api = site.api()
        site.registry._entries = {}
        assert problem(api.get("/api/v1/numbers"))[0] == 503


class TestSigningIn:
    @pytest.mark.parametrize("kind", [Kind.uploader, Kind.admin])
    def test_opens_the_account(self, site: Site, kind: Kind) -> None:
        page = site.signed_in(kind).get(ACCOUNT)
        assert page.status_code == 200
        assert f"acme-{kind}" in page.text

    def test_an_operator_signs_in_by_name(self, site: Site) -> None:
        assert "maria" in site.signed_in(Kind.operator, name="maria").get(ACCOUNT).text

    def test_the_cookie_is_for_this_site_and_no_script(self, site: Site) -> None:
        issued = site.issue("acme", Kind.uploader)
        (cookie,) = sign_in(site.client(), issued.user, issued.password).headers.get_list("set-cookie")
        name, *attributes = cookie.split("; ")
        assert name.startswith("alp-session=")
        assert {each.lower() for each in attributes} == {"httponly", "path=/", "samesite=strict"}
        assert issued.password not in cookie

    def test_goes_where_one_wanted_to(self, site: Site) -> None:
        client = site.client()
        sent = client.get(f"{ACCOUNT}?a=1")
        assert (sent.status_code, sent.headers["location"]) == (303, "/login?next=%2Faccount%3Fa%3D1")
        issued = site.issue("acme", Kind.uploader)
        answer = sign_in(client, issued.user, issued.password, next="/account?a=1")
        assert answer.headers["location"] == "/account?a=1"

    @pytest.mark.parametrize(
        "next_", ["https://evil.example", "//evil.example", "/\\evil.example", "evil", "/a\r\nX: y"]
    )
    def test_goes_nowhere_else(self, site: Site, next_: str) -> None:
        issued = site.issue("acme", Kind.uploader)
        assert sign_in(site.client(), issued.user, issued.password, next=next_).headers["location"] == "/"

    def test_each_sign_in_has_a_session_of_its_own(self, site: Site) -> None:
        issued, client = site.issue("acme", Kind.uploader), site.client()
        first = sign_in(client, issued.user, issued.password).cookies["alp-session"]
        second = sign_in(client, issued.user, issued.password).cookies["alp-session"]
        assert first != second
        stolen = site.client(cookies={"alp-session": first})
        assert stolen.get(ACCOUNT).status_code == 303, "the old one ended"
        assert client.get(ACCOUNT).status_code == 200

    @pytest.mark.parametrize("kind", [Kind.ftp, Kind.informz, Kind.api, Kind.gateway])
    def test_other_log_ins_do_not_open_it(self, site: Site, kind: Kind) -> None:
        issued = site.issue("acme" if kind.is_of_customer else PROVIDER, kind, "9999/ann")
        answer = sign_in(site.client(), issued.user, issued.password)
        assert answer.status_code == 401
        assert "Unknown user or wrong password." in answer.text
        assert issued.password not in answer.text

    def test_what_is_typed_is_shown_as_text(self, site: Site) -> None:
        page = sign_in(site.client(), '"><script>alert(1)</script>', "x").text
        assert "<script>" not in page
        assert "&lt;script&gt;" in page

    def test_another_sites_form_is_refused(self, site: Site) -> None:
        issued = site.issue("acme", Kind.uploader)
        data = {"user": issued.user, "password": issued.password}
        for origin in ("https://evil.example", "null", "http://[evil", ""):
            assert site.client().post("/login", data=data, headers={"Origin": origin}).status_code == 403
        assert site.client().post("/login", data=data, headers={"Origin": site.url}).status_code == 303

    def test_a_customer_whose_file_is_gone_is_told_so(self, site: Site) -> None:
        issued = site.issue("acme", Kind.uploader)
        site.registry._entries = {}
        answer = sign_in(site.client(), issued.user, issued.password)
        assert answer.status_code == 503
        assert "not configured at the moment" in answer.text


class TestLockout:
    def test_is_shared_with_ftp(self, site: Site) -> None:
        now, ip = datetime.now(UTC), "127.0.0.1"
        ftp = site.issue("acme", Kind.ftp)
        for _ in range(2):
            site.access.judge(ip, ftp.user, "wrong", now)
        uploader, client = site.issue("acme", Kind.uploader), site.client()
        assert sign_in(client, uploader.user, "wrong").status_code == 401
        fourth = sign_in(client, uploader.user, "wrong")
        assert fourth.status_code == 429
        assert re.search(r"your address is blocked until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", fourth.text)
        assert sign_in(client, uploader.user, uploader.password).status_code == 429
        assert type(site.access.judge(ip, ftp.user, ftp.password, now)).__name__ == "LockedOut"

    def test_does_not_reach_tokens(self, site: Site) -> None:
        api, client = site.api(), site.client()
        for _ in range(5):
            sign_in(client, "acme-uploader", "wrong")
        assert api.get("/api/v1/numbers").status_code == 200

    def test_counts_the_real_address_behind_a_trusted_proxy(self, make_site: SiteMaker) -> None:
        site = make_site(trusted_proxies=["127.0.0.1"])
        client = site.client()
        for _ in range(4):
            client.post("/login", data={"user": "a", "password": "b"}, headers={"X-Forwarded-For": "203.0.113.9"})
        assert [each.ip for each in site.access.lockouts(datetime.now(UTC))] == ["203.0.113.9"]
        elsewhere = {"X-Forwarded-For": "203.0.113.10"}
        assert client.post("/login", data={"user": "a", "password": "b"}, headers=elsewhere).status_code == 401

    def test_believes_nobody_else(self, site: Site) -> None:
        client = site.client()
        for last in range(4):
            client.post("/login", data={"user": "a"}, headers={"X-Forwarded-For": f"203.0.113.{last}"})
        assert [each.ip for each in site.access.lockouts(datetime.now(UTC))] == ["127.0.0.1"]


class TestSessions:
    def test_end_with_signing_out(self, site: Site) -> None:
        client = site.signed_in(Kind.uploader)
        secret = client.cookies["alp-session"]
        assert client.post("/logout", data={"csrf": csrf(client)}).headers["location"] == "/login"
        assert "alp-session" not in client.cookies
        assert site.client(cookies={"alp-session": secret}).get(ACCOUNT).status_code == 303

    @pytest.mark.parametrize("token", [None, "", "x", "é"])
    def test_change_nothing_without_their_token(self, site: Site, token: str | None) -> None:
        client = site.signed_in(Kind.uploader)
        assert client.post("/logout", data={"other": "1"} if token is None else {"csrf": token}).status_code == 403
        assert client.get(ACCOUNT).status_code == 200

    def test_take_the_token_in_a_header_too(self, site: Site) -> None:
        client = site.signed_in(Kind.uploader)
        assert client.post("/logout", headers={"X-CSRF-Token": csrf(client)}).status_code == 303

    def test_do_not_take_another_sessions_token(self, site: Site) -> None:
        first, second = site.signed_in(Kind.uploader), site.signed_in(Kind.uploader)
        assert first.post("/logout", data={"csrf": csrf(second)}).status_code == 403

    def test_end_with_their_log_in(self, site: Site) -> None:
        client = site.signed_in(Kind.uploader)
        assert site.credentials.revoke("acme", "acme-uploader", "Ann", datetime.now(UTC))
        assert client.get(ACCOUNT).status_code == 303

    def test_end_when_idle_and_at_the_latest_after_a_while(self, site: Site) -> None:
        client = site.signed_in(Kind.uploader)
        begun = datetime.now(UTC)
        for minutes in range(0, 12 * 60, 25):
            with time_machine.travel(begun + timedelta(minutes=minutes)):
                assert client.get(ACCOUNT).status_code == 200, "in use"
        with time_machine.travel(begun + timedelta(hours=12, seconds=5)):
            assert client.get(ACCOUNT).status_code == 303, "twelve hours"
        client = site.signed_in(Kind.uploader)
        with time_machine.travel(datetime.now(UTC) + timedelta(minutes=30, seconds=5)):
            assert client.get(ACCOUNT).status_code == 303, "half an hour idle"

    def test_are_kept_as_hashes(self, site: Site) -> None:
        secret = site.signed_in(Kind.uploader).cookies["alp-session"]
        assert secret.encode() not in site.settings.database_path.read_bytes()


def routes() -> list[tuple[str, str]]:
    return [
        (method, route.path)
        for route in ROUTES
        if isinstance(route, Route)
        for method in sorted((route.methods or set()) - {"HEAD"})
    ]


PUBLIC = {"/login", "/approval/{token}", "/openapi.json", "/docs", "/healthz", "/readyz", "/metrics"}


# What strangers get. An Informz request has its password in the body (400: there is none), the decision about an
# approval is a form (415: this is none), and a link that nobody has sent leads nowhere.
CLOSED = {"/api/": {401}, "/informz/": {400, 401}, "/approval/": {404, 415}}


def address(path: str, upload: int = 1) -> str:
    return path.replace("{number}", JOE).replace("{id:upload}", str(upload)).replace("{token}", "guess")


def refused(path: str, otherwise: int) -> set[int]:
    """The statuses that close an address; ``otherwise`` that of a page."""
    return next((statuses for start, statuses in CLOSED.items() if path.startswith(start)), {otherwise})


@pytest.mark.parametrize(("method", "path"), routes())
def test_every_address_is_public_by_name_or_closed(site: Site, method: str, path: str) -> None:
    answer = site.client().request(method, address(path))
    if path in PUBLIC:
        assert answer.status_code != 401
        return
    assert answer.status_code in refused(path, 303), answer.text
    assert answer.status_code != 303 or answer.headers["location"].startswith("/login")


@pytest.mark.parametrize(("method", "path"), routes())
def test_two_customers_never_see_each_other(site: Site, method: str, path: str) -> None:
    """Beta's program and browser ask for everything of Acme's, by every address there is."""
    acme = site.api("acme")
    acme.post("/api/v1/manage-optin", json=command("opt_in", JOE, "of-acme-only"))
    acme.post("/api/v1/uploads", params={"filename": "members-of-acme.csv"}, content=MEMBERS)
    site.work("acme")
    known = ("of-acme-only", "members-of-acme", "Acme", "acme", JOE, JOE[1:])

    body = {"json": command("status")} if path.endswith("manage-optin") else {}
    for beta in (site.api("beta"), site.signed_in(Kind.admin, "beta")):
        answer = beta.request(method, address(path), **body)
        told = answer.text.replace("acme.example", "")
        if answer.status_code == 200 and path.endswith("manage-optin"):
            assert answer.json()["status"] == "absent"
        elif path == "/metrics":
            continue  # names customers, and is for web.metrics_allow only
        else:
            shown = [word for word in known if word in told and path not in ("/openapi.json", "/docs")]
            assert shown == [], answer.text
    assert acme.get(f"/api/v1/numbers/{JOE}").json()["status"] == "opted_in"
