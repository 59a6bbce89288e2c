"""Files as bodies: whole or not at all."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from alp_daemon.services.logins.credentials import Kind
from tests.web.conftest import MEMBERS, SiteMaker
from tests.web.site import JOE, Site
from tests.web.test_manage_optin import problem

PATH = "/api/v1/uploads"


def spooled(site: Site) -> list[Path]:
    return [path for path in site.settings.spool_dir.rglob("*") if path.is_file()]


def uploads(site: Site) -> list[dict[str, object]]:
    return site.rows("uploads.list", customer=None, state=None, limit=100)


def test_a_file_is_queued_worked_and_reported(site: Site) -> None:
    api = site.api()
    answer = api.post(PATH, params={"filename": "members.csv"}, content=MEMBERS)
    assert (answer.status_code, answer.json()) == (202, {"upload": 1})
    waiting = api.get(answer.headers["location"]).json()
    assert (waiting["state"], waiting["reason"]) == ("received", "in the queue")

    site.work()
    report = api.get("/api/v1/uploads/1").json()
    assert (report["state"], report["evidence"], report["channel"], report["sent_by"]) == (
        "applied", "proven", "api", "acme-api",
    )  # fmt: skip
    assert report["rows"]["listed"] == 2
    assert api.get(f"/api/v1/numbers/{JOE}").json()["tags"] == ["north"]

    rejects = api.get("/api/v1/uploads/1/rejects.csv")
    assert rejects.headers["content-type"] == "text/csv; charset=utf-8"
    assert rejects.headers["content-disposition"] == 'attachment; filename="upload-1-rejects.csv"'
    assert rejects.text.splitlines() == ["row,column,value,reason", "4,Phone,nonsense,not_a_number"]


def test_rejects_of_what_was_not_worked_yet_are_none(site: Site) -> None:
    api = site.api()
    api.post(PATH, params={"filename": "members.csv"}, content=MEMBERS)
    assert api.get("/api/v1/uploads/1/rejects.csv").text.splitlines() == ["row,column,value,reason"]


def test_chunks_without_a_length_are_proven_by_their_last(site: Site) -> None:
    site.api().post(PATH, params={"filename": "members.csv"}, content=(part.encode() for part in MEMBERS))
    assert site.work()["evidence"] == "proven"


def test_a_large_file_arrives_as_it_was_sent(site: Site) -> None:
    content = b"Phone,Group\n" + b"".join(b"+1212555%04d,g\n" % (index % 10_000) for index in range(400_000))
    site.api().post(PATH, params={"filename": "members.csv"}, content=content)
    (path,) = spooled(site)
    assert path.read_bytes() == content


def test_the_sender_may_name_the_feed(site: Site) -> None:
    api = site.api()
    assert api.post(PATH, params={"filename": "x.txt", "feed": "members"}, content=MEMBERS).status_code == 202
    assert site.work()["feed"] == "members"
    assert api.post(PATH, params={"filename": "y.csv", "feed": "preformatted"}, content=f"{JOE},a\n").status_code == 202
    assert site.work()["state"] == "applied"


def test_a_gzip_file_is_a_file(site: Site) -> None:
    site.api().post(PATH, params={"filename": "members.csv"}, content=gzip.compress(MEMBERS.encode()))
    assert site.work()["rows"]["listed"] == 2


@pytest.mark.parametrize(
    ("asked", "detail"),
    [
        ({"filename": "other.csv"}, 'no feed takes the name "other.csv"; expected "members*.csv" (members)'),
        ({"filename": "members.csv", "feed": "nobody"}, "expected one of members, preformatted"),
        ({"filename": "../members.csv"}, "without folders"),
        ({"filename": "members\n.csv"}, "control characters"),
        ({"filename": "é" * 200}, "1 to 255 bytes"),
        ({}, "the parameters are not what this call takes"),
    ],
)
def test_what_cannot_be_is_refused_before_the_body_is_read(site: Site, asked: dict[str, str], detail: str) -> None:
    status, _, told = problem(site.api().post(PATH, params=asked, content=MEMBERS))
    assert status == 422
    assert detail in told
    assert uploads(site) == []


def test_content_encoding_is_refused(site: Site) -> None:
    answer = site.api().post(
        PATH, params={"filename": "members.csv"}, content=MEMBERS, headers={"Content-Encoding": "gzip"}
    )
    assert problem(answer)[0] == 415


@pytest.mark.parametrize("announced", [True, False])
def test_a_file_that_is_too_large_is_refused_and_not_kept(make_site: SiteMaker, announced: bool) -> None:
    site = make_site(max_file_size="1kB")
    content = b"x" * 3000 if announced else (b"x" * 500 for _ in range(6))
    answer = site.api().post(PATH, params={"filename": "members.csv"}, content=content)
    assert problem(answer)[0] == 413
    assert answer.json()["limit"] == 1000
    assert (uploads(site), spooled(site)) == ([], [])


def by_length(body: bytes) -> bytes:
    return b"Content-Length: %d\r\n\r\n%s" % (len(body) + 1, body)


def by_chunks(body: bytes) -> bytes:
    return b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n" % (len(body), body)


def amid_a_chunk(body: bytes) -> bytes:
    return b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s" % (len(body) + 1, body)


@pytest.mark.parametrize("how", [by_length, by_chunks, amid_a_chunk])
def test_a_body_cut_short_is_nothing(site: Site, how: Callable[[bytes], bytes]) -> None:
    token = site.issue("acme", Kind.api).password
    head = f"POST {PATH}?filename=members.csv HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
    with site.connect() as connection:
        connection.sendall(head.encode() + how(MEMBERS.encode() * 100))
        connection.shutdown(1)
        while connection.recv(4096):
            pass
    # The next call comes after the end of that one: nothing was kept of it.
    site.server.stop(grace=5)
    assert (uploads(site), spooled(site)) == ([], [])


def test_a_full_disk_is_503_and_says_try_again(site: Site) -> None:
    site.settings.spool_dir.mkdir(exist_ok=True)
    (site.settings.spool_dir / "incoming").rmdir() if (site.settings.spool_dir / "incoming").exists() else None
    (site.settings.spool_dir / "incoming").write_text("in the way")
    answer = site.api().post(PATH, params={"filename": "members.csv"}, content=MEMBERS)
    assert problem(answer)[0] == 503
    assert answer.headers["retry-after"] == "5"


def customer_with(site: Site, limits: str) -> None:
    path = site.settings.customers_dir / "acme.yaml"
    path.write_text(f"{path.read_text()}limits: {{{limits}}}\n")
    site.registry.reload(datetime.now(UTC))


def test_below_the_floor_no_upload_begins(site: Site) -> None:
    customer_with(site, "free_space_floor: 999999999GiB")
    answer = site.api().post(PATH, params={"filename": "members.csv"}, content=MEMBERS)
    status, _, detail = problem(answer)
    assert (status, "free_space_floor" in detail) == (507, True)
    assert answer.headers["retry-after"] == "5"
    assert (uploads(site), spooled(site)) == ([], [])
    assert site.api("beta").post(PATH, params={"filename": "members.csv"}, content=MEMBERS).status_code == 202


def test_a_customer_may_have_a_limit_of_its_own(site: Site) -> None:
    customer_with(site, f"max_file_size: {len(MEMBERS)}")
    assert site.api().post(PATH, params={"filename": "members.csv"}, content=MEMBERS).status_code == 202
    answer = site.api().post(PATH, params={"filename": "members.csv"}, content=MEMBERS + "x")
    assert problem(answer)[0] == 413


@pytest.mark.parametrize("path", ["/api/v1/uploads/99", f"/api/v1/uploads/{2**70}", "/api/v1/uploads/x"])
def test_what_is_not_there_is_404(site: Site, path: str) -> None:
    assert problem(site.api().get(path))[0] == 404
