"""Hostile content: naughty texts, damaged containers and bombs. Whatever comes, a file ends as a file does.

It is applied, held or rejected, never failed; every row is in one bucket; reports can be read; memory stays bounded.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
import re
import resource
import zipfile
from pathlib import Path

import xlsxwriter
import xlwt

from alp_daemon.customers import load_file
from alp_daemon.domain.model import Evidence, UploadState
from alp_daemon.errors import AlpError, ConfigurationError
from tests.faults.campaign import Tally
from tests.faults.naughty import NAUGHTY
from tests.services.provider import MODES, SENDER, Provider, feed, numbers
from tests.services.provider import csv as plain_csv

Chance = random.Random
MAX_MEGABYTES = 700
"""The whole process, tests and all. A bomb would unpack to gigabytes."""

_ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "windows-1252")
_ORDERLY = (UploadState.applied, UploadState.held, UploadState.rejected)
_BRAND = "9001"
_SAMPLES = Path(__file__).parents[2] / "samples"
_YAML = """\
name: Acme Water
keyword: ACME
modes: [append, soft_opt_out]
feeds:
  members:
    match: "members*.csv"
    mode: append
    file: {delimiter: ";", header: true, trailer: {starts_with: TRAILER, count_column: 2}}
    phones: [Phone]
    tags: [{column: Feeder, split: "|", prefix: "f "}]
    guard: {max_omitted: 20%, floor: 100}
"""


def run(folder: Path, rounds: int, seed: int) -> Tally:
    """All naughty texts and bombs once, and ``rounds`` damaged files and configurations."""
    folder.mkdir()
    tally, chance, before = Tally(), Chance(seed), _peak_megabytes()
    provider = Provider(folder)
    provider.configure({mode: feed(mode) for mode in MODES}, brand={"id": _BRAND})
    for name, content in [*_naughty_files(), *_bombs()]:
        _process(provider, tally, "append.csv", content, name)
        _process(provider, tally, "list.csv", content, f"{name}, preformatted", "preformatted")
    for text in NAUGHTY:
        _say(provider, tally, text)
        _process(provider, tally, _as_name(text), b"2125550101,x\n", f"name {text[:30]!r}", "preformatted")
    whole, requests = _whole_files(), _requests()
    for _ in range(rounds):
        damaged = _damaged(chance, chance.choice(whole))
        folder_name = "preformatted" if chance.random() < 0.2 else ""
        _process(provider, tally, chance.choice(["append.csv", "soft_opt_out.csv"]), damaged, "damage", folder_name)
        _process(provider, tally, "upload.xml", _damaged(chance, chance.choice(requests), at_most=1), "damaged XML")
        _configure(folder, tally, _damaged(chance, _YAML.encode()))
    _look_back(provider, tally)
    megabytes = _peak_megabytes() - before
    tally.counted["MB at most"] = megabytes
    tally.expect(megabytes < MAX_MEGABYTES, f"{megabytes} MB of memory were taken")
    provider.store.close()
    return tally


def _peak_megabytes() -> int:
    """Of this process so far; in a run of many tests others have taken theirs before."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _process(provider: Provider, tally: Tally, name: str, content: bytes, what: str, folder: str = "") -> None:
    source = provider.folder / "hostile"
    source.write_bytes(content)
    tally.rounds += 1
    try:
        provider.intake.take(source, "acme", name, folder, SENDER, provider.tick(), evidence=Evidence.assumed)
    except AlpError as error:
        tally.counted["refused at the door"] += 1
        tally.expect(str(error), f"{what}: refused without a word")
        return
    report = provider.work()
    if report is None:
        tally.faults.append(f"{what}: was not worked")
        return
    tally.counted[f"{report['state']}"] += 1
    tally.expect(report["state"] in _ORDERLY, f"{what}: {report['state']}: {report['reason']}; {content[:60]!r}")
    rows = report["rows"]
    buckets = sum(rows[name] for name in ("listed", "duplicate", "rejected", "filtered", "blank"))
    tally.expect(buckets == rows["read"], f"{what}: {rows}")
    tally.expect(json.dumps(report).encode(), f"{what}: its report cannot be sent")


def _say(provider: Provider, tally: Tally, text: str) -> None:
    """The text as a message, and as a tag of a command."""
    tally.rounds += 1
    provider.text("2125550199", text)
    try:
        provider.command("opt_in", "2125550198", [text])
    except AlpError:
        tally.counted["tag refused"] += 1
    else:
        tally.counted["tag taken"] += 1


def _configure(folder: Path, tally: Tally, content: bytes) -> None:
    tally.rounds += 1
    path = folder / "broken.yaml"
    path.write_bytes(content)
    try:
        load_file(path)
    except ConfigurationError:
        tally.counted["configurations refused"] += 1
    else:
        tally.counted["configurations taken"] += 1


def _look_back(provider: Provider, tally: Tally) -> None:
    """What was taken in can be shown: the list, and the history of a number."""
    tally.expect(provider.list(), "nothing of all this is on the list")
    tally.expect(provider.history("+12125550198"), "a number with naughty tags has no history")


# Files


def _naughty_files() -> list[tuple[str, bytes]]:
    """The texts as numbers and as tags, with every delimiter, quoted and not, in several encodings."""
    found = []
    for delimiter in ",;\t|":
        text = io.StringIO()
        writer = csv.writer(text, delimiter=delimiter)
        writer.writerow(["Phone", "Tags"])
        writer.writerows((naughty, naughty) for naughty in NAUGHTY)
        writer.writerows((f"212555{1000 + index}", naughty) for index, naughty in enumerate(NAUGHTY))
        found += [
            (f"{delimiter!r} {encoding}", text.getvalue().encode(encoding, errors="replace"))
            for encoding in (_ENCODINGS if delimiter == "," else _ENCODINGS[:1])
        ]
    bare = "Phone,Tags\n" + "".join(f"2125550100,{naughty}\n{naughty},x\n" for naughty in NAUGHTY)
    return [*found, ("unquoted", bare.encode()), ("surrogates", bare.encode("utf-16-le") + b"\xed\xa0\x80\xff")]


def _whole_files() -> list[bytes]:
    """One of each kind that is read, to be damaged."""
    text = plain_csv(numbers(300)).encode()
    return [text, gzip.compress(text), zipped(text), _xlsx(), _xls(), b'"a","b"\n' * 50]


def _requests() -> list[bytes]:
    """BulkUpload requests in which all is well, to be damaged."""
    texts = [path.read_text() for path in sorted(_SAMPLES.glob("bulk_*/upload.xml"))]
    return [re.sub(r'Brand id="\d+"', f'Brand id="{_BRAND}"', text).encode() for text in texts]


def _bombs() -> list[tuple[str, bytes]]:
    megabyte = bytes(2**20)
    return [
        ("zeros", gzip.compress(megabyte * 16)),
        ("one line", gzip.compress(b"9" * 2**24)),
        ("one cell", gzip.compress(b'Phone\n"' + b"9\n" * 2**22)),
        ("all columns", gzip.compress(b"Phone" + b"," * 2**18 + b"\n" + b"," * 2**18)),
        ("wide", b"".join(b"212555%04d" % row + b"," * 30_000 + b"x\n" for row in range(100))),
        ("all blank", gzip.compress(b"Phone\n" + b"\n" * 2**17)),
        ("all new tags", b"Phone,Tags\n" + b"".join(b"212555%04d,t%d|u%d\n" % (n, n, n) for n in range(10_000))),
        ("a stray cell", _xlsx(stray=True)),
        ("a macro", _xlsx(parts={"xl/vbaProject.bin": megabyte})),
        ("entities", b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><a>&b;</a>'),
        ("nested", zipped(zipped(zipped(b"x")))),
    ]


def zipped(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("members.csv", content)
    return buffer.getvalue()


def _xlsx(*, stray: bool = False, parts: dict[str, bytes] | None = None) -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["Phone", "Tags"])
        for row, naughty in enumerate(NAUGHTY, 1):
            sheet.write_number(row, 0, 2125551000 + row)
            sheet.write_string(row, 1, naughty[:30_000])
        if stray:
            sheet.write_string(1_048_575, 16_383, "x")
    if parts:
        with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as archive:
            for name, content in parts.items():
                archive.writestr(name, content)
    return buffer.getvalue()


def _xls() -> bytes:
    book = xlwt.Workbook()
    sheet = book.add_sheet("Members")
    for row in range(100):
        sheet.write(row, 0, 2125551000 + row if row else "Phone")
        sheet.write(row, 1, "x" if row else "Tags")
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def _damaged(chance: Chance, content: bytes, at_most: int = 4) -> bytes:
    """Cut off, with bytes changed, removed, doubled or put in: one of these, or several."""
    damaged = bytearray(content)
    for _ in range(chance.randint(1, at_most)):
        at = chance.randrange(len(damaged) + 1)
        length = chance.choice((1, 1, 2, 4, 50, len(content) // 4))
        match chance.randrange(5):
            case 0:
                del damaged[at:]
            case 1:
                damaged[at : at + length] = chance.randbytes(min(length, len(damaged) - at))
            case 2:
                del damaged[at : at + length]
            case 3:
                damaged[at:at] = damaged[at : at + length] * 2
            case _:
                damaged[at:at] = chance.choice(NAUGHTY).encode()
    return bytes(damaged)


def _as_name(text: str) -> str:
    """What the ways in let through as a name: it is printable, and a name and not a path."""
    printable = "".join(sign for sign in text if sign.isprintable() and sign != "/")
    return (printable.encode()[:200].decode(errors="ignore") or "x") + ".csv"
