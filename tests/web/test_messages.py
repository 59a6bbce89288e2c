"""The gateway's webhook: whose list a text is for, what it means, and that it is done once."""

from __future__ import annotations

import hmac
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from alp_daemon.services.logins.credentials import Kind
from tests.web.conftest import SiteMaker
from tests.web.site import ANN, JOE, Site
from tests.web.test_manage_optin import command, problem

PATH = "/api/v1/messages"


def text(words: str, id_: str = "m1", to: str = "55512", sender: str = JOE) -> dict[str, str]:
    return {"id": id_, "from": sender, "to": to, "text": words}


def statuses(site: Site) -> dict[str, str]:
    told = {
        name: site.api(name).post("/api/v1/manage-optin", json=command("status")).json() for name in ("acme", "beta")
    }
    return {name: each["status"] for name, each in told.items()}


@pytest.fixture
def both_opted_in(site: Site) -> httpx.Client:
    for customer in ("acme", "beta"):
        site.api(customer).post("/api/v1/manage-optin", json=command("opt_in"))
    return site.gateway()


def test_the_keyword_opts_in_to_its_customer_only(site: Site) -> None:
    told = site.gateway().post(PATH, json=text("Acme please")).json()
    assert told == {
        "intent": "opt_in",
        "status": "opted_in",
        "reply": "Acme Water: you are subscribed. Reply STOP to end, HELP for help.",
        "customers": {"acme": "opted_in"},
    }
    assert statuses(site) == {"acme": "opted_in", "beta": "absent"}


def test_a_stop_without_a_keyword_is_for_every_list_of_the_code(site: Site, both_opted_in: httpx.Client) -> None:
    told = both_opted_in.post(PATH, json=text("Stop. Thank you")).json()
    assert (told["intent"], told["status"]) == ("opt_out", "opted_out")
    assert told["reply"] == (
        "Acme Water and Beta School: you are unsubscribed and will get no more messages."
        " Text ACME or BETA to join again."
    )
    assert statuses(site) == {"acme": "opted_out", "beta": "opted_out"}


@pytest.mark.parametrize("words", ["STOP BETA", "beta stop", "Unsubscribe me from Beta!"])
def test_a_stop_with_a_keyword_is_for_that_list(site: Site, both_opted_in: httpx.Client, words: str) -> None:
    assert both_opted_in.post(PATH, json=text(words)).json()["customers"] == {"beta": "opted_out"}
    assert statuses(site) == {"acme": "opted_in", "beta": "opted_out"}


def test_a_stop_of_somebody_never_seen_is_written_down(site: Site) -> None:
    told = site.gateway().post(PATH, json=text("STOP")).json()
    assert told["customers"] == {"acme": "opted_out", "beta": "opted_out"}


def test_anything_else_changes_nothing_and_is_kept_for_a_person(site: Site, both_opted_in: httpx.Client) -> None:
    told = both_opted_in.post(PATH, json=text("Who is this?")).json()
    assert (told["intent"], told["status"], told["reply"]) == ("other", "opted_in", "")
    assert [row["text"] for row in site.rows("messages.others", customer="beta", limit=9)] == ["Who is this?"]


def test_status_is_null_where_the_lists_differ(site: Site) -> None:
    site.api().post("/api/v1/manage-optin", json=command("opt_in"))
    told = site.gateway().post(PATH, json=text("HELP")).json()
    assert (told["intent"], told["status"]) == ("help", None)
    assert told["customers"] == {"acme": "opted_in", "beta": "absent"}


def test_a_message_delivered_twice_is_done_once(site: Site) -> None:
    gateway = site.gateway()
    first = gateway.post(PATH, json=text("STOP")).json()
    gateway.post(PATH, json=text("ACME", "m2"))
    assert gateway.post(PATH, json=text("STOP")).json() == first
    assert statuses(site) == {"acme": "opted_in", "beta": "opted_out"}


@pytest.mark.parametrize("sender", [JOE, ANN])
def test_a_stop_under_an_id_that_was_used_before_is_not_lost(site: Site, sender: str) -> None:
    """Two gateways may count alike, and one that was set up anew begins again."""
    gateway, stop = site.gateway(), text("STOP", "m1", sender=sender)
    gateway.post(PATH, json=text("Who is this?", "m1"))
    told = gateway.post(PATH, json=stop).json()
    assert told["customers"] == {"acme": "opted_out", "beta": "opted_out"}
    gateway.post(PATH, json=text("ACME", "m2", sender=sender))
    assert gateway.post(PATH, json=stop).json() == told, "it was delivered twice"
    assert site.api().get(f"/api/v1/numbers/{sender}").json()["status"] == "opted_in"


def test_a_stop_delivered_many_times_at_once_is_done_once(site: Site) -> None:
    gateways = [site.gateway() for _ in range(8)]
    with ThreadPoolExecutor(len(gateways)) as pool:
        told = [answer.json() for answer in pool.map(lambda each: each.post(PATH, json=text("STOP")), gateways)]
    assert told == told[:1] * len(gateways)
    assert len(site.api().get(f"/api/v1/numbers/{JOE}").json()["history"]) == 1


def test_a_sign_that_no_database_takes_loses_no_stop(site: Site) -> None:
    assert site.gateway().post(PATH, json=text("\0Stop\0", "m\0")).json()["intent"] == "opt_out"
    kept = site.rows("messages.get", customer="acme", id="m")
    assert [row["text"] for row in kept] == ["Stop"]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (rb"Stop \ud83d", "Stop \ufffd"),
        (rb"\uDE00 Stop", "\ufffd Stop"),
        (rb"Stop \ud83d\ude00", "Stop \U0001f600"),
        (rb"Stop \\ud83d", r"Stop \ud83d"),
        (b"Stop, caf\xe9", "Stop, caf\ufffd"),
        ("Stop, café".encode(), "Stop, café"),
    ],
)
def test_a_sign_that_is_none_loses_no_stop(site: Site, sent: bytes, kept: str) -> None:
    """Gateways cut emoji in two, and pass Latin-1 on."""
    body = json.dumps(text("TEXT")).encode().replace(b"TEXT", sent)
    answer = site.gateway().post(PATH, content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["status"]) == (200, "opted_out")
    assert [row["text"] for row in site.rows("messages.get", customer="acme", id="m1")] == [kept]


@pytest.mark.parametrize("body", [b"", b"STOP", b'{"id": "m1"', b'{"text": "\\u12"}', b"\xff\xfe{}"])
def test_what_is_no_json_is_400(site: Site, body: bytes) -> None:
    answer = site.gateway().post(PATH, content=body, headers={"Content-Type": "application/json"})
    assert problem(answer)[0] == 400


@pytest.mark.parametrize("to", ["+12125550100", "12125550100", " 55512"])
def test_a_code_is_found_with_and_without_plus(site: Site, to: str) -> None:
    assert site.gateway().post(PATH, json=text("ACME", to=to)).json()["intent"] == "opt_in"


@pytest.mark.parametrize(("words", "status"), [("ACME", 404), ("STOP", 503)])
def test_an_unknown_code_is_told_so_that_the_gateway_tries_again(site: Site, words: str, status: int) -> None:
    answer = site.gateway().post(PATH, json=text(words, to="99999"))
    assert problem(answer)[0] == status
    assert "add it to codes:" in problem(answer)[2]
    assert ("Retry-After" in answer.headers) == (status == 503)


@pytest.mark.parametrize("words", ["STOP", "STOP ACME"])
def test_a_stop_to_an_unknown_code_is_for_whoever_has_its_sender(site: Site, words: str) -> None:
    site.api().post("/api/v1/manage-optin", json=command("opt_in"))
    assert site.gateway().post(PATH, json=text(words, to="99999")).json()["customers"] == {"acme": "opted_out"}
    assert statuses(site) == {"acme": "opted_out", "beta": "absent"}


def test_a_sender_that_is_no_number_is_422(site: Site) -> None:
    assert problem(site.gateway().post(PATH, json=text("STOP", sender="INFO")))[0] == 422


def test_what_gateways_send_besides_is_left_aside(site: Site) -> None:
    answer = site.gateway().post(PATH, json={**text("ACME"), "carrier": "x", "segments": 1})
    assert answer.status_code == 200


class TestSignature:
    def signed(self, site: Site, secret: bytes, signature: str | None = None) -> httpx.Response:
        body = json.dumps(text("STOP")).encode()
        made = f"sha256={hmac.digest(secret, body, 'sha256').hex()}" if signature is None else signature
        headers = {"Content-Type": b"application/json", "X-Signature-256": made.encode()}
        return site.gateway().post(PATH, content=body, headers=headers)

    @pytest.fixture
    def signing(self, make_site: SiteMaker, tmp_path: Path) -> Site:
        (tmp_path / "secret").write_text("we share this\n")
        return make_site(gateway_secret_file=str(tmp_path / "secret"))

    def test_a_signed_call_is_taken(self, signing: Site) -> None:
        assert self.signed(signing, b"we share this").status_code == 200

    @pytest.mark.parametrize("signature", ["", "sha256=", "nonsense", "sha256=é"])
    def test_an_unsigned_one_is_not(self, signing: Site, signature: str) -> None:
        assert problem(self.signed(signing, b"", signature))[0] == 401

    def test_nor_one_signed_with_another_secret(self, signing: Site) -> None:
        assert problem(self.signed(signing, b"another"))[0] == 401
        assert statuses(signing) == {"acme": "absent", "beta": "absent"}

    def test_a_secret_that_is_gone_lets_nobody_in(self, signing: Site, tmp_path: Path) -> None:
        (tmp_path / "secret").write_text("")
        assert problem(self.signed(signing, b""))[0] == 503


def test_a_customers_token_is_not_for_messages_nor_the_gateways_for_lists(site: Site) -> None:
    assert problem(site.api().post(PATH, json=text("STOP")))[0] == 403
    assert problem(site.gateway().post("/api/v1/manage-optin", json=command("opt_in")))[0] == 403
    assert Kind.gateway not in {row["kind"] for row in site.rows("credentials.list", customer="acme")}
