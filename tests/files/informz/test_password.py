"""No password is kept, and nothing else changes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from alp_daemon.files.informz import document, nodes, password
from alp_daemon.files.informz.password import blank_password

from .requests import EXAMPLES, request, write


def blanked(folder: Path, content: bytes) -> bytes:
    path = write(folder, content)
    blank_password(path)
    return path.read_bytes()


@pytest.mark.parametrize("chunk", [1, 7, 2**20])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_only_the_password_goes(encoding: str, chunk: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "PIECE", chunk)
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


def test_an_encoding_that_nobody_knows(tmp_path: Path) -> None:
    content = request().replace("<ActionRequest", '<?xml version="1.0" encoding="x-none"?>\n<ActionRequest', 1)
    assert b"apassword" not in blanked(tmp_path, content.encode())


@pytest.mark.parametrize("end", ["utf-16-le", "utf-16-be"])
def test_of_a_cut_document_what_the_parser_has_found_goes_too(end: str, tmp_path: Path) -> None:
    content = ("\ufeff" + request("a@example.com\n")[:-20]).encode(end)
    assert blanked(tmp_path, content) == content.replace("apasswordgoeshere".encode(end), (" " * 17).encode(end))


@pytest.mark.parametrize("codec", ["utf-8", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("tag", ["<Password>", "&lt;Password>", "&lt;p:Password a='1'&gt;"])
@pytest.mark.parametrize("piece", [1, 8, 64])
def test_a_tag_in_two_pieces(tag: str, piece: int, codec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(password, "_SEARCHED_AT_ONCE", piece)
    content = f"<Envelope>{tag}s3cret</Password><x>{tag}s3cret</Password>{tag}s3cret"
    assert blanked(tmp_path, content.encode(codec)).decode(codec) == content.replace("s3cret", "      ")


@pytest.mark.parametrize("mark", ["\ufeff", ""])
@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("content", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_nor_does_what_is_written_in_two_bytes(content: str, codec: str, mark: str, tmp_path: Path) -> None:
    content = mark + content
    expected = re.sub("apassword(goeshere)?", lambda password: " " * len(password[0]), content)
    assert blanked(tmp_path, content.encode(codec)).decode(codec) == expected


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_half_a_character_of_a_cut_password_goes_too(codec: str, tmp_path: Path) -> None:
    content = request().partition("goeshere")[0].encode(codec)
    kept = content.rpartition("apassword".encode(codec))[0]
    assert blanked(tmp_path, content[:-1]) == kept + (" " * 9).encode(codec)[:-1]


@pytest.mark.parametrize("mark", ["\ufeff", ""])
@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_a_whole_one_in_two_bytes_with_and_without_its_mark(codec: str, mark: str, tmp_path: Path) -> None:
    content = mark + request("a@example.com\n")
    expected = content.replace("apasswordgoeshere", " " * 17)
    assert blanked(tmp_path, content.encode(codec)) == expected.encode(codec)


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_halves_of_characters_are_no_tag(codec: str, tmp_path: Path) -> None:
    """Read from the wrong half on, they look like one in either order of bytes."""
    other = "utf-16-be" if codec == "utf-16-le" else "utf-16-le"
    swapped = "<Password>x</Password>".encode(other).decode(codec)
    between = (b"\x20" + "<Password>x</Password>".encode(codec) + b"\x20").decode(codec)
    content = f"<Envelope>{swapped}{between}<Password>s3cret</Password>{swapped}{between}"
    assert blanked(tmp_path, content.encode(codec)) == content.replace("s3cret", "      ").encode(codec)


HOSTILE = {
    "deep": "<a>" * 100,
    "many": "<a/>" * (nodes.MAX_NODES + 1),
}


@pytest.mark.parametrize("more", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_is_no_request_is_not_read_to_its_end(more: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each open node the parser keeps something, and each that begins is told: both while clients wait."""
    monkeypatch.setattr(document, "PIECE", 512)
    read: list[int] = []
    whole = document.Document._parse

    def parse(self: document.Document, piece: bytes, *, is_last: bool = False) -> None:
        read.append(len(piece))
        whole(self, piece, is_last=is_last)

    monkeypatch.setattr(document.Document, "_parse", parse)
    content = "<ActionRequest><Password>s3cret</Password>" + more + "<b> </b>" * 2**15 + "<Password>s3cret</Password>"
    assert blanked(tmp_path, content.encode()).decode() == content.replace("s3cret", "      ")
    assert sum(read) <= len(more) + 1024


def test_as_many_nodes_as_a_request_may_have_are_read(tmp_path: Path) -> None:
    """Up to there its Data may hold what looks like a password and is none."""
    fields = "".join("<FieldDefinition/>" for _ in range(1000))
    content = request("<Password>x</Password>,a@example.com\n", fields)
    assert blanked(tmp_path, content.encode()).count(b"<Password>x</Password>") == 1
