"""Big files: the list is read and the file hashed beside the reading of the file."""

from __future__ import annotations

import hashlib

import pytest

from alp_daemon.files.beside import Beside
from alp_daemon.services.processing import process
from tests.services.provider import Provider, csv, number, numbers


@pytest.fixture(autouse=True)
def every_file_is_big(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "THREADS_PAY_FROM", 0)


def test_a_big_file_is_applied_as_any_other(acme: Provider) -> None:
    acme.process("soft_opt_out_tags.csv", numbers(3))
    report = acme.process("soft_opt_out_tags.csv", numbers(3, start=1))
    assert (report["changes"]["opted_in"], report["changes"]["suspended"]) == (1, 1)
    assert report["sha256"] == hashlib.sha256(csv(numbers(3, start=1)).encode()).hexdigest()
    assert acme.statuses() == {number(0): "suspended", **{number(i): "opted_in" for i in (1, 2, 3)}}


def test_a_big_file_that_is_refused_has_its_hash(acme: Provider) -> None:
    report = acme.process("append.csv", "Name\nAnn\n")
    assert report["state"] == "rejected"
    assert report["sha256"] == hashlib.sha256(b"Name\nAnn\n").hexdigest()


def test_what_goes_wrong_beside_is_raised_where_its_end_is_awaited() -> None:
    def fails() -> str:
        raise OSError("the disk is gone")

    work = Beside(fails)
    with pytest.raises(OSError, match="the disk is gone"):
        work()
