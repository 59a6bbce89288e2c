"""The server itself: TLS, slow and greedy clients, headers, starting and stopping."""

from __future__ import annotations

import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import trustme

from alp_daemon.certificates import web_context
from alp_daemon.channels.web import WebServer
from alp_daemon.channels.web.proxies import real_ip
from alp_daemon.channels.web.site import Site as WebSite
from alp_daemon.domain.networks import networks
from alp_daemon.errors import ConfigurationError, Unavailable
from alp_daemon.sections import CertificateSettings
from alp_daemon.services.logins.credentials import Kind
from tests.web.conftest import SiteMaker
from tests.web.site import JOE, Site, tls_1_1
from tests.web.test_manage_optin import command, problem


def read_all(connection: socket.socket) -> bytes:
    """What comes until the other end closes; a reset is a close too."""
    found = b""
    try:
        while chunk := connection.recv(4096):
            found += chunk
    except ConnectionResetError:
        pass
    return found


class TestTls:
    def test_calls_and_sessions_over_tls(self, make_site: SiteMaker) -> None:
        site = make_site(tls=trustme.CA())
        assert site.api().post("/api/v1/manage-optin", json=command("opt_in")).status_code == 200
        issued = site.issue("acme", Kind.uploader)
        client = site.client()
        answer = client.post("/login", data={"user": issued.user, "password": issued.password})
        assert answer.headers["set-cookie"].startswith("__Host-alp-session=")
        assert "; Secure" in answer.headers["set-cookie"]
        assert answer.headers["strict-transport-security"] == "max-age=31536000"
        assert client.get("/account").status_code == 200

    def test_nothing_older_than_tls_1_2(self, make_site: SiteMaker) -> None:
        site = make_site(tls=trustme.CA())
        with site.connect() as connection, pytest.raises(ssl.SSLError):
            tls_1_1().wrap_socket(connection)

    def test_an_unusable_certificate_says_which(self, tmp_path: Path) -> None:
        (tmp_path / "a.crt").write_text("nothing")
        settings = CertificateSettings(certificate=tmp_path / "a.crt", key=tmp_path / "a.key")
        with pytest.raises(ConfigurationError, match=r"web\.tls: .*a\.crt and .*a\.key: expected a PEM certificate"):
            web_context(settings)


class TestSlowClients:
    def test_headers_that_come_a_byte_at_a_time_come_to_an_end(self, make_site: SiteMaker) -> None:
        site = make_site(request_seconds=1)
        with site.connect() as connection:
            stop = threading.Event()

            def drip() -> None:
                while not stop.wait(0.1):
                    try:
                        connection.sendall(b"x")
                    except OSError:
                        return

            connection.sendall(b"GET /healthz HTTP/1.1\r\nX: ")
            thread = threading.Thread(target=drip)
            thread.start()
            assert read_all(connection) == b""
            stop.set()
            thread.join()
        assert site.client().get("/healthz").status_code == 200

    def test_a_connection_that_says_nothing_comes_to_an_end(self, make_site: SiteMaker) -> None:
        site = make_site(request_seconds=0.5)
        with site.connect() as connection:
            assert read_all(connection) == b""

    def test_so_does_the_next_request_on_a_connection(self, make_site: SiteMaker) -> None:
        site = make_site(request_seconds=0.5)
        with site.connect() as connection:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /healthz HTT")
            assert read_all(connection).count(b"HTTP/1.1 200") == 1

    def test_a_request_that_is_being_answered_has_its_time(self, make_site: SiteMaker) -> None:
        site = make_site(request_seconds=0.5, checks={"slow": lambda: time.sleep(1.5)})
        assert site.client().get("/readyz").status_code == 200

    def test_a_body_that_stops_is_408_and_nothing_of_it_is_kept(self, make_site: SiteMaker) -> None:
        site = make_site(idle_seconds=0.5)
        token = site.issue("acme", Kind.api).password
        with site.connect() as connection:
            connection.sendall(
                b"POST /api/v1/uploads?filename=members.csv HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n"
                b"Authorization: Bearer " + token.encode() + b"\r\n\r\nPhone\n"
            )
            answer = read_all(connection)
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b"connection: close" in answer.lower()
        assert site.rows("uploads.list", customer=None, state=None, limit=9) == []

    def test_a_refused_body_does_not_hold_its_connection(self, make_site: SiteMaker) -> None:
        site = make_site(request_seconds=0.5)
        head = b"POST /api/v1/manage-optin HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
        with site.connect() as connection:
            connection.sendall(head)
            assert read_all(connection).startswith(b"HTTP/1.1 401 ")


class TestClientsThatDoNotRead:
    """Answers that nobody takes stay in memory, and their connection in the number that there may be."""

    ASKED = 100
    QUESTION = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"

    @pytest.fixture(params=["http", "https"])
    def client(self, request: pytest.FixtureRequest, make_site: SiteMaker) -> Iterator[socket.socket]:
        tls = trustme.CA() if request.param == "https" else None
        # The kernel takes some megabytes for a client that does not; with less room it is soon full.
        site = make_site(taking_seconds=0.5, tls=tls)
        site.server._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2**14)
        with socket.socket() as plain:
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**12)
            plain.settimeout(20)
            plain.connect(("127.0.0.1", site.server.port))
            if tls is None:
                yield plain
            else:
                with site.verify.wrap_socket(plain, server_hostname="127.0.0.1") as connection:
                    yield connection

    def test_they_are_ended(self, client: socket.socket) -> None:
        client.sendall(self.QUESTION * self.ASKED)
        poll = select.poll()
        poll.register(client, 0)  # an end by reset is told unasked
        assert poll.poll(20_000)

    def test_slow_ones_that_read_get_it_all(self, client: socket.socket) -> None:
        client.sendall(self.QUESTION * self.ASKED)
        found = b""
        while found.count(b"HTTP/1.1 200") < self.ASKED:
            time.sleep(0.001)  # all in all it takes longer than they may take nothing
            chunk = client.recv(2**12)
            assert chunk
            found += chunk


class TestGreedyClients:
    def test_one_address_has_so_many_connections(self, make_site: SiteMaker) -> None:
        site = make_site(max_connections_per_ip=3)
        held = [site.connect() for _ in range(3)]
        with site.connect() as one_more:
            assert read_all(one_more) == b""
        held.pop().close()
        answers = []
        while not answers:  # the server sees the end of the closed one in its own time
            try:
                answers.append(site.client().get("/healthz"))
            except httpx.TransportError:
                continue
        assert answers[0].status_code == 200
        for connection in held:
            connection.close()

    def test_a_trusted_proxy_has_as_many_as_it_needs(self, make_site: SiteMaker) -> None:
        site = make_site(max_connections_per_ip=3, trusted_proxies=["127.0.0.0/8"])
        held = [site.connect() for _ in range(10)]
        assert site.client().get("/healthz").status_code == 200
        for connection in held:
            connection.close()

    def test_headers_have_a_limit(self, site: Site) -> None:
        with site.connect() as connection:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 2**17)
            assert read_all(connection)[:12] in (b"HTTP/1.1 400", b"")


class TestHeaders:
    @pytest.mark.parametrize("path", ["/login", "/nothing", "/api/v1/numbers", "/static/style.css", "/healthz"])
    def test_every_answer_says_what_a_browser_may_do(self, site: Site, path: str) -> None:
        headers = site.client().get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'self'; ")
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["cache-control"] == ("no-cache" if path.startswith("/static/") else "no-store")
        assert "server" not in headers
        assert "strict-transport-security" not in headers

    def test_tls_at_a_trusted_proxy_counts_as_tls(self, make_site: SiteMaker) -> None:
        site = make_site(trusted_proxies=["127.0.0.1"])
        answer = site.client().get("/login", headers={"X-Forwarded-Proto": "https"})
        assert "strict-transport-security" in answer.headers

    def test_pages_need_nothing_from_elsewhere(self, site: Site) -> None:
        for path in ("/login", "/docs", "/nothing"):
            text = site.client().get(path).text
            assert "//" not in text.replace("://127.0.0.1", ""), path
            assert "<script" not in text
            assert "style=" not in text


class TestProblems:
    def test_an_address_that_is_not_there(self, site: Site) -> None:
        page = site.client().get("/nothing")
        assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
        assert problem(site.client().get("/api/v2"))[:2] == (404, "/docs#not-found")

    def test_a_method_that_is_not_taken(self, site: Site) -> None:
        answer = site.client().delete("/api/v1/numbers")
        assert problem(answer)[0] == 405
        assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD"}

    @pytest.mark.parametrize("area", ["/uploads/", "/console/held/", "/api/v1/uploads/", "/informz/uploads/"])
    def test_a_number_that_nobody_can_read_is_no_address(self, site: Site, area: str) -> None:
        """Python itself refuses to read so many digits, and a database far fewer."""
        for digits in (19, 5000):
            assert site.client().get(area + "9" * digits).status_code == 404

    @pytest.mark.parametrize("count", [101, 5000])
    def test_a_form_has_so_many_fields(self, site: Site, count: int) -> None:
        answer = site.client().post("/login", data={f"field{n}": "x" for n in range(count)})
        assert (answer.status_code, "at most 100 fields" in answer.text) == (400, True)

    def test_a_bug_is_500_and_says_nothing_of_itself(
        self, site: Site, monkeypatch: pytest.MonkeyPatch, logged: Callable[[], str]
    ) -> None:
        client = site.api()
        monkeypatch.delattr(site.registry, "_entries")
        answer = client.get("/api/v1/numbers")
        assert problem(answer)[0] == 500
        assert "_entries" not in answer.text
        assert "x-content-type-options" in answer.headers
        site.server.stop(grace=2)  # the answer goes out before the traceback is written
        assert "_entries" in logged(), "the log has the traceback"


def test_no_log_line_holds_a_number_a_text_or_a_secret(site: Site, logged: Callable[[], str]) -> None:
    api, gateway = site.api(), site.gateway()
    api.post("/api/v1/manage-optin", json=[command("opt_in", JOE), command("opt_in", "2125550199x")])
    api.get(f"/api/v1/numbers/{JOE}")
    api.get("/api/v1/numbers", params={"after": JOE[1:]})
    gateway.post("/api/v1/messages", json={"id": "m1", "from": JOE, "to": "55512", "text": "STOP it, 212-555-0123"})
    browser = site.signed_in(Kind.uploader)
    browser.post("/login", data={"user": "acme", "password": "hunter2"})
    lines = logged()
    assert '"event": "message"' in lines
    assert '"event": "signed_in"' in lines
    secrets = [client.headers["authorization"].split()[1] for client in (api, gateway)]
    for word in ("5550123", "5550199", "555-0123", "hunter2", browser.cookies["alp-session"], *secrets):
        assert word not in lines


def test_files_outside_of_static_are_not_served(site: Site) -> None:
    with site.connect() as connection:
        connection.sendall(b"GET /static/../templates/base.html HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert read_all(connection).startswith(b"HTTP/1.1 404 ")


def test_a_taken_port_is_said_at_once(site: Site) -> None:
    taken = site.settings.model_copy(update={"web": site.settings.web.model_copy(update={"port": site.server.port})})
    with pytest.raises(Unavailable, match=rf"web: cannot listen on 127\.0\.0\.1 port {site.server.port}"):
        WebServer(WebSite(site.store, taken, site.access, site.server._site.intake, site.registry, {}))


def test_a_stop_lets_a_call_under_way_finish(make_site: SiteMaker) -> None:
    began = threading.Event()

    def slow() -> None:
        began.set()
        time.sleep(1)

    site = make_site(checks={"slow": slow})
    client = site.client()
    answers: list[httpx.Response] = []
    thread = threading.Thread(target=lambda: answers.append(client.get("/readyz")))
    thread.start()
    began.wait()
    site.server.stop(grace=5)
    thread.join()
    assert answers[0].status_code == 200
    with pytest.raises(ConnectionRefusedError):
        site.connect()


@pytest.mark.parametrize(
    ("peer", "forwarded", "ip"),
    [
        ("203.0.113.1", "198.51.100.1", "203.0.113.1"),  # not our proxy: not believed
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.1", "203.0.113.1"),
        ("10.0.0.1", "1.2.3.4, 203.0.113.1", "203.0.113.1"),  # the client wrote the left one
        ("10.0.0.1", "203.0.113.1, 10.0.0.2", "203.0.113.1"),  # two proxies of ours
        ("10.0.0.1", "203.0.113.1, nonsense", "10.0.0.1"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("::ffff:10.0.0.1", "2001:db8::1", "2001:db8::1"),
    ],
)
def test_the_real_sender_behind_proxies(peer: str, forwarded: str, ip: str) -> None:
    assert real_ip(peer, forwarded, networks(["10.0.0.0/8"])) == ip
