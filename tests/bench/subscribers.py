"""A brand's subscribers: a BulkUpload with a record for each, and the same request again, beside a floor of its own."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.bench import ours
from tests.bench.measure import Figures, Run, figures, run
from tests.bench.site import SETTINGS, Site

ADD, AGAIN = "M", "M'"
WHAT = {
    ADD: "BulkUpload AddOrUpdateSubscribers, first load",
    AGAIN: "BulkUpload, the identical request again",
    "mail floor": "bare expat pass over the XML",
}
FLOOR = "mail floor"

_NAMES = ("Ada", "Ben", "Cleo", "Dora", "Emil", "Faye", "Gus", "Hana")
_STATES = ("CA", "FL", "NJ", "NY", "TX", "WA")
_INTERESTS = ("Events", "News", "Offers")

_HEAD = """<?xml version="1.0" encoding="utf-8"?>
<ActionRequest xmlns="http://partner.informz.net/aapi/2009/08/"><Password/><Brand id="9999"/><User/><Actions>
<BulkUpload><UploadDetails><InterestDetails><InterestAction>AddOrUpdateSubscribers</InterestAction></InterestDetails>
<StatusEmailRecipients><Email/></StatusEmailRecipients><ColumnDelimiter>~</ColumnDelimiter></UploadDetails>
<FieldDefinitions>
<FieldDefinition><Name>Email</Name><ColumnIndex>1</ColumnIndex><FieldType>Email</FieldType></FieldDefinition>
<FieldDefinition><Name>FirstName</Name><ColumnIndex>2</ColumnIndex></FieldDefinition>
<FieldDefinition><Name>Home</Name><ColumnIndex>3</ColumnIndex><FieldType>Demographic</FieldType>
<DemographicType>State</DemographicType></FieldDefinition>
<FieldDefinition><Name>Interest</Name><ColumnIndex>4</ColumnIndex><FieldType>Interest</FieldType></FieldDefinition>
</FieldDefinitions><Data><![CDATA["""
_TAIL = "]]></Data></BulkUpload></Actions></ActionRequest>\n"


def measure(folder: Path, rows: int, runs: int) -> dict[str, Figures]:
    """Medians of the first load, of the same again, and of the floor. The list is compared with what it must be."""
    request = folder / "request.xml"
    _write(request, rows)
    empty = _site(folder / "mail-empty")
    loaded = empty.copied_to(folder / "mail-loaded")
    loaded.call("process", "acme", str(request))
    expected = _expected(rows)
    ours.check(loaded.exported(), expected, "case M")
    found: dict[str, list[Run]] = {FLOOR: [], ADD: [], AGAIN: []}
    for _ in range(runs):
        floor = [sys.executable, str(Path(__file__).with_name("xmlfloor.py")), str(request)]
        found[FLOOR].append(run(floor, folder / "log"))
        for name, start in ((ADD, empty), (AGAIN, loaded)):
            site = start.copied_to(folder / "mail-run")
            found[name].append(run(site.command("process", "acme", str(request), "--json"), folder / "log"))
    ours.check(site.exported(), expected, "case M'")
    return {name: figures(each) for name, each in found.items()}


def _site(folder: Path) -> Site:
    (folder / "customers").mkdir(parents=True)
    rules = {"name": "Acme", "keyword": "ACME", "brand": {"id": "9999"}}
    (folder / "customers/acme.yaml").write_text(json.dumps(rules))  # JSON is YAML
    (folder / "alp.yaml").write_text(SETTINGS)
    site = Site(folder)
    for interest in _INTERESTS:
        site.call("interests", "add", "acme", interest)
    return site


def _write(path: Path, rows: int) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(_HEAD)
        file.writelines("~".join(_record(number)) + "\n" for number in range(rows))
        file.write(_TAIL)


def _record(number: int) -> tuple[str, str, str, str]:
    name = _NAMES[number % len(_NAMES)]
    # In no order, as lists are: 7,919 is a prime, so that no address comes twice.
    address = f"{name.lower()}.{number * 7919 % 100_000_007}@mail{number % 977}.example.com"
    return address, f"{name} {number % 1000}", _STATES[number % len(_STATES)], _interests(number)


def _interests(number: int) -> str:
    return ",".join(interest for place, interest in enumerate(_INTERESTS) if number >> place & 1)


def _expected(rows: int) -> str:
    lines = []
    for number in range(rows):
        address, name, state, interests = _record(number)
        lines.append(f"{address},opted_in,{interests.replace(',', ';')},{name},{state}\n")
    return "email,status,interests,FirstName,Home\n" + "".join(sorted(lines))
