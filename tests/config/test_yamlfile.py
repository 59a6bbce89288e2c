"""YAML as texts with positions, and the words for what is not YAML."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

from alp_daemon import yamlfile
from alp_daemon.problem import ConfigurationFileError
from alp_daemon.yamlfile import Position, read


@pytest.fixture(params=["libyaml", "python"], autouse=True)
def loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every rule holds with and without libyaml, whose messages and marks differ."""
    if request.param == "libyaml":
        assert yaml.__with_libyaml__
    else:
        monkeypatch.setattr(yamlfile, "_LOADER", yaml.SafeLoader)


def refusal(path: Path) -> str:
    with pytest.raises(ConfigurationFileError) as caught:
        read(path)
    return str(caught.value)


def test_every_scalar_stays_the_text_it_is(write):
    document = read(write("a.yaml", "a: [NO, 01234, 12:30, 1e3, 0x1F, 2026-11-21, yes, '', NULL-ish]\nno: =\n"))
    assert document.values == {
        "a": ["NO", "01234", "12:30", "1e3", "0x1F", "2026-11-21", "yes", "", "NULL-ish"],
        "no": "=",
    }


def test_empty_values_are_none_and_quoted_ones_are_not(write):
    document = read(write("a.yaml", "a:\nb: ~\nc: null\nd: 'null'\ne: ''\n"))
    assert document.values == {"a": None, "b": None, "c": None, "d": "null", "e": ""}


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing but a comment\n", "---\n", "null\n"])
def test_an_empty_file_is_an_empty_mapping(write, text):
    assert read(write("a.yaml", text)).values == {}


def test_positions_count_characters_from_one(write):
    document = read(write("a.yaml", "名前: Ä\ntags:\n  - {Grün: x}\n"))
    assert document.keys_at[("tags", 0, "Grün")] == Position(3, 6)
    assert document.values_at[("tags", 0, "Grün")] == Position(3, 12)
    assert document.values_at[("名前",)] == Position(1, 5)


def test_a_byte_order_mark_is_no_part_of_the_first_key(write):
    assert read(write("a.yaml", "\ufeffname: A\n")).values == {"name": "A"}


def test_aliases_and_merged_mappings(write):
    text = """\
        first: &base {mode: append, match: a}
        second: {<<: *base, match: b}
        third: {match: c, <<: [*base, {header: no, mode: x}]}
        fourth: *base
        """
    values = read(write("a.yaml", text)).values
    assert values["second"] == {"mode": "append", "match": "b"}
    assert values["third"] == {"mode": "append", "match": "c", "header": "no"}
    assert values["fourth"] == values["first"]


BROKEN = [
    ("match: *.csv\n", "a.yaml:1:8: \"*\" begins a YAML alias; write a pattern in quotes: '*.csv'"),
    ("match: *members\n", "a.yaml:1:8: \"*\" begins a YAML alias; write a pattern in quotes: '*members'"),
    ("delimiter: ,\n", 'a.yaml:1:12: a value cannot begin with "," unless it is in quotes'),
    ("a: @x\n", 'a.yaml:1:4: a value cannot begin with "@" unless it is in quotes'),
    ("a: 'x\nb: y\n", "a.yaml:1:4: this quote is never closed"),
    ("a:\n\tb: 1\n", "a.yaml:2:1: a tab cannot indent YAML; use spaces"),
    (
        "a: 1\n b: 2\n",
        'a.yaml:2:3: a ":" cannot stand here; indent the keys of one mapping alike, '
        'or write a text with ": " in quotes',
    ),
    ("a: 1\nb\nc: 2\n", 'a.yaml:2:1: expected "key: value"'),
    ("a: 1\n---\nb: 2\n", 'a.yaml:2:1: a file holds one document; delete this "---" and what follows'),
    ("a: 1\nb: 2\na: 3\n", 'a.yaml:3:1: duplicate key "a"; it is first on line 1'),
    ("a: !!python/object:os.system x\n", 'the YAML tag "!!python/object:os.system" is not allowed'),
    ("a: !secret x\n", 'a.yaml:1:4: the YAML tag "!secret" is not allowed; write the plain value'),
    ("a: !!binary aGk=\n", 'a.yaml:1:4: the YAML tag "!!binary" is not allowed; write the plain value'),
    ("!!set {a, b}\n", 'a.yaml:1:1: the YAML tag "!!set" is not allowed; write the plain value'),
    ("? [a]\n: b\n", "a.yaml:1:3: a key must be a plain text"),
    ("- a\n- b\n", 'a.yaml:1:1: expected keys and values, such as "name: Acme Utilities"'),
    ("just words\n", 'a.yaml:1:1: expected keys and values, such as "name: Acme Utilities"'),
    ("<<: text\n", 'a.yaml:1:5: "<<" merges a mapping, such as "<<: *defaults"'),
    ("a: &x [*x]\n", "nested more than 20 levels deep"),
    ("&x\n<<: *x\n", "nested more than 20 levels deep"),
    ("a: 1\nb: \x07\n", "a.yaml:2:4: the control character U+0007 is not allowed in YAML; delete it"),
]


@pytest.mark.parametrize(("text", "message"), BROKEN)
def test_what_is_not_usable_says_where_and_what_to_do(write, text, message):
    assert message in refusal(write("a.yaml", text))


def test_the_line_and_a_caret_follow_the_message(write):
    assert refusal(write("a.yaml", "name: A\nfeeds: {match: *.csv}\n")) == (
        "a.yaml:2:16: \"*\" begins a YAML alias; write a pattern in quotes: '*.csv'\n"
        "    feeds: {match: *.csv}\n"
        "                   ^"
    )


def test_a_long_line_is_shown_around_the_caret(write):
    message, shown, caret = refusal(write("a.yaml", f"a: [{'x, ' * 500}@]\n")).splitlines()
    assert message == 'a.yaml:1:1505: a value cannot begin with "@" unless it is in quotes'
    assert len(shown) <= 124
    assert shown[caret.index("^")] == "@"


def test_all_duplicates_are_told_at_once(write):
    text = refusal(write("a.yaml", "a: 1\na: 2\nb: {c: 1, c: 2}\nd: !x 1\n"))
    assert [line.split(": ")[0] for line in text.splitlines() if line.startswith("a.yaml")] == [
        "a.yaml:2:1",
        "a.yaml:3:11",
        "a.yaml:4:4",
    ]


def test_a_bomb_of_aliases_is_refused(write):
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    assert "more than 100,000 values, with aliases expanded" in refusal(write("a.yaml", "\n".join(lines)))


@pytest.mark.parametrize("bracket", ["[", "{", "- "])
def test_deep_nesting_is_refused_before_it_is_composed(write, bracket):
    assert "nested more than 20 levels deep" in refusal(write("a.yaml", bracket * 300_000))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"name: Caf\xe9\n", "a.yaml:1:10: the file is not UTF-8 here; save it as UTF-8"),
        (b"a: 1\n\xff: 2\n", "a.yaml:2:1: the file is not UTF-8 here; save it as UTF-8"),
        ("name: A\n".encode("utf-16"), "a.yaml:1:1: the file is UTF-16; save it as UTF-8"),
        (b"#" * (1 << 20) + b"#", "a.yaml:1:1: the file is larger than 1,048,576 bytes"),
    ],
)
def test_bytes_that_are_no_text(write, data, message):
    path = write("a.yaml", "")
    path.write_bytes(data)
    assert refusal(path).startswith(message)


def test_what_is_not_a_file(write):
    folder = write("folder/x", "").parent
    os.mkfifo("pipe")
    expected = "this is not a regular file; put the settings into a text file of this name"
    assert refusal(folder) == f"folder:1:1: {expected}"
    assert refusal(Path("pipe")) == f"pipe:1:1: {expected}"
    assert refusal(Path("nowhere.yaml")) == "nowhere.yaml:1:1: cannot be read: No such file or directory"
