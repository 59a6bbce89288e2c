"""Whichever way a request comes in, no password is kept."""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from alp_daemon.domain.model import Evidence
from alp_daemon.files import drop
from tests.files.informz.requests import request
from tests.informz.brand import Brand
from tests.services.provider import SENDER

SECRET = "apasswordgoeshere"
NAMES = ["request.xml", "request.xml.part", "members.csv"]


def kept(brand: Brand) -> list[bytes]:
    return [path.read_bytes() for path in (brand.settings.spool_dir / "acme").iterdir()]


@pytest.mark.parametrize("name", NAMES)
def test_as_a_client_sends_it(brand: Brand, name: str) -> None:
    brand.receive(name, request("a@example.com\n"))
    (content,) = kept(brand)
    assert content.decode() == request("a@example.com\n").replace(SECRET, " " * len(SECRET))


def test_as_an_operator_names_it(brand: Brand) -> None:
    report = brand.say("a@example.com\n")
    assert report["state"] == "applied"
    assert all(SECRET.encode() not in content for content in kept(brand))


def test_as_it_is_put_into_the_folder(brand: Brand) -> None:
    folder = brand.intake.prepare("acme")
    (folder / "request.xml").write_text(request("a@example.com\n"))
    found = drop.look(folder)
    assert brand.intake.pick_up("acme", found, brand.tick()) == []
    (content,) = kept(brand)
    assert SECRET.encode() not in content
    assert [report["state"] for report in brand.drain()] == ["applied"]


@pytest.mark.parametrize("end", [200, 400])
def test_what_is_cut_keeps_none_either(brand: Brand, end: int) -> None:
    brand.receive("request.xml", request("a@example.com\n")[:end])
    assert all(SECRET.encode() not in content for content in kept(brand))


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("content", [request("a@example.com\n")[:200], f"<Envelope>{escape(request(''))}</Envelope>"])
def test_what_is_written_in_two_bytes_keeps_none_either(brand: Brand, content: str, codec: str) -> None:
    incoming = brand.intake.begin("acme")
    incoming.file.write(("\ufeff" + content).encode(codec))
    brand.intake.receive(incoming, "acme", "request.xml", "", SENDER, brand.tick(), evidence=Evidence.assumed)
    (found,) = kept(brand)
    assert SECRET in content
    assert found.decode(codec) == "\ufeff" + content.replace(SECRET, " " * len(SECRET))


def test_a_list_of_numbers_stays_as_it_is(brand: Brand) -> None:
    text = f"+12125550001,{SECRET}\n"
    brand.send("numbers.csv", text, evidence=Evidence.assumed)
    assert kept(brand) == [text.encode()]


def test_nobody_else_s_files_are_looked_into(brand: Brand, tmp_path: Path) -> None:
    brand.configure({})
    incoming = brand.intake.begin("acme")
    incoming.file.write(request("a@example.com\n").encode())
    brand.intake.receive(incoming, "acme", "request.xml", "", SENDER, brand.tick(), evidence=Evidence.assumed)
    assert kept(brand) == [request("a@example.com\n").encode()]
