"""No password is kept, and nothing else changes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from alp_daemon.files.informz import document, password
from alp_daemon.files.informz.password import blank_password

from .requests import EXAMPLES, request, write


def blanked(folder: Path, content: bytes) -> bytes:
    path = write(folder, content)
    blank_password(path)
    return path.read_bytes()


@pytest.mark.parametrize("chunk", [1, 7, 2**20])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_only_the_password_goes(encoding: str, chunk: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "CHUNK", chunk)
    monkeypatch.setattr(password, "_BLANKS_AT_ONCE", 2 * chunk)
    before, after = "<!-- <Password>é</Password> -->\r\n", request("a@example.com,<Password>x</Password> €\n")
    content = after.replace("<Brand", f"{before}<Brand")
    expected = content.replace("apasswordgoeshere", " " * 17)
    assert blanked(tmp_path, content.encode(encoding)) == expected.encode(encoding)


@pytest.mark.parametrize(
    ("node", "kept"),
    [
        ("<Password>s3cret</Password>", "<Password></Password>"),
        ("<Password >s3cret</Password >", "<Password ></Password >"),
        ("<Password a='>'>s3cret</Password>", "<Password a='>'></Password>"),
        ("<Password><![CDATA[s3cret]]></Password>", "<Password></Password>"),
        ("<Password><!-- s3cret --> s3cret <?s3cret?></Password>", "<Password></Password>"),
        ("<Password><?s3cret?></Password>", "<Password></Password>"),
        ("<Password><Password>s3cret</Password>s3cret</Password>", "<Password></Password>"),
        ("<Password><b/>s3cret</Password>", "<Password></Password>"),
        ("<Password><b>s3cret</b></Password>", "<Password></Password>"),
        ("<Password>&#115;3cret s3cret</Password>", "<Password></Password>"),
        ("<password>s3cret</password>", "<password></password>"),
        ("<p:Password xmlns:p='urn:x'>s3cret</p:Password>", "<p:Password xmlns:p='urn:x'></p:Password>"),
        ("<Password>s3cret</Password><Password>s3cret</Password>", "<Password></Password><Password></Password>"),
    ],
)
def test_every_way_to_write_one(node: str, kept: str, tmp_path: Path) -> None:
    with_password = request().replace("<Password>apasswordgoeshere</Password>", node)
    without = request().replace("<Password>apasswordgoeshere</Password>", kept)
    found = blanked(tmp_path, with_password.encode()).decode()
    assert len(found) == len(with_password)
    assert re.sub("(?<=>) +(?=</)", "", found) == without


@pytest.mark.parametrize("node", ["", "<Password/>", "<Password></Password>"])
def test_without_a_password_nothing_changes(node: str, tmp_path: Path) -> None:
    content = request().replace("<Password>apasswordgoeshere</Password>", node).encode()
    assert blanked(tmp_path, content) == content


@pytest.mark.parametrize("name", ["resubscribe", "demographic", "interests"])
def test_the_examples(name: str, tmp_path: Path) -> None:
    content = (EXAMPLES / f"{name}.xml").read_bytes()
    assert blanked(tmp_path, content) == content.replace(b"apasswordgoeshere", b" " * 17)


UNREADABLE = {
    "cut": request()[:-20],
    "cut in the password": request().partition("goeshere")[0],
    "more behind its end": request() + "x",
    "a document type": "<!DOCTYPE a>" + request(),
    "no XML": "<<" + request().replace("<Password>", "<x:PASSWORD  a='1'>").replace("</Password>", "</x:PASSWORD >"),
    "an envelope": "<Envelope><Body>&lt;Password>apasswordgoeshere&lt;/Password></Body></Envelope>",
    "an entity-encoded one": "<Envelope>&lt;Password&gt;apasswordgoeshere&lt;/Password&gt;</Envelope>",
}


@pytest.mark.parametrize("content", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_cannot_be_read_keeps_no_password_either(content: str, tmp_path: Path) -> None:
    found = blanked(tmp_path, content.encode()).decode()
    assert "password" in content
    assert re.sub("apassword(goeshere)?", lambda password: " " * len(password[0]), content) == found
