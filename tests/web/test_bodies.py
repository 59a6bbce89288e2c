"""Bodies that are refused: the client reads why, and nobody makes us read without end."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from alp_daemon.channels.web import limits
from alp_daemon.channels.web.problems import HttpProblem
from alp_daemon.services.logins.credentials import Kind
from tests.web.conftest import SiteMaker
from tests.web.site import Site
from tests.web.test_server import read_all
from tests.web.test_uploader import Person

LARGE = 2**23
UPLOAD = "/api/v1/uploads?filename=members.csv"


def endless(stop: threading.Event) -> Iterator[bytes]:
    """Chunks of a body that never ends (RFC 9112, 7.1)."""
    chunk = b"%x\r\n%b\r\n" % (2**16, b"x" * 2**16)
    while not stop.is_set():
        yield chunk


def head(path: str, *lines: str) -> bytes:
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: x", *lines, "", ""]).encode()


class TestTheAnswerArrives:
    """A client that is still sending gets the refusal and no reset, however it goes about it."""

    @pytest.mark.parametrize("token", ["good", "bad"])
    def test_by_httpx_which_sends_all_before_it_reads(self, make_site: SiteMaker, token: str) -> None:
        site = make_site(max_file_size="1000")
        client = site.api() if token == "good" else site.client(headers={"Authorization": "Bearer alp_wrong"})
        answers = [client.post(UPLOAD, content=b"x" * LARGE).status_code for _ in range(5)]
        assert answers == [413 if token == "good" else 401] * 5

    @pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
    @pytest.mark.parametrize("form", ["plain", "chunked"])
    def test_by_curl_which_waits_for_no_leave(self, make_site: SiteMaker, tmp_path: Path, form: str) -> None:
        site = make_site(max_file_size="1000")
        (tmp_path / "body").write_bytes(b"x" * LARGE)
        options = ["--silent", "--show-error", "--output", "/dev/null", "--write-out", "%{http_code}", "-H", "Expect:"]
        options += ["-H", "Transfer-Encoding: chunked"] if form == "chunked" else []
        options += ["-H", f"Authorization: Bearer {site.issue('acme', Kind.api).password}"]
        command = ["curl", *options, "-T", tmp_path / "body", "-X", "POST", site.url + UPLOAD]
        for _ in range(5):
            done = subprocess.run(command, capture_output=True, text=True, timeout=30)
            assert (done.returncode, done.stdout, done.stderr) == (0, "413", "")

    def test_at_once_while_the_rest_is_still_to_come(self, site: Site) -> None:
        with site.connect() as connection:
            connection.sendall(head(UPLOAD, f"Content-Length: {LARGE}"))
            assert connection.recv(12) == b"HTTP/1.1 401"
            connection.sendall(b"x" * LARGE)
            answer = read_all(connection)
        assert b"connection: close" in answer.lower()
        assert answer.endswith(b"}"), "the whole of it, and then the end"


class Drops:
    """A body of which each drop comes just as the time runs out. It ends at last, lest a test does not."""

    def __init__(self) -> None:
        self.left = 100

    async def __call__(self) -> Message:
        self.left -= 1
        time.sleep(0.02)
        await asyncio.sleep(0)
        return {"type": "http.request", "body": b"x", "more_body": self.left > 0}


def test_a_small_body_comes_in_time_however_its_drops_are_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SMALL_BODY_SECONDS", 0.01)

    async def app(scope: Scope, receive: Receive, _send: Send) -> None:
        with pytest.raises(HttpProblem, match="the body took longer than"):
            await limits.small_body(Request(scope, receive))

    async def send(_message: Message) -> None:
        raise AssertionError("nothing is answered here")

    drops = Drops()
    asyncio.run(limits.BodyLimits(app)({"type": "http", "headers": []}, drops, send))
    assert drops.left > 0


class TestReadingAwayEnds:
    def test_after_so_many_bytes(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(limits, "_LINGER_BYTES", 2**18)
        with site.connect() as connection:
            connection.sendall(head(UPLOAD, "Transfer-Encoding: chunked"))
            with pytest.raises(OSError, match=r"reset|Broken pipe"):
                for chunk in endless(threading.Event()):
                    connection.sendall(chunk)

    def test_after_so_long(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(limits, "_LINGER_SECONDS", 0.3)
        with site.connect() as connection:
            connection.sendall(head(UPLOAD, "Transfer-Encoding: chunked"))
            with pytest.raises(OSError, match=r"reset|Broken pipe"):
                for chunk in endless(threading.Event()):
                    connection.sendall(chunk)
                    time.sleep(0.01)

    def test_however_the_client_times_its_drops(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(limits, "_LINGER_SECONDS", 0.01)
        drops = Drops()
        asyncio.run(limits._read_away(drops))
        assert drops.left > 0

    def test_when_the_client_is_silent(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(limits, "_LINGER_SILENCE", 0.1)
        with site.connect() as connection:
            connection.sendall(head(UPLOAD, f"Content-Length: {LARGE}"))
            assert read_all(connection).startswith(b"HTTP/1.1 401 ")

    def test_when_the_client_has_left(self, site: Site) -> None:
        with site.connect() as connection:
            connection.sendall(head(UPLOAD, f"Content-Length: {LARGE}"))
            assert connection.recv(12) == b"HTTP/1.1 401"
        assert site.client().get("/healthz").status_code == 200


class TestForms:
    def test_what_follows_the_file_has_an_end(self, site: Site) -> None:
        """In chunks nobody announces a length, and after its last boundary a form has no limit of its own."""
        person = Person(site)
        cookie = "; ".join(f"{name}={value}" for name, value in person.client.cookies.items())
        stop = threading.Event()
        with site.connect() as connection:
            connection.sendall(
                head(
                    person.action,
                    "Transfer-Encoding: chunked",
                    "Content-Type: multipart/form-data; boundary=edge",
                    f"Cookie: {cookie}",
                )
            )
            form = b'--edge\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n1\r\n--edge--\r\n'
            connection.sendall(b"%x\r\n%b\r\n" % (len(form), form))
            sender = threading.Thread(target=send_until_refused, args=(connection, stop))
            sender.start()
            answer = connection.recv(12)
            stop.set()
            sender.join()
        assert answer == b"HTTP/1.1 413"
        assert site.rows("uploads.list", customer=None, state=None, limit=9) == []

    def test_a_form_in_chunks_is_taken(self, site: Site) -> None:
        person = Person(site)
        request = person.client.build_request("POST", person.action, files={"file": ("members.csv", b"Phone,Group\n")})
        content = b"".join(request.stream)  # type: ignore[arg-type]
        answer = person.client.post(
            person.action,
            content=(bytes([byte]) for byte in content),
            headers={"Content-Type": request.headers["content-type"]},
        )
        assert answer.status_code in (303, 422), answer.text


def send_until_refused(connection: socket.socket, stop: threading.Event) -> None:
    try:
        for chunk in endless(stop):
            connection.sendall(chunk)
    except OSError:
        return
