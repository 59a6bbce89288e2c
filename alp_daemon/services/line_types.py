"""Line types that the operator loads: which numbers are landlines, as far as anybody knows."""

from __future__ import annotations

import csv
from functools import partial
from pathlib import Path
from typing import Literal

from alp_daemon import log
from alp_daemon.customers import Customer
from alp_daemon.domain.line_type import LineType, LineTypes, parse_row
from alp_daemon.errors import UnusableFile
from alp_daemon.files import operatorcsv
from alp_daemon.files.phonecells import TakesTexts
from alp_daemon.settings import Settings
from alp_daemon.store.store import Row, Store, Transaction

MAX_ERRORS_SHOWN = 10


def load(store: Store, path: Path) -> int:
    """Replaces all line types by the rows of a CSV (number or prefix, type); returns how many.

    All or nothing: raises ``UnusableFile`` with the first faults, by row.
    """
    with operatorcsv.opened(path) as file:
        parsed = [(number, parse_row(*row[:2])) for number, row in enumerate(csv.reader(file), 1) if len(row) > 1]
    if parsed and isinstance(parsed[0][1], str):
        del parsed[0]  # a header
    faults = [f"row {number}: {row}" for number, row in parsed if isinstance(row, str)]
    if faults:
        raise UnusableFile("bad_rows", f"{path.name}: nothing was loaded\n" + "\n".join(faults[:MAX_ERRORS_SHOWN]))
    rows = [row for _, row in parsed if not isinstance(row, str)]
    with store.write() as transaction:
        transaction.run("line_types.clear")
        transaction.many(
            "line_types.add",
            ({"digits": row.digits, "whole": int(row.whole), "type": int(row.line_type)} for row in rows),
        )
    log.info("line_types_loaded", rows=len(rows))
    return len(rows)


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
