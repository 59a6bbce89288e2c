"""The first version of a customer's YAML, written from what a sample file looks like and meant to be edited."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from alp_daemon.customers.names import pattern_fault
from alp_daemon.domain.keyword import keyword_conflict

DRAFT_FEED = "main"


@dataclass(frozen=True, slots=True)
class Draft:
    """What was found out about a sample: its name, its format, and what its columns seem to hold.

    ``phones`` and ``tags`` are column references as the YAML has them: headers, or letters where there is no header.
    ``rows`` are those that were looked at; ``is_whole`` says whether there are no more.
    """

    sample_name: str
    rows: int
    columns: Sequence[str]
    phones: Sequence[str]
    tags: Sequence[str] = ()
    delimiter: str = "auto"
    encoding: str = "auto"
    header: bool = True
    is_whole: bool = True


def draft_yaml(
    id_: str, draft: Draft, *, name: str | None = None, keyword: str | None = None, region: str = "US"
) -> str:
    """A commented YAML file for the customer, which loads as it is. Nothing is guessed that would remove a number.

    ``name`` and ``keyword`` are made from the id where they are not given. The one feed is called ``DRAFT_FEED``.
    """
    phones = [column for column in draft.phones if column]
    tags = [column for column in draft.tags if column]
    return _TEMPLATE.format(
        id=id_,
        name=_quoted(name or re.sub(r"[-_]+", " ", id_).strip().title()),
        keyword=_quoted(keyword or _keyword(id_)),
        region=_quoted(region),
        feed=DRAFT_FEED,
        sample=_quoted(draft.sample_name),
        rows=f"{draft.rows:,} rows" if draft.is_whole else f"its first {draft.rows:,} rows",
        columns=", ".join(map(_quoted, draft.columns)),
        match=_quoted(_pattern(draft.sample_name)),
        delimiter=_quoted(draft.delimiter),
        encoding=draft.encoding,
        header="yes" if draft.header else "no",
        phones=", ".join(map(_quoted, phones)) or '"1"',
        phones_comment="" if phones else "  # no column looked like phone numbers: name the right one",
        tags=_tag_lines(tags),
    )


_TEMPLATE = """\
# Drafted from {sample} ({rows}). Look through it, then try it, which changes nothing:
#   alp-daemon preview {id} FILE
name: {name}
keyword: {keyword}  # what people text to opt in
region: {region}  # country of numbers written without one

# The modes of the customer's plan. More: append_tags, soft_opt_out, soft_opt_out_tags, hard_opt_out.
modes: [preformatted, append]

# Who gets each report by mail.
report_to: []

feeds:
  {feed}:
    match: {match}  # upper or lower case does not matter
    # append only adds numbers and tags. The soft modes suspend numbers that a file omits, hard_opt_out opts them out.
    mode: append
    file:
      delimiter: {delimiter}
      encoding: {encoding}
      header: {header}
    # Columns of the sample: {columns}
    phones: [{phones}]{phones_comment}
{tags}
    # Keep only some rows:
    # only: {{"Status": ["Active"]}}
"""


def _tag_lines(tags: Sequence[str]) -> str:
    if not tags:
        return '    tags: []  # such as: - column: "Group"'
    return "\n".join(["    tags:", *(f"      - column: {_quoted(column)}" for column in tags)])


def _keyword(id_: str) -> str:
    keyword = re.sub(r"[^a-z0-9]", "", id_).upper()
    return keyword if keyword_conflict(keyword) is None else f"{keyword}ALERTS"


def _pattern(sample_name: str) -> str:
    """The sample's name with a ``*`` for its dates and counters, which will differ in the next file."""
    name = PurePath(sample_name).name.replace("[", "?")
    pattern = re.sub(r"\d+(?:[-_.]?\d+)*", "*", name)
    return "*" if pattern_fault(pattern) else pattern


def _quoted(text: str) -> str:
    """A YAML text in double quotes. Quoting always is easier to edit than knowing when one must."""
    escaped = (f"\\{c}" if c in '"\\' else c if c.isprintable() else f"\\U{ord(c):08X}" for c in text)
    return f'"{"".join(escaped)}"'
