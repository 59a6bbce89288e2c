"""A customer's admin looks after its uploaders, and after nothing else."""

from __future__ import annotations

import re

import httpx
import pytest

from alp_daemon.channels.web import uploader
from alp_daemon.services.logins.credentials import Kind
from tests.web.site import Site
from tests.web.test_who import PUBLIC, address, csrf, refused, routes, sign_in


def revoke(admin: httpx.Client, user: str) -> httpx.Response:
    return admin.post("/uploaders/revoke", data={"user": user, "csrf": csrf(admin)})


def test_an_issued_uploader_signs_in_until_revoked(site: Site) -> None:
    admin = site.signed_in(Kind.admin)
    page = admin.post("/uploaders", data={"csrf": csrf(admin)}).text
    found = re.search(r"<dd><code>(acme-uploader)</code></dd>.*<dd><code>([\w-]+)</code></dd>", page, re.DOTALL)
    assert found
    assert found[2] not in admin.get("/uploaders").text, "shown once"
    (listed,) = [each for each in site.credentials.list("acme") if each.kind == Kind.uploader]
    assert listed.issued_by == "acme-admin"

    uploader = site.client()
    assert sign_in(uploader, found[1], found[2]).status_code == 303
    assert revoke(admin, found[1]).headers["location"] == "/uploaders"
    assert uploader.get("/account").status_code == 303, "the session ended"
    assert sign_in(site.client(), found[1], found[2]).status_code == 401
    assert revoke(admin, found[1]).status_code == 404
    assert " UTC by acme-admin" in admin.get("/uploaders").text


@pytest.mark.parametrize("user", ["acme", "acme-admin", "beta-uploader", "maria", ""])
def test_others_log_ins_are_out_of_reach(site: Site, user: str) -> None:
    site.issue("beta", Kind.uploader)
    site.issue("", Kind.operator, "maria")
    assert revoke(site.signed_in(Kind.admin), user).status_code == 404
    everybody = [each for customer in ("acme", "beta", "") for each in site.credentials.list(customer)]
    assert all(each.revoked_at is None for each in everybody)


def test_an_admin_sees_only_its_own(site: Site) -> None:
    site.issue("beta", Kind.uploader)
    assert "beta" not in site.signed_in(Kind.admin).get("/uploaders").text


@pytest.mark.parametrize("kind", [Kind.uploader, Kind.operator])
def test_nobody_else_may(site: Site, kind: Kind) -> None:
    client = site.signed_in(kind, name="maria")
    assert client.get("/uploaders").status_code == 403
    for path in ("/uploaders", "/uploaders/revoke"):
        assert client.post(path, data={"user": "acme", "csrf": csrf(client)}).status_code == 403
    assert all(each.revoked_at is None for each in site.credentials.list("acme"))


def test_a_form_of_another_site_does_nothing(site: Site) -> None:
    admin = site.signed_in(Kind.admin)
    before = len(site.credentials.list("acme"))
    assert admin.post("/uploaders", data={"csrf": "x"}).status_code == 403
    form = {"csrf": csrf(admin)}
    assert admin.post("/uploaders", data=form, headers={"Origin": "https://evil.example"}).status_code == 403
    assert len(site.credentials.list("acme")) == before


def test_an_uploader_asking_for_everything_else_gets_nothing(site: Site) -> None:
    """Every address there is, with an uploader's session: its own account, what is public, and 403 or 401."""
    client = site.signed_in(Kind.uploader)
    token = {"csrf": csrf(client)}
    for method, path in routes():
        if path in {*PUBLIC, "/account", "/logout"} | {route.path for route in uploader.ROUTES}:
            continue
        answer = client.request(method, address(path), data=token if method == "POST" else None)
        assert answer.status_code in refused(path, 403), (method, path)
