"""The ManageOptin calls: one command, many, one number, and the list by pages."""

from __future__ import annotations

import concurrent.futures
from typing import Any

import httpx
import pytest

from tests.web.site import ANN, EVE, JOE, Site

PATH = "/api/v1/manage-optin"


def command(name: str, number: str = JOE, *tags: str) -> dict[str, Any]:
    return {"number": number, "command": name, "tags": list(tags)}


def problem(answer: httpx.Response) -> tuple[int, str, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert told["status"] == answer.status_code
    return answer.status_code, told["type"], told["detail"]


class TestOne:
    def test_says_how_the_number_stands(self, site: Site) -> None:
        api = site.api()
        answer = api.post(PATH, json=command("opt_in", "(212) 555-0123", "north"))
        assert answer.status_code == 200
        assert answer.json() == {
            "number": JOE, "status": "opted_in", "tags": ["north"], "changed": True, "event": 1, "message": "",
        }  # fmt: skip

    def test_what_is_true_already_changes_nothing_and_is_recorded(self, site: Site) -> None:
        api = site.api()
        for name in ("opt_in", "suspend"):
            api.post(PATH, json=command(name))
        told = api.post(PATH, json=command("suspend")).json()
        assert (told["changed"], told["event"]) == (False, 3)
        assert told["message"] == "nothing to change: it is suspended already"

    def test_an_opt_in_that_is_on_record_is_not_recorded_again(self, site: Site) -> None:
        api = site.api()
        api.post(PATH, json=command("opt_in"))
        told = api.post(PATH, json=command("opt_in")).json()
        assert (told["changed"], told["event"]) == (False, None)
        assert told["message"] == "nothing to change: it is opted_in already"

    def test_an_opt_out_is_recorded_even_where_nothing_changes(self, site: Site) -> None:
        api = site.api()
        assert api.post(PATH, json=command("opt_out")).json()["event"] == 1
        again = api.post(PATH, json=command("opt_out")).json()
        assert (again["changed"], again["event"]) == (False, 2)

    def test_status_only_asks(self, site: Site) -> None:
        told = site.api().post(PATH, json=command("status")).json()
        assert (told["status"], told["changed"], told["event"]) == ("absent", False, None)
        assert site.rows("lists.all") == []

    def test_a_rule_that_forbids_it_is_409(self, site: Site) -> None:
        api = site.api()
        api.post(PATH, json=command("opt_out"))
        status, kind, detail = problem(api.post(PATH, json=command("opt_in")))
        assert (status, kind) == (409, "/docs#refused")
        assert "only its own message with the keyword ACME can lift that" in detail
        assert JOE not in detail

    @pytest.mark.parametrize("number", ["12", "2.12556E+09", "", "212 555 0123 x9"])
    def test_a_bad_number_is_422_and_is_not_quoted(self, site: Site, number: str) -> None:
        status, kind, detail = problem(site.api().post(PATH, json=command("opt_in", number)))
        assert (status, kind) == (422, "/docs#unusable")
        assert not number or number not in detail

    def test_a_bad_tag_is_422(self, site: Site) -> None:
        assert problem(site.api().post(PATH, json=command("opt_in", JOE, "a;b")))[0] == 422

    def test_tags_alone(self, site: Site) -> None:
        api = site.api()
        api.post(PATH, json=command("opt_in", JOE, "a", "b"))
        assert api.post(PATH, json=command("add_tags", JOE, "c")).json()["tags"] == ["a", "b", "c"]
        assert api.post(PATH, json=command("remove_tags", JOE, "a", "b")).json()["tags"] == ["c"]

    def test_the_history_names_the_token_that_did_it(self, site: Site) -> None:
        site.api().post(PATH, json=command("opt_in"))
        (change,) = site.rows("changes.of_list", list=1)
        assert (change["actor"], change["source"], change["channel"]) == ("acme-api", "api", "api")


class TestMany:
    def test_each_has_its_answer_in_its_place(self, site: Site) -> None:
        api = site.api()
        api.post(PATH, json=command("opt_out", EVE))
        answer = api.post(
            PATH,
            json=[command("opt_in"), command("opt_in", EVE), command("opt_in", "nonsense"), command("suspend")],
        )
        assert answer.status_code == 200
        first, refused, unusable, last = answer.json()
        assert (first["number"], first["status"]) == (JOE, "opted_in")
        assert (refused["number"], refused["error"]["status"]) == (EVE, 409)
        assert (unusable["number"], unusable["error"]["status"]) == ("nonsense", 422)
        assert (last["number"], last["status"], last["changed"]) == (JOE, "suspended", True)

    def test_a_thousand_are_taken_and_no_more(self, site: Site) -> None:
        api = site.api()
        numbers = [f"+1212555{index:04}" for index in range(1001)]
        answers = api.post(PATH, json=[command("opt_in", number, "t") for number in numbers[:1000]]).json()
        assert [each["event"] for each in answers] == list(range(1, 1001))
        assert problem(api.post(PATH, json=[command("opt_in", number) for number in numbers]))[0] == 422
        assert problem(api.post(PATH, json=[]))[0] == 422


class TestIdempotencyKey:
    def test_the_same_call_again_is_answered_and_not_done(self, site: Site) -> None:
        api = site.api(**{"Idempotency-Key": "k1"})
        first = api.post(PATH, json=[command("opt_in"), command("opt_in", "x")])
        again = api.post(PATH, json=[command("opt_in"), command("opt_in", "x")])
        assert "idempotent-replayed" not in first.headers
        assert again.headers["idempotent-replayed"] == "true"
        assert again.json() == first.json()
        assert len(site.rows("changes.of_list", list=1)) == 1

    def test_a_refusal_is_answered_again_too(self, site: Site) -> None:
        site.api().post(PATH, json=command("opt_out"))
        api = site.api(**{"Idempotency-Key": "k1"})
        first, again = (problem(api.post(PATH, json=command("opt_in"))) for _ in range(2))
        assert first == again
        assert first[0] == 409

    def test_another_call_under_the_same_key_is_422(self, site: Site) -> None:
        api = site.api(**{"Idempotency-Key": "k1"})
        api.post(PATH, json=command("opt_in"))
        status, _, detail = problem(api.post(PATH, json=command("opt_out")))
        assert status == 422
        assert "take a new key" in detail

    def test_keys_of_two_customers_are_two_keys(self, site: Site) -> None:
        for customer in ("acme", "beta"):
            api = site.api(customer, **{"Idempotency-Key": "k1"})
            assert api.post(PATH, json=command("opt_in")).json()["changed"] is True

    def test_calls_at_once_are_done_once(self, site: Site) -> None:
        api = site.api(**{"Idempotency-Key": "k1"})
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: api.post(PATH, json=command("opt_out")).json(), range(16)))
        assert all(each == answers[0] for each in answers)
        assert len(site.rows("changes.of_list", list=1)) == 1

    @pytest.mark.parametrize("key", ["", "k" * 201])
    def test_an_unusable_key_is_422(self, site: Site, key: str) -> None:
        assert problem(site.api(**{"Idempotency-Key": key}).post(PATH, json=command("opt_in")))[0] == 422


class TestNumber:
    def test_tells_the_whole_history_and_since_when_there_is_consent(self, site: Site) -> None:
        api = site.api()
        for name in ("opt_in", "suspend", "reactivate"):
            api.post(PATH, json=command(name, JOE, "n"))
        told = api.get(f"/api/v1/numbers/{JOE}").json()
        assert (told["number"], told["status"], told["tags"]) == (JOE, "opted_in", ["n"])
        steps = [(event["status_before"], event["status_after"]) for event in told["history"]]
        assert steps == [("absent", "opted_in"), ("opted_in", "suspended"), ("suspended", "opted_in")]
        assert told["consent_date"] == told["history"][0]["at"][:10]
        api.post(PATH, json=command("opt_out"))
        assert api.get(f"/api/v1/numbers/{JOE}").json()["consent_date"] is None

    def test_one_that_nobody_has_heard_of_is_404(self, site: Site) -> None:
        assert problem(site.api().get(f"/api/v1/numbers/{JOE}"))[0] == 404


class TestPages:
    @pytest.fixture
    def api(self, site: Site) -> httpx.Client:
        api = site.api()
        api.post(
            PATH, json=[command("opt_in", JOE, "a"), command("opt_in", ANN, "b"), command("opt_in", EVE, "a", "b")]
        )
        api.post(PATH, json=command("suspend", ANN))
        return api

    def pages(self, api: httpx.Client, **asked: Any) -> list[list[str]]:
        found, after = [], {}
        while True:
            page = api.get("/api/v1/numbers", params={**asked, **after}).json()
            found.append([each["number"] for each in page["numbers"]])
            if page["next"] is None:
                return found
            after = {"after": page["next"]}

    def test_every_number_is_on_one_page(self, api: httpx.Client) -> None:
        assert self.pages(api, limit=2) == [[JOE, ANN], [EVE]]
        assert self.pages(api, limit=3) == [[JOE, ANN, EVE]]

    def test_by_status_and_by_tag(self, api: httpx.Client) -> None:
        assert self.pages(api, status="suspended") == [[ANN]]
        assert self.pages(api, tag="a", limit=1) == [[JOE], [EVE]]
        assert self.pages(api, tag="a", status="suspended") == [[]]
        assert self.pages(api, tag="of nobody") == [[]]

    def test_a_list_that_is_not_there_yet_is_empty(self, site: Site) -> None:
        assert self.pages(site.api("beta")) == [[]]

    @pytest.mark.parametrize(
        "asked", [{"limit": 0}, {"limit": 1001}, {"after": "x"}, {"status": "absent"}, {"sort": 1}]
    )
    def test_what_is_not_understood_is_refused_by_name(self, site: Site, asked: dict[str, Any]) -> None:
        answer = site.api().get("/api/v1/numbers", params=asked)
        assert problem(answer)[0] == 422
        assert answer.json()["errors"][0]["at"] == f"/{next(iter(asked))}"


class TestBodies:
    @pytest.mark.parametrize("body", ["", "{", "[", "nonsense", '{"number": "1"', "\x00", '"\\ud800"'])
    def test_what_is_no_json_is_400(self, site: Site, body: str) -> None:
        answer = site.api().post(PATH, content=body, headers={"Content-Type": "application/json"})
        assert problem(answer)[:2] == (400, "/docs#malformed")

    @pytest.mark.parametrize(
        ("body", "at"),
        [
            ({"number": JOE}, "/command"),
            ({"number": 12125550123, "command": "opt_in"}, "/number"),
            ({"number": JOE, "command": "opt-in"}, "/command"),
            ({"number": JOE, "command": "opt_in", "tag": "a"}, "/tag"),
            ({"number": JOE, "command": "opt_in", "tags": "a"}, "/tags"),
            ([{"number": JOE, "command": "opt_in"}, 7], "/1"),
            ("a text", "/"),
        ],
    )
    def test_what_says_something_else_is_422_and_names_the_place(self, site: Site, body: Any, at: str) -> None:
        answer = site.api().post(PATH, json=body)
        assert problem(answer)[0] == 422
        assert answer.json()["errors"][0]["at"] == at
        assert "555" not in answer.text

    def test_another_type_of_content_is_415(self, site: Site) -> None:
        answer = site.api().post(PATH, data={"number": JOE})
        assert problem(answer)[0] == 415
        assert answer.headers["accept"] == "application/json"

    def test_a_large_body_is_413_and_not_read(self, site: Site) -> None:
        answer = site.api().post(PATH, content=b"[" + b" " * 2**20, headers={"Content-Type": "application/json"})
        assert problem(answer)[0] == 413

    def test_a_large_body_of_unknown_length_is_413(self, site: Site) -> None:
        chunks = (b" " * 2**16 for _ in range(32))
        answer = site.api().post(PATH, content=chunks, headers={"Content-Type": "application/json"})
        assert problem(answer)[0] == 413
