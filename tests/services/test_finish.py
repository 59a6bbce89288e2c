"""What an upload's record keeps where an end comes without a reading."""

from __future__ import annotations

import json

import pytest

from alp_daemon.services.decisions import holds
from tests.services.provider import Provider, feed, numbers


def told(acme: Provider, upload: int) -> dict:
    (stored,) = acme.rows("reports.get", upload=upload)
    found: dict = json.loads(stored["json"])
    return found


def test_a_hold_before_the_reading_leaves_the_digest(acme: Provider) -> None:
    upload = acme.send("append.csv", numbers(3))
    known = acme.upload(upload).sha256
    acme.configure({"append": feed("append", phones=["phone"])})
    assert acme.work()["state"] == "held"
    assert known is not None
    assert acme.upload(upload).sha256 == told(acme, upload)["sha256"] == known


def test_so_does_a_failure_after_one(acme: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    acme.configure({"append": feed("append", guard={"min_rows": 4})})
    held = acme.process("append.csv", numbers(3))
    before = acme.upload(held["upload"])
    holds.release(acme.store, before.id, "Ann", acme.now)
    with monkeypatch.context() as patch:
        patch.setattr("alp_daemon.services.processing.process.read_source", lambda *_: 1 / 0)
        assert acme.work()["state"] == "failed"
    after = acme.upload(before.id)
    assert (after.sha256, after.config, after.waived) == (before.sha256, before.config, '{"too_few_rows": 1}')
    assert told(acme, before.id)["sha256"] == held["sha256"]


def test_another_reading_writes_its_own(acme: Provider) -> None:
    held = acme.process("append.csv", {"nobody": ""})
    assert held["state"] == "held"
    before = acme.upload(held["upload"])
    acme.configure({"append": feed("append", tags=[{"column": "Tags"}])})
    acme.approve("append")
    holds.release(acme.store, before.id, "Ann", acme.now)
    acme.work()
    after = acme.upload(before.id)
    assert after.config != before.config
    assert after.sha256 == before.sha256
