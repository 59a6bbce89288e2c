"""A file as it came: read by its rules, and whether its own end, or what its channel saw, says that it is whole."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from alp_daemon.customers import Customer
from alp_daemon.domain.model import Evidence, Listed, Reading
from alp_daemon.files.phonecells import TakesTexts
from alp_daemon.files.reader import read, read_preformatted
from alp_daemon.services.processing.rules import Bulk, Rules


@dataclass(frozen=True, slots=True)
class Source:
    """A file to be assessed: where it lies, its name for messages, and what its channel knows of its end."""

    path: Path
    name: str
    evidence: Evidence
    note: str = ""
    sample_newline: bool = False


def read_source(source: Source, customer: Customer, rules: Rules, takes_texts: TakesTexts | None) -> Reading:
    """The file's addresses. Raises ``UnusableFile`` where the whole file is to be refused.

    ``takes_texts`` is what the operator's line types say (see ``line_types.in_force``).
    """
    if rules.bulk is not None:
        return _read_subscribers(source, rules.bulk)
    if rules.feed is None:
        return read_preformatted(
            source.path, customer.preformatted, region=customer.region, name=source.name, takes_texts=takes_texts
        )
    return read(source.path, rules.feed, region=customer.region, name=source.name, takes_texts=takes_texts)


def ending_of(reading: Reading, source: Source, rules: Rules) -> tuple[Evidence, str]:
    """What the file's own end says beats what the channel saw: a trailer proves, a torn last row disproves."""
    if reading.ends_whole is True:
        return Evidence.proven, _proof(rules)
    if reading.ends_whole is False:
        return Evidence.cut, reading.cut_reason
    if source.sample_newline and not reading.ends_with_newline:
        return Evidence.cut, "its last line has no line end, and the approved sample's had one"
    return source.evidence, source.note


def _read_subscribers(source: Source, bulk: Bulk) -> Reading:
    from alp_daemon.files.informz.subscribers import read_subscribers  # only XML needs it

    said = read_subscribers(source.path, bulk.request, name=source.name, known_interests=bulk.interests)
    return Reading(
        Listed.empty(), np.empty(0, np.int64), said.buckets, said.rejects, (), True, ends_with_newline=True, said=said
    )


def _proof(rules: Rules) -> str:
    if rules.bulk is not None:
        return "its XML ends as it must"
    has_trailer = rules.feed is not None and rules.feed.file.trailer is not None
    return "its trailer agrees with its rows" if has_trailer else "the checksums inside it agree"
