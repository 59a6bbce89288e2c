"""The status mail to those whom a request names."""

from __future__ import annotations

import json

from tests.files.informz.requests import field
from tests.informz.brand import Brand

TWO = "<Email>Ann@Example.com</Email><Email/><Email>bob@example.com</Email>"


def to_askers(brand: Brand) -> list[dict[str, str]]:
    return [mail for mail in brand.mails() if "ann@example.com" in json.loads(mail["recipients"])]


def test_each_address_listed_is_told_when_the_upload_is_complete(brand: Brand) -> None:
    report = brand.say("a@example.com\nnobody at all\n", interests=("News",), recipients=TWO)
    (mail,) = to_askers(brand)
    assert json.loads(mail["recipients"]) == ["ann@example.com", "bob@example.com"]
    assert f"Upload {report['upload']} (upload.xml) was applied." in mail["body"]
    assert "1  opted in" in mail["body"]


def test_the_mail_has_the_rejects_masked(brand: Brand) -> None:
    brand.say("a@example.com\nnobody@nowhere@else\n", recipients=TWO)
    (mail,) = to_askers(brand)
    assert "row 2, Email: '•••' (bad_email)" in mail["body"]
    assert "nowhere" not in mail["body"]


def test_nothing_else_in_it_names_anybody(brand: Brand) -> None:
    """A column that was taken for the interests."""
    fields = field("Interest", 2, "Interest")
    brand.say("a@example.com~Bob.Cole@example.com,+1 212 555 0123\n", fields, delimiter="~", recipients=TWO)
    (mail,) = to_askers(brand)
    assert 'the interest "•••" does not exist' in mail["body"]
    assert "Cole" not in mail["body"]
    assert "555" not in mail["body"]


def test_an_empty_address_means_nobody(brand: Brand) -> None:
    before = len(brand.mails())
    brand.say("a@example.com\n", recipients="<Email/>")
    told = brand.mails()[before:]
    assert [json.loads(mail["recipients"]) for mail in told] == [["reports@acme.example"]]


def test_they_hear_of_what_is_held_and_rejected_too(brand: Brand) -> None:
    brand.say("".join(f"p{n}@example.com\n" for n in range(300)), interests=("News",))
    brand.say("p1@example.com\n", interests=("News",), action="ReplaceAllSubscribers", recipients=TWO)
    (mail,) = to_askers(brand)
    assert "is held" in mail["body"]


def test_a_request_of_another_brand_tells_nobody_whom_it_names(brand: Brand) -> None:
    brand.say("a@example.com\n", recipients=TWO, brand='<Brand id="1234">x</Brand>')
    assert to_askers(brand) == []
