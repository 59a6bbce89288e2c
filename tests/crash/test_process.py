"""``alp-daemon process``, killed at each step from the copy into the spool to the published report."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest

from tests.crash.conftest import Copy
from tests.crash.outcome import assert_sound, outcome
from tests.crash.processes import Step
from tests.crash.provider import Provider
from tests.eventually import eventually

CHANGES = "Phone,Feeder\n2125550101,east\n2125550102,north\n2125550104,north\n2125550105,east\nnobody,west\n"
"""Changes tags, keeps one number, omits one, lists one that said STOP, adds one, and has a row to be refused."""
LATER = "Phone,Feeder\n2125550101,east\n2125550103,south\n2125550105,west\n"

UNRECORDED = [
    Step("alp_daemon.services.receiving.intake:copy", "before"),
    Step("pathlib:Path.rename", "before", ".part"),
    Step("pathlib:Path.rename", "after", ".part"),
    Step("alp_daemon.files.spool:Spool.sync", "after"),
    Step("alp_daemon.store.sqlite:SqliteTransaction.one", "after", "uploads.add"),
]
"""Nobody was told that the file is safe, so it has to be sent again."""

RECORDED = [
    Step("alp_daemon.services.receiving.intake:Intake._record", "after"),
    Step("alp_daemon.services.processing.queue:claim", "before"),
    Step("alp_daemon.store.sqlite:SqliteTransaction.run", "after", "uploads.lease"),
    Step("alp_daemon.services.processing.queue:claim", "after"),
    Step("alp_daemon.services.processing.process:read_source", "before"),
    Step("alp_daemon.services.processing.process:read_source", "after"),
    Step("alp_daemon.services.processing.process:assess", "after"),
    Step("alp_daemon.store.lists:create_list", "after"),
    Step("alp_daemon.store.sqlite:SqliteTransaction.upsert_addresses", "after"),
    Step("alp_daemon.store.sqlite:SqliteTransaction.run", "after", "changes.add"),
    Step("alp_daemon.store.sqlite:SqliteTransaction.insert_events", "after"),
    Step("alp_daemon.store.sqlite:SqliteTransaction.run", "after", "uploads.finish"),
    Step("alp_daemon.store.sqlite:SqliteTransaction.run", "after", "reports.put"),
    Step("alp_daemon.services.reports.notify:tell_of_upload", "after"),
    Step("alp_daemon.services.processing.process:_apply_or_hold", "after"),
    Step("alp_daemon.files.beneath:put", "before"),
    Step("os:replace", "before", ".part"),
    Step("alp_daemon.files.beneath:put", "after", nth=2),
    Step("alp_daemon.services.reports.publish:Reports.bring_up_to_date", "after"),
]
"""The file is in the spool and has its record: whoever works the queue next goes on with it."""


@pytest.fixture(scope="module")
def expected(made: Provider, copy: Copy) -> dict[str, Any]:
    provider = copy(made)
    provider.done("process", "acme", changes(provider))
    provider.done("process", "acme", later(provider))
    return outcome(provider)


def changes(provider: Provider) -> str:
    return str(provider.write("members-changes.csv", CHANGES))


def later(provider: Provider) -> str:
    return str(provider.write("members-later.csv", LATER))


@pytest.mark.parametrize("step", UNRECORDED, ids=str)
def test_before_the_record_nothing_is_there(made: Provider, copy: Copy, expected: dict[str, Any], step: Step) -> None:
    provider = copy(made)
    before = outcome(provider)
    provider.dies(step, "process", "acme", changes(provider))
    assert outcome(provider) == before
    provider.done("process", "acme", changes(provider))
    provider.done("process", "acme", later(provider))
    assert outcome(provider) == expected


@pytest.mark.parametrize("step", RECORDED, ids=str)
def test_from_the_record_on_the_file_is_applied_once(
    made: Provider, copy: Copy, expected: dict[str, Any], step: Step
) -> None:
    provider = copy(made)
    provider.dies(step, "process", "acme", changes(provider))
    provider.done("process", "acme", later(provider))
    assert outcome(provider) == expected
    assert_sound(provider)


def test_a_worker_that_was_given_up_changes_nothing_any_more(
    made: Provider, copy: Copy, expected: dict[str, Any]
) -> None:
    provider = copy(made)
    stand_still = Step("alp_daemon.services.processing.process:assess", "after", by="SIGSTOP")
    stalled = provider.begin("process", "acme", changes(provider), steps=[stand_still])
    eventually(provider.deaths)
    provider.change("UPDATE uploads SET lease_until = '2020' WHERE lease_owner IS NOT NULL")
    provider.done("process", "acme", later(provider))
    os.kill(stalled.pid, signal.SIGCONT)
    assert stalled.finished().code == 75
    assert outcome(provider) == expected
    assert_sound(provider)
