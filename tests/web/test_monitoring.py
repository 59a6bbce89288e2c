"""What monitoring reads: live, ready, and the figures."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from alp_daemon.domain.model import Status
from tests.web.conftest import MEMBERS, SiteMaker
from tests.web.site import JOE, Site
from tests.web.test_manage_optin import command

ALERTS = Path(__file__).parents[2] / "samples/prometheus-alerts.yml"

FAMILIES = {
    "alp_uploads_total": "counter",
    "alp_rows_total": "counter",
    "alp_file_seconds": "histogram",
    "alp_held_files": "gauge",
    "alp_list_size": "gauge",
    "alp_logins_total": "counter",
    "alp_lockouts_active": "gauge",
    "alp_last_applied_timestamp_seconds": "gauge",
    "alp_feed_overdue": "gauge",
}


def figures(site: Site) -> dict[str, float]:
    answer = site.client().get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    lines = [line for line in answer.text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def test_live_and_ready(site: Site) -> None:
    assert site.client().get("/healthz").json() == {"status": "ok"}
    answer = site.client().get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"ready": True, "parts": {"database": "ok", "spool": "ok"}})


def test_ready_says_which_part_is_not(make_site: SiteMaker) -> None:
    site = make_site(checks={"ftp": lambda: None, "worker": lambda: "does not go on"})
    answer = site.client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["parts"] == {"database": "ok", "spool": "ok", "ftp": "ok", "worker": "does not go on"}


def test_the_figures_of_an_empty_installation(site: Site) -> None:
    text = site.client().get("/metrics").text
    assert dict(re.findall(r"^# TYPE (\w+) (\w+)$", text, re.MULTILINE)) == FAMILIES
    assert figures(site)["alp_held_files"] == 0


def test_the_figures_after_some_work(site: Site) -> None:
    began = datetime.now(UTC).timestamp()
    api = site.api()
    for _ in range(2):
        api.post("/api/v1/uploads", params={"filename": "members.csv"}, content=MEMBERS)
        site.work()
    for _ in range(5):
        site.client().post("/login", data={"user": "nobody", "password": "x"})
    site.access.count()
    told = figures(site)
    assert told['alp_uploads_total{channel="api",state="applied"}'] == 2
    rows = {bucket: told[f'alp_rows_total{{bucket="{bucket}"}}'] for bucket in ("listed", "rejected")}
    assert rows == {"listed": 4, "rejected": 2}
    assert 'alp_rows_total{bucket="read"}' not in told, "the buckets add up to the rows"
    assert told["alp_file_seconds_count"] == told['alp_file_seconds_bucket{le="+Inf"}'] == 2
    assert told["alp_file_seconds_sum"] > 0
    assert told['alp_list_size{customer="acme",status="opted_in"}'] == 2
    assert told['alp_logins_total{result="denied"}'] == 4
    assert told['alp_logins_total{result="locked_out"}'] == 1
    assert told["alp_lockouts_active"] == 1
    assert told['alp_last_applied_timestamp_seconds{customer="acme"}'] > began - 1

    api.post("/api/v1/manage-optin", json=command("opt_out"))
    told = figures(site)
    sizes = {status.name: told.get(f'alp_list_size{{customer="acme",status="{status.name}"}}') for status in Status}
    assert sizes == {"absent": None, "opted_in": 1, "suspended": 0, "opted_out": 1, "unsubscribed": 0}


def test_a_held_file_is_counted_once_it_has_ended(site: Site) -> None:
    site.api().post("/api/v1/uploads", params={"filename": "members.csv"}, content="Phone,Group\n" + "x,y\n" * 9)
    assert site.work()["state"] == "held"
    told = figures(site)
    assert told["alp_held_files"] == 1
    assert told["alp_file_seconds_count"] == 0


def test_labels_hold_no_number_and_no_address(site: Site) -> None:
    site.api().post("/api/v1/manage-optin", json=command("opt_in"))
    for _ in range(4):
        site.client().post("/login", data={"user": JOE, "password": "x"})
    site.access.count()
    text = site.client().get("/metrics").text
    assert JOE[1:] not in text
    assert "127.0.0.1" not in text


def test_figures_name_customers_and_are_for_monitoring_only(make_site: SiteMaker) -> None:
    site = make_site(trusted_proxies=["127.0.0.1"])
    answer = site.client().get("/metrics", headers={"X-Forwarded-For": "203.0.113.1"})
    assert answer.status_code == 403
    assert "acme" not in answer.text


@pytest.mark.parametrize(
    "header",
    [
        {"X-Forwarded-For": "203.0.113.1"},
        {"Forwarded": "for=203.0.113.1"},
        {"X-Real-IP": "203.0.113.1"},
        {"Via": "1.1 a"},
        {"X-Forwarded-Proto": "https"},
    ],
)
def test_a_proxy_on_this_host_that_nobody_trusts_yet_shows_them_to_nobody(site: Site, header: dict[str, str]) -> None:
    answer = site.client().get("/metrics", headers=header)
    assert (answer.status_code, "trusted_proxies" in answer.text) == (403, True)
    assert site.client().get("/metrics").status_code == 200


def test_through_a_trusted_proxy_its_own_monitoring_sees_them(make_site: SiteMaker) -> None:
    site = make_site(trusted_proxies=["127.0.0.1"], metrics_allow=["192.0.2.9"])
    headers = {"X-Forwarded-For": "192.0.2.9", "Via": "1.1 a"}
    assert site.client().get("/metrics", headers=headers).status_code == 200


def test_the_alert_rules_speak_of_figures_that_exist() -> None:
    rules = [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]
    assert len(rules) == 5
    for rule in rules:
        names = set(re.findall(r"\balp_\w+", rule["expr"]))
        assert names <= {*FAMILIES, *(f"alp_file_seconds_{part}" for part in ("bucket", "sum", "count"))}
        assert names
        assert rule["annotations"].keys() == {"summary", "description"}
