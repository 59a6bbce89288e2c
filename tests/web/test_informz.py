"""``/informz/aapi`` as clients of the format know it: over real HTTP, bare and in SOAP envelopes."""

from __future__ import annotations

import io
import re
import time
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import httpx
import pytest

from alp_daemon.files.informz.sender import MOST_BEFORE
from alp_daemon.services.addresses import subscribers
from alp_daemon.services.logins.credentials import Issued, Kind
from alp_daemon.services.web import bulkrequest
from tests.files.informz.requests import NAMESPACE, request
from tests.web.conftest import SiteMaker
from tests.web.site import Site

BRAND = "\nbrand: {id: '9999', users: [newsletter, second]}\n"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"


@pytest.fixture
def site(make_site: SiteMaker, tmp_path: Path) -> Site:
    site = make_site()
    acme = tmp_path / "customers" / "acme.yaml"
    acme.write_text(acme.read_text() + BRAND)
    site.registry.reload(datetime.now(UTC))
    customer = site.registry.customer("acme")
    assert customer is not None
    subscribers.add_interest(site.store, customer, "News", "Ann", datetime.now(UTC))
    return site


@pytest.fixture
def login(site: Site) -> Issued:
    return issue(site)


def issue(site: Site) -> Issued:
    customer = site.registry.customer("acme")
    assert customer is not None
    return bulkrequest.issue_login(site.credentials, customer, "a test", datetime.now(UTC))


def said(login: Issued, content: str = "") -> str:
    content = content or request("a@example.com\nb@example.com\n", interests=("News",))
    return content.replace("apasswordgoeshere", login.password).replace("testuser", login.user)


def post(site: Site, content: str, **how: object) -> httpx.Response:
    return site.client().post("/informz/aapi", content=content.encode(), **how)  # type: ignore[arg-type]


def answered(text: str) -> dict[str, str]:
    """The nodes of an ActionResponse that is built as the format shows it."""
    root = ElementTree.fromstring(text)
    names = {"a": NAMESPACE}
    upload = "a:Responses/a:BulkUpload"
    assert root.tag == f"{{{NAMESPACE}}}ActionResponse"
    brand = root.find("a:Brand", names)
    assert brand is not None
    paths = {"User": "a:User", "UploadID": f"{upload}/a:UploadID"} | {
        name: f"{upload}/a:ActionStatus/a:{name}" for name in ("Status", "Message")
    }
    return {"Brand": brand.attrib["id"], **{name: root.findtext(path, "?", names) for name, path in paths.items()}}


def exported(site: Site) -> str:
    customer, text = site.registry.customer("acme"), io.StringIO()
    assert customer is not None
    subscribers.export(site.store, customer, None, text)
    return text.getvalue()


def uploads(site: Site) -> list[dict[str, object]]:
    return site.rows("uploads.list", customer="acme", state=None, limit=100)


def test_a_request_is_answered_as_the_format_shows(site: Site, login: Issued) -> None:
    assert login.user == "newsletter"
    response = post(site, said(login))
    assert (response.status_code, response.headers["content-type"]) == (200, "text/xml; charset=utf-8")
    assert response.text.startswith('<?xml version="1.0" encoding="utf-8"?>')
    found = answered(response.text)
    assert found == {
        "Brand": "9999",
        "User": "newsletter",
        "UploadID": found["UploadID"],
        "Status": "success",
        "Message": "Data submitted.",
    }
    report = site.work()
    assert (report["upload"], report["state"], report["evidence"]) == (int(found["UploadID"]), "applied", "proven")
    assert (report["channel"], report["sent_by"]) == ("informz", "9999/newsletter")
    assert exported(site).splitlines()[1:] == ["a@example.com,opted_in,News", "b@example.com,opted_in,News"]


@pytest.mark.parametrize("namespace", [SOAP, "http://www.w3.org/2003/05/soap-envelope"])
def test_the_soap_operation_carries_it_as_text(site: Site, login: Issued, namespace: str) -> None:
    inside = escape(said(login))
    envelope = (
        f'<s:Envelope xmlns:s="{namespace}"><s:Body><PostInformzMessage xmlns="{NAMESPACE}">'
        f"<x>{inside}</x></PostInformzMessage></s:Body></s:Envelope>"
    )
    response = post(site, envelope, headers={"Content-Type": "text/xml", "SOAPAction": "PostInformzMessage"})
    root = ElementTree.fromstring(response.text)
    path = f"{{{namespace}}}Body/{{{NAMESPACE}}}PostInformzMessageResponse/{{{NAMESPACE}}}PostInformzMessageResult"
    assert answered(root.findtext(path, ""))["Status"] == "success"
    assert site.work()["changes"]["opted_in"] == 2


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8", "utf-16"])
def test_the_brands_name_may_have_any_sign(site: Site, login: Issued, encoding: str) -> None:
    """The format was made for ANSI text that says nothing of its encoding."""
    body = said(login, request("a@example.com\n", brand='<Brand id="9999">Café</Brand>')).encode(encoding)
    assert answered(site.client().post("/informz/aapi", content=body).text)["Status"] == "success"
    assert site.work()["changes"]["opted_in"] == 1


def test_no_password_is_kept(site: Site, login: Issued) -> None:
    inside = escape(said(login))
    message = f"<PostInformzMessage><x>{inside}</x></PostInformzMessage>"
    envelope = f'<s:Envelope xmlns:s="{SOAP}"><s:Body>{message}</s:Body></s:Envelope>'
    for content in (said(login), envelope):
        post(site, content)
    kept = [path for path in site.settings.data_dir.rglob("*") if path.is_file()]
    assert len([path for path in kept if path.parent.name == "acme"]) >= 2
    assert not [path for path in kept if login.password.encode() in path.read_bytes()]


REFUSED = {
    "cut": (lambda text: text[:-20], 422, "ends before"),
    "no interest": (
        lambda text: text.replace("AddOrUpdate", "Remove").replace("InterestName>", "Nothing>"),
        422,
        "Nothing",
    ),
    "doctype": (lambda text: "<!DOCTYPE x>" + text, 400, "ActionRequest"),
    "not XML": (lambda _: "hello", 400, "ActionRequest"),
    "empty": (lambda _: "", 400, "ActionRequest"),
    "another's brand": (lambda text: text.replace("9999", "1234"), 401, "unknown brand or user, or wrong password"),
    "wrong password": (lambda text: text.replace("<Password>", "<Password>x"), 401, "wrong password"),
    "unknown user": (lambda text: text.replace("<User>", "<User>x"), 401, "wrong password"),
    "a second password": (lambda text: text.replace("<Actions>", "<Password>x</Password><Actions>"), 422, "Password"),
}


@pytest.mark.parametrize(("change", "status", "cause"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_refused_names_its_cause_and_changes_nothing(
    site: Site, login: Issued, change: object, status: int, cause: str
) -> None:
    assert callable(change)
    response = post(site, change(said(login)))
    found = answered(response.text)
    assert (response.status_code, found["Status"], found["UploadID"]) == (status, "failure", "")
    assert cause in found["Message"]
    assert login.password not in response.text
    assert uploads(site) == []
    assert list(site.settings.spool_dir.rglob("*.part")) == []


def test_four_wrong_passwords_block_the_address_for_every_way_in(site: Site, login: Issued) -> None:
    wrong = said(login).replace("<Password>", "<Password>x")
    assert [post(site, wrong).status_code for _ in range(4)] == [401] * 4
    assert post(site, said(login)).status_code == 403
    uploader = site.issue("acme", Kind.uploader)
    answer = site.client().post("/login", data={"user": uploader.user, "password": uploader.password})
    assert answer.status_code == 429


def test_a_stranger_is_sent_away_before_the_rest_has_come(site: Site, login: Issued) -> None:
    head, tail = said(login).replace("<Password>", "<Password>x").split("<![CDATA[")

    def endless() -> object:
        yield (head + "<![CDATA[").encode()
        for _ in range(64):
            yield b"a@example.com\n" * 5000
        yield tail.encode()

    try:
        response = site.client().post("/informz/aapi", content=endless())  # type: ignore[arg-type]
        assert response.status_code == 401
    except httpx.WriteError:
        pass  # the answer came, and the connection was closed, while the client was still sending
    assert list(site.settings.spool_dir.rglob("*.part")) == []


def test_a_stranger_who_takes_ages_is_sent_away(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alp_daemon.channels.web.limits.SMALL_BODY_SECONDS", 0.5)

    def drip() -> object:
        yield b"<ActionRequest>"
        while True:
            time.sleep(0.1)
            yield b" "

    try:
        response = site.client().post("/informz/aapi", content=drip())  # type: ignore[arg-type]
        assert (response.status_code, answered(response.text)["Status"]) == (408, "failure")
    except httpx.WriteError:
        pass  # as above
    assert site.client().get("/healthz").status_code == 200


def test_a_body_cut_short_is_no_upload(site: Site, login: Issued) -> None:
    body = said(login).encode()
    with site.connect() as client:
        client.sendall(b"POST /informz/aapi HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (len(body) + 10))
        client.sendall(body)
    assert uploads(site) == []


def test_its_state_can_be_asked_for(site: Site, login: Issued) -> None:
    upload = answered(post(site, said(login)).text)["UploadID"]
    client = site.client(auth=(f"9999/{login.user}", login.password))
    before = answered(client.get(f"/informz/uploads/{upload}").text)
    assert (before["Status"], before["UploadID"]) == ("received", upload)
    site.work()
    after = answered(client.get(f"/informz/uploads/{upload}").text)
    assert (after["Status"], after["Message"]) == ("applied", "2 opted in, 2 tags added, 2 never seen before")


def test_nobody_else_may_ask(site: Site, login: Issued) -> None:
    upload = answered(post(site, said(login)).text)["UploadID"]
    path = f"/informz/uploads/{upload}"
    assert site.client().get(path).status_code == 401
    assert site.client(auth=(login.user, login.password)).get(path).status_code == 401
    uploader = site.issue("acme", Kind.uploader)
    assert site.client(auth=(f"9999/{uploader.user}", uploader.password)).get(path).status_code == 401
    mine = site.client(auth=(f"9999/{login.user}", login.password))
    assert mine.get(path).status_code == 200
    assert mine.get("/informz/uploads/999").status_code == 404


def test_each_user_of_the_brand_has_a_password_of_its_own(site: Site, login: Issued) -> None:
    second = issue(site)
    assert (second.user, post(site, said(second)).status_code) == ("second", 200)
    with pytest.raises(Exception, match=re.escape("each user of brand 9999 has a password")):
        issue(site)
    site.credentials.revoke("acme", "9999/newsletter", "Ann", datetime.now(UTC))
    assert post(site, said(login)).status_code == 401
    renewed = issue(site)
    assert renewed.user == "newsletter"
    assert post(site, said(renewed)).status_code == 200


def test_a_user_taken_off_the_brand_is_refused(site: Site, login: Issued, tmp_path: Path) -> None:
    acme = tmp_path / "customers" / "acme.yaml"
    acme.write_text(acme.read_text().replace("newsletter, ", ""))
    site.registry.reload(datetime.now(UTC))
    assert post(site, said(login)).status_code == 401


def test_a_request_that_is_too_large(site: Site, login: Issued, tmp_path: Path) -> None:
    request = said(login)
    acme = tmp_path / "customers" / "acme.yaml"
    acme.write_text(f"{acme.read_text()}limits: {{max_file_size: {len(request)}}}\n")
    site.registry.reload(datetime.now(UTC))
    assert post(site, request).status_code == 200
    assert post(site, f"{request} ").status_code == 413


def test_a_stranger_is_heard_out_for_so_long_only(site: Site, login: Issued) -> None:
    """The answer comes after the first kilobytes of what says nothing, however much is announced."""
    with site.connect() as connection:
        head = "POST /informz/aapi HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n<ActionRequest>"
        connection.sendall(head.encode() + b"<a/>" * (MOST_BEFORE // 4))
        assert connection.recv(12) == b"HTTP/1.1 400"


@pytest.mark.parametrize("piece", [1, 100])
def test_a_request_may_come_in_small_pieces(site: Site, login: Issued, piece: int) -> None:
    content = said(login).encode()
    pieces = (content[start : start + piece] for start in range(0, len(content), piece))
    response = site.client().post("/informz/aapi", content=pieces)
    assert response.status_code == 200, response.text
