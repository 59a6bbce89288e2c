"""Line types that the operator loads: which numbers are landlines, as far as anybody knows."""

from __future__ import annotations

import csv
import re
from functools import partial
from pathlib import Path
from typing import Literal

from alp_daemon import log
from alp_daemon.customers import Customer
from alp_daemon.domain.line_type import LineType, LineTypeRow, LineTypes, parse_row
from alp_daemon.errors import UnusableFile
from alp_daemon.files import operatorcsv
from alp_daemon.files.phonecells import TakesTexts
from alp_daemon.settings import Settings
from alp_daemon.store.store import Row, Store, Transaction

MAX_ERRORS_SHOWN = 10
_ONE_CELL = "expected a number or prefix, a comma, and its line type"
_HAS_DIGIT = re.compile("[0-9]")


def load(store: Store, path: Path, *, may_be_empty: bool = False) -> int:
    """Replaces all line types by the rows of a CSV (number or prefix, type); returns how many.

    All or nothing: raises ``UnusableFile`` with the first faults, by line, or where there is no row and nobody has
    said that it ``may_be_empty``.
    """
    rows, faults = _read(path)
    if faults:
        raise UnusableFile("bad_rows", "nothing was loaded\n" + "\n".join(faults[:MAX_ERRORS_SHOWN]))
    if not rows and not may_be_empty:
        raise UnusableFile("no_rows", f"{path.name}: nothing was loaded: it has no row; --empty if that is meant")
    with store.write() as transaction:
        transaction.run("line_types.clear")
        transaction.many(
            "line_types.add",
            ({"digits": row.digits, "whole": int(row.whole), "type": int(row.line_type)} for row in rows),
        )
    log.info("line_types_loaded", rows=len(rows))
    return len(rows)


def _read(path: Path) -> tuple[list[LineTypeRow], list[str]]:
    """The rows, and what is wrong with the others."""
    rows: list[LineTypeRow] = []
    faults: list[str] = []
    with operatorcsv.opened(path) as file:
        reader = csv.reader(file)
        for number, cells in enumerate(filter(None, reader)):
            row = parse_row(*cells[:2]) if len(cells) > 1 else _ONE_CELL
            if isinstance(row, LineTypeRow):
                rows.append(row)
            elif number or _HAS_DIGIT.search(",".join(cells)):  # else a header
                faults.append(f"{path.name}:{reader.line_num}: {row}")
    return rows, faults


def takes_texts(transaction: Transaction, settings: Settings, customer: Customer, key: int) -> bool:
    """The same as ``in_force`` for one number, without reading the whole table."""
    row = transaction.one("line_types.of_key", key=key)
    if row is None or not row["loaded"]:
        return True
    if row["type"] is None or row["type"] == LineType.unknown:
        return _unknown(settings, customer) == "accept"
    return bool(row["type"] == LineType.mobile)


def in_force(store: Store, settings: Settings, customer: Customer) -> TakesTexts | None:
    """Which numbers of this customer take texts, by what was loaded; None where nothing was."""
    with store.read() as transaction:
        return in_force_in(transaction, settings, customer)


def in_force_in(transaction: Transaction, settings: Settings, customer: Customer) -> TakesTexts | None:
    """The same as this transaction sees it."""
    rows = transaction.all("line_types.all")
    if not rows:
        return None
    return partial(_loaded(rows).textable, unknown=_unknown(settings, customer))


def _unknown(settings: Settings, customer: Customer) -> Literal["accept", "reject"]:
    return customer.line_types.unknown or settings.line_types.unknown


def _loaded(rows: list[Row]) -> LineTypes:
    return LineTypes.of(
        [row["digits"] for row in rows], [bool(row["whole"]) for row in rows], [row["type"] for row in rows]
    )
