"""The sheet that a feed is approved by: the file's columns beside ours, what is refused, what it does to the list."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

from alp_daemon.customers import Customer, Feed
from alp_daemon.domain import phone
from alp_daemon.files import wholeness
from alp_daemon.files.blocks import NumberedRow, RowsBlock
from alp_daemon.files.fieldmap import FieldMap
from alp_daemon.files.judge import Judge
from alp_daemon.files.phonecells import PhoneCells, TakesTexts
from alp_daemon.files.table import Table, open_table
from alp_daemon.files.tally import Tally
from alp_daemon.services.decisions import consider
from alp_daemon.services.decisions.approval import Sample, check_sample, rules_to_approve, sample_of
from alp_daemon.services.decisions.effect import effect_of
from alp_daemon.services.processing import line_types
from alp_daemon.services.processing.assess import assess, findings_of
from alp_daemon.services.processing.rules import Rules
from alp_daemon.services.processing.source import Source, read_source
from alp_daemon.services.reports import report
from alp_daemon.settings import Settings
from alp_daemon.store.store import Store
from alp_daemon.store.uploads import Upload

ROWS_SHOWN = 50
_LONGEST_CELL = 80

Page = dict[str, Any]
"""``report``, ``columns`` (name and what it is to us), ``rows`` (theirs beside ours) and ``effect``: plain JSON."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet, and what an approval by it has to know."""

    rules: Rules
    sample: Sample
    page: Page


def make(store: Store, settings: Settings, customer: Customer, feed: str, source: Source) -> Sheet:
    """Reads the whole file. Raises ``UnusableFile``, and ``Refused`` where the file lists nobody."""
    rules = rules_to_approve(customer, feed)
    assert rules.feed is not None, "preformatted files need no approval"
    takes_texts = line_types.in_force(store, settings, customer)
    reading = read_source(source, customer, rules, takes_texts)
    check_sample(reading, source.name, rules)
    with store.read() as transaction:
        assessment = assess(transaction, reading, source, rules)
    findings = findings_of(assessment, rules, assessment.reasons)
    page = {
        "report": report.of_plan(customer.id, source.name, source.path.stat().st_size, findings),
        **_side_by_side(source, rules.feed, customer.region, takes_texts),
        "effect": asdict(effect_of(assessment)),
    }
    return Sheet(rules, sample_of(source.path, reading), page)


def of_upload(store: Store, settings: Settings, customer: Customer, feed: str, upload: Upload) -> Sheet:
    """The sheet of a file that came for the feed. Raises as ``make`` and ``consider.source_of``."""
    with consider.source_of(settings, upload) as source:
        return make(store, settings, customer, feed, source)


def _side_by_side(source: Source, feed: Feed, region: str, takes_texts: TakesTexts | None) -> Page:
    table = open_table(source.path, feed.file, source.name)
    field_map = FieldMap.find(feed, table.header)
    used = _used(field_map)
    rows = islice(_data_rows(table, feed), ROWS_SHOWN)
    return {
        "columns": [
            {"name": name, "use": used.get(index, ""), "index": index} for index, name in enumerate(table.header.names)
        ],
        "rows": [
            _row(row, table, field_map, PhoneCells(region, takes_texts=takes_texts), sorted(used)) for row in rows
        ],
    }


def _used(field_map: FieldMap) -> dict[int, str]:
    """What we take each column for. The others are never stored, so they are not shown either."""
    used = {each.index: "filter" for each in field_map.filters}
    used |= {each.index: "tags" for each in field_map.tags or ()}
    return used | dict.fromkeys(field_map.phones, "number")


def _data_rows(table: Table, feed: Feed) -> Iterator[NumberedRow]:
    return (row for row in table.rows() if not wholeness.is_trailer(row, feed.file.trailer))


def _row(row: NumberedRow, table: Table, field_map: FieldMap, cells: PhoneCells, used: list[int]) -> Page:
    """One row read by itself, by what reads whole files."""
    tally = Tally(field_map, cells)
    tally.add(Judge(field_map, cells).judge(RowsBlock([row], table.widths)))
    listed, _ = tally.finish()
    tags = sorted({tag for tags in listed.sets for tag in tags}) if len(listed.keys) else []
    return {
        "row": row.number,
        "theirs": [row.cells[index][:_LONGEST_CELL] if index < len(row.cells) else "" for index in used],
        "numbers": [phone.format_key(key) for key in listed.keys.tolist()],
        "tags": tags,
        "filtered": bool(tally.buckets.filtered),
        "refused": [reject.reason for reject in tally.rejects.kept],
    }
