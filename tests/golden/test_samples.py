"""Every case of ``samples/``, by the command line and by FTP: the list and the report are as the case promises."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from alp_daemon.demo.samples import SAMPLES, Sample, all_samples, normalised, sample
from alp_daemon.demo.stage import Stage
from alp_daemon.domain.policy import ACTIONS, MODES
from alp_daemon.services.logins.credentials import Issued
from alp_daemon.services.reports import reporttext
from tests.golden.by_command import process

CASES = [pytest.param(each, id=each.name) for each in all_samples()]
EXIT_CODES = {"was applied.": 0, "was rejected: nothing was changed.": 65}
HELD = 79


@pytest.mark.parametrize("case", CASES)
def test_by_command(case: Sample, tmp_path: Path) -> None:
    result = process(case, tmp_path / "site")
    assert result.after == case.after.read_text(encoding="utf-8")
    assert result.report == case.report.read_text(encoding="utf-8")
    headline = result.report.partition("\n")[0]
    ending = headline.partition(f"({case.upload.name}) ")[2]
    assert result.exit_code == EXIT_CODES.get(ending, HELD)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stage, dict[str, Issued]]]:
    """One daemon with the customers of all cases, and their log-ins."""
    with Stage(tmp_path_factory.mktemp("stage")) as stage:
        logins = {each.name: stage.add(each) for each in all_samples()}
        stage.start()
        yield stage, logins


@pytest.mark.parametrize("case", CASES)
def test_by_ftp(case: Sample, stage: tuple[Stage, dict[str, Issued]]) -> None:
    site, logins = stage
    site.send(logins[case.name], case.upload.name, case.upload.read_bytes())
    ended = site.ended(case.name)
    assert (ended["channel"], ended["sent_by"]) == ("ftp", case.name)
    assert normalised(reporttext.text(ended)) == case.report.read_text(encoding="utf-8")
    assert site.exported(case.name) == case.after.read_text(encoding="utf-8")


def test_every_folder_is_a_case_that_is_run() -> None:
    folders = {path.parent.name for path in SAMPLES.glob("*/customer.yaml")}
    assert folders == {each.name for each in all_samples()}


def test_the_table_in_the_readme_has_every_case_and_its_sentence() -> None:
    rows = re.findall(r"^\| \[(\w+)\]\((\w+)\) \| (.+) \|$", (SAMPLES / "README.md").read_text(encoding="utf-8"), re.M)
    assert rows == [(each.name, each.name, each.sentence) for each in all_samples()]


def test_every_mode_has_a_case_of_its_name() -> None:
    assert set(MODES) <= {each.name for each in all_samples()}


def test_the_modes_that_take_files_as_they_are_start_from_the_same_list_and_file() -> None:
    cases = [sample(mode) for mode in MODES if mode != "preformatted"]
    assert len({case.before.read_bytes() for case in cases}) == 1
    assert len({case.upload.read_bytes() for case in cases}) == 1


@pytest.mark.parametrize("case", CASES)
def test_whoever_said_stop_stays_opted_out(case: Sample) -> None:
    assert opted_out(case.before) <= opted_out(case.after)


@pytest.mark.parametrize("case", CASES)
def test_addresses_are_those_set_aside_for_fiction(case: Sample) -> None:
    # 555-0100 to 555-0199 in North America; ACMA's list of numbers for films and books in Australia; RFC 2606.
    fiction = re.compile(r"\+1\d{3}55501\d\d|\+61491570(006|1[0-9]{2})|[a-z]+@example\.com")
    assert all(fiction.fullmatch(address) for address in statuses(case.after))


def test_every_action_has_a_case() -> None:
    uploads = "".join(
        each.upload.read_text(encoding="utf-8") for each in all_samples() if each.name.startswith("bulk_")
    )
    assert all(f"<InterestAction>{action}</InterestAction>" in uploads for action in ACTIONS)


def opted_out(path: Path) -> set[str]:
    return {address for address, status in statuses(path).items() if status == "opted_out"}


def statuses(path: Path) -> dict[str, str]:
    with path.open(encoding="utf-8", newline="") as file:
        return {row.get("number") or row["email"]: row["status"] for row in csv.DictReader(file)}
