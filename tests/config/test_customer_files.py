"""What ``check-config`` says about customers' files, word for word."""

from __future__ import annotations

from pathlib import Path

import pytest

from alp_daemon.customers import load_dir, load_file
from alp_daemon.domain.keyword import Words
from alp_daemon.errors import ConfigurationError
from alp_daemon.problem import ConfigurationFileError

FEED = "feeds: {f: {match: 'x*', mode: append, phones: [Phone]}}"


def refusals(path: Path) -> list[str]:
    """The first line of each problem, without the file's name."""
    with pytest.raises(ConfigurationFileError) as caught:
        load_file(path)
    return [str(problem).splitlines()[0].removeprefix(f"{path}:") for problem in caught.value.problems]


def with_feed(**changes: str) -> str:
    settings = {"match": "'x*'", "mode": "append", "phones": "[Phone]"} | changes
    lines = [f"    {key}: {value}" for key, value in settings.items() if value is not None]
    return "\n".join(["name: A", "keyword: ACME", "feeds:", "  f:", *lines, ""])


def test_a_misspelt_key_with_its_line_and_a_caret(write):
    path = write(
        "customers/acme.yaml",
        """\
        name: Acme Utilities
        keyword: ACME
        feeds:
          members:
            match: "members*.csv"
            mode: append
            phones: [Phone]
            tags: [{colum: Feeder}]
        """,
    )
    with pytest.raises(ConfigurationError) as caught:
        load_file(path)
    assert str(caught.value) == (
        'customers/acme.yaml:8:13: feeds.members.tags[0].colum: unknown key; did you mean "column"?\n'
        "        tags: [{colum: Feeder}]\n"
        "                ^"
    )
    assert caught.value.exit_code == 78


def test_the_same_for_programs(write):
    loaded = load_dir(write("customers/acme.yaml", f"name: A\nkeywrod: ACME\n{FEED}\n").parent)
    assert [problem.as_dict() for problem in loaded.problems] == [
        {
            "path": "customers/acme.yaml",
            "line": 1,
            "column": 1,
            "message": 'missing key "keyword"',
            "severity": "error",
        },
        {
            "path": "customers/acme.yaml",
            "line": 2,
            "column": 1,
            "message": 'keywrod: unknown key; did you mean "keyword"?',
            "severity": "error",
        },
    ]


BROKEN = [
    (f"keyword: ACME\n{FEED}", ['1:1: missing key "name"']),
    (f"name:\nkeyword: ACME\n{FEED}", ['1:1: missing key "name"']),
    ("", ['1:1: missing key "name"', '1:1: missing key "keyword"']),
    ("name: A\nkeyword: two words", ["2:10: keyword: expected one word"]),
    ("name: ''\nkeyword: A", ["1:7: name: this text is empty"]),
    ("id: x\nname: A\nkeyword: A", ["1:1: id: the id is the file's own name; delete this key"]),
    ("name: A\nkeyword: A\nregion: usa", ["3:9: region: expected a country's two capital letters, such as US"]),
    ("name: A\nkeyword: A\nregion: UK", ["3:9: region: no country UK is known (ISO 3166; the United Kingdom is GB)"]),
    (
        "name: A\nkeyword: stop",
        [
            '2:10: keyword: the keyword "stop" is or holds an opt-out word, so nobody could opt in with it; '
            "choose another"
        ],
    ),
    (
        "name: A\nkeyword: A\nreport_to: [ops@example.org, ops, 'a@b, c@d']",
        [
            "3:30: report_to[1]: expected one e-mail address, such as ops@example.org",
            "3:35: report_to[2]: expected one e-mail address, such as ops@example.org",
        ],
    ),
    ("name: A\nkeyword: A\nreport_to: a@b.org", ["3:12: report_to: expected a list: [a@b.org]"]),
    ("name: A\nkeyword: A\nfeeds: [x]", ['3:8: feeds: expected "key: value" lines below this key']),
    ("name: A\nkeyword: A\nfeeds: {f: x}", ['3:12: feeds.f: expected "key: value" lines below this key']),
    ("name: [A]\nkeyword: A", ["1:7: name: expected a text"]),
    (
        "name: A\nkeyword: A\nfeeds:\n  my feed: {match: x, mode: append, phones: [A]}",
        ["4:3: feeds.my feed: expected a name of letters, digits, - and _"],
    ),
    (
        "name: A\nkeyword: A\nfeeds:\n  preformatted: {match: x, mode: append, phones: [A]}",
        [
            "4:17: feeds.preformatted: this name is kept for the feed that every customer has; choose another "
            "(its one setting is the top key preformatted: {minus: …})"
        ],
    ),
    (with_feed(match=None), ['4:3: feeds.f: missing key "match"']),
    (with_feed(mode="apend"), ['6:11: feeds.f.mode: no such choice; did you mean "append"?']),
    (
        with_feed(mode="replace_all"),
        [
            "6:11: feeds.f.mode: no such choice; expected one of: preformatted, append, append_tags, soft_opt_out, "
            "soft_opt_out_tags, hard_opt_out"
        ],
    ),
    (
        with_feed(mode="hard_overwrite"),
        [
            "6:11: feeds.f.mode: hard_opt_out is not in this customer's plan (modes: preformatted, append); "
            "add it to modes, or choose one of these"
        ],
    ),
    (with_feed(phones="Phone"), ["7:13: feeds.f.phones: expected a list: [Phone]"]),
    (with_feed(phones="[]"), ["7:13: feeds.f.phones: expected at least one entry"]),
    (with_feed(phones="[{a: b}]"), ["7:14: feeds.f.phones[0]: expected a text"]),
    (
        with_feed(only="{Status: [Active, NULL]}"),
        ["8:29: feeds.f.only.Status[1]: this value is empty; if you mean the text, write it in quotes"],
    ),
    (with_feed(match='""'), ['5:12: feeds.f.match: the pattern is empty; "*" matches every name']),
    (with_feed(match="'in/*'"), ["5:12: feeds.f.match: expected a pattern for file names, without a folder"]),
    (with_feed(match="'x[0-9*'"), ['5:12: feeds.f.match: this pattern has a "[" that is never closed']),
    (
        with_feed(match="'*.tmp'"),
        ["5:12: feeds.f.match: files of such a name wait to be renamed, so this pattern matches none"],
    ),
    (with_feed(file="{header: maybe}"), ["8:20: feeds.f.file.header: expected yes or no"]),
    (with_feed(file="{skip_rows: two}"), ['8:23: feeds.f.file.skip_rows: expected a whole number, not "two"']),
    (with_feed(file="{skip_rows: -1}"), ["8:23: feeds.f.file.skip_rows: expected at least 0"]),
    (
        with_feed(file="\n      delimiter: |\n      header: yes"),
        ['9:18: feeds.f.file.delimiter: expected one sign in quotes, such as ";" or "|", or tab, or auto'],
    ),
    (
        with_feed(file="{encoding: utf-99}"),
        ["8:22: feeds.f.file.encoding: expected auto, or an encoding such as utf-8 or windows-1252"],
    ),
    (
        with_feed(file="{encoding: base64}"),
        ["8:22: feeds.f.file.encoding: expected auto, or an encoding such as utf-8 or windows-1252"],
    ),
    (
        with_feed(file="{delimiter: ';', quote: ';'}"),
        ["8:35: feeds.f.file.quote: the quote cannot be the delimiter too"],
    ),
    (
        with_feed(file="{format: fixed}"),
        ["8:20: feeds.f.file.format: format fixed needs columns: [{name, start, width}, …]"],
    ),
    (
        with_feed(file="{columns: [{name: Phone, start: 1, width: 10}]}"),
        ["8:21: feeds.f.file.columns: columns are only for format fixed; other files name theirs in a header"],
    ),
    (
        with_feed(file="{format: fixed, columns: [{name: Fone, start: 0, width: 10}]}"),
        ["8:57: feeds.f.file.columns[0].start: expected at least 1"],
    ),
    (
        with_feed(file="{format: fixed, columns: [{name: Fone, start: 1, width: 10}, {name: X, start: 2, width: 1}]}"),
        ['7:14: feeds.f.phones[0]: no column "Phone" (file.columns has: Fone, X)'],
    ),
    (
        with_feed(file="{format: fixed, columns: [{name: a, start: 1, width: 1}, {name: A, start: 2, width: 1}]}"),
        ['8:75: feeds.f.file.columns[1].name: there is already a column "A"'],
    ),
    (with_feed(file="{format: csv, sheet: Members}"), ["8:32: feeds.f.file.sheet: a csv file has no sheets"]),
    (
        with_feed(file="{header: no}"),
        [
            '7:14: feeds.f.phones[0]: "Phone" needs a header; '
            "without one name columns by number (1, 2, …) or letter (A, B, …)"
        ],
    ),
    (
        with_feed(phones="[A]", file="{header: no, trailer: {starts_with: T, count_column: Rows}}"),
        [
            '8:64: feeds.f.file.trailer.count_column: "Rows" needs a header; '
            "without one name columns by number (1, 2, …) or letter (A, B, …)"
        ],
    ),
    (
        with_feed(phones="[2]", file="{header: no}", only="{Status: [x]}"),
        [
            '9:20: feeds.f.only.Status: "Status" needs a header; '
            "without one name columns by number (1, 2, …) or letter (A, B, …)"
        ],
    ),
    (
        with_feed(tags="[{column: A, value: b}]"),
        ["8:12: feeds.f.tags[0]: expected either column or value, and one of them only"],
    ),
    (
        with_feed(tags="[{prefix: b}]"),
        ["8:12: feeds.f.tags[0]: expected either column or value, and one of them only"],
    ),
    (
        with_feed(tags="[{value: b, split: ;}]"),
        ["8:30: feeds.f.tags[0].split: goes with column only; write the value as the tag shall be"],
    ),
    (
        with_feed(tags="[{value: 'a,b'}]"),
        [
            '8:20: feeds.f.tags[0].value: "a,b" cannot be a tag. A tag holds no comma and no semicolon: '
            "use one tag column for each, or `split`."
        ],
    ),
    (
        with_feed(tags="[{column: A, map: {x: ' '}}]"),
        ['8:33: feeds.f.tags[0].map.x: " " cannot be a tag. A tag needs at least one character.'],
    ),
    (with_feed(omitted_tags="clear"), ["8:19: feeds.f.omitted_tags: clear goes with mode append_tags only"]),
    (
        with_feed(guard="{max_omitted: 20}"),
        ["8:26: feeds.f.guard.max_omitted: expected a percentage such as 20%"],
    ),
    (
        with_feed(sidecar_wait="10 minutes"),
        ["8:19: feeds.f.sidecar_wait: expected a duration such as 30s, 20m, 2h or 30d"],
    ),
]


@pytest.mark.parametrize(("text", "expected"), BROKEN)
def test_broken_settings(write, text, expected):
    path = write("acme.yaml", text)
    assert refusals(path) == expected


def test_the_file_name_must_be_an_id(write):
    expected = ["1:1: id: expected a name of small letters, digits, - and _"]
    assert refusals(write("Acme Water.yaml", "name: A\nkeyword: A\n")) == expected


def test_every_problem_of_every_file_at_once(write):
    write("customers/a.yaml", "name: A\nkeyword: two words\nregion: us\n")
    write("customers/b.yaml", "name: *x\n")
    write("customers/good.yaml", "name: G\nkeyword: GOOD\n")
    loaded = load_dir(Path("customers"))
    assert sorted(loaded.customers) == ["good"]
    assert [(problem.path.name, problem.line) for problem in loaded.errors] == [
        ("a.yaml", 2),
        ("a.yaml", 3),
        ("b.yaml", 1),
    ]


def test_a_broken_feed_does_not_hide_what_is_wrong_with_another(write):
    text = """\
        name: A
        keyword: quit
        feeds:
          one: {match: "a*", mode: append, phones: []}
          two: {match: "b*", mode: hard_opt_out, phones: [A]}
        """
    assert [refusal.split(":")[0] for refusal in refusals(write("acme.yaml", text))] == ["2", "4", "5"]


def test_opt_out_words_are_those_of_the_settings(write):
    path = write("acme.yaml", "name: A\nkeyword: BASTA\n")
    assert load_file(path).keyword == "BASTA"
    with pytest.raises(ConfigurationFileError, match='the keyword "BASTA" is or holds an opt-out word'):
        load_file(path, Words(opt_out=("basta",)))


def test_soft_overwrite_is_the_mode_that_removes_no_tags(write):
    text = "name: A\nkeyword: A\nmodes: [soft_overwrite, hard_overwrite]\n"
    assert load_file(write("acme.yaml", text)).modes == ("soft_opt_out", "hard_opt_out")


def test_preformatted_is_in_every_plan(write):
    feed = "feeds: {f: {match: 'x*', mode: preformatted, phones: [Phone]}}"
    assert (
        load_file(write("acme.yaml", f"name: A\nkeyword: A\nmodes: [append]\n{feed}\n")).feeds["f"].mode
        == "preformatted"
    )


def test_what_yaml_would_have_changed_arrives_as_written(write):
    text = """\
        name: 007
        keyword: Y
        region: NO
        feeds:
          f:
            match: "*"
            mode: append
            phones: [1, 02]
            file: {delimiter: \\t}
            only: {Code: [01234, 12:30, NO, 1e3]}
        """
    customer = load_file(write("acme.yaml", text))
    feed = customer.feeds["f"]
    assert (customer.name, customer.keyword, customer.region) == ("007", "Y", "NO")
    assert feed.phones == ("1", "02")
    assert feed.only == {"Code": ("01234", "12:30", "NO", "1e3")}
    assert feed.file.delimiter == "tab"


def warnings(directory: Path) -> list[str]:
    loaded = load_dir(directory)
    assert not loaded.errors
    return [str(problem).splitlines()[0] for problem in loaded.warnings]


def test_feeds_that_would_take_each_others_files(write):
    text = """\
        name: A
        keyword: ACME
        feeds:
          all: {match: "*.csv", mode: append, phones: [A]}
          members: {match: "Members_[0-9]*", mode: append, phones: [A]}
          sheets: {match: "*.xlsx", mode: append, phones: [A]}
        """
    assert warnings(write("c/acme.yaml", text).parent) == [
        'c/acme.yaml:5:20: warning: feeds.members.match: a file such as "members_1.csv" matches feed "all" too, '
        "which has it because it comes first",
        'c/acme.yaml:6:19: warning: feeds.sheets.match: a file such as "members_1.xlsx" matches feed "members" too, '
        "which has it because it comes first",
    ]


def test_two_feeds_that_remove_each_others_numbers(write):
    text = """\
        name: A
        keyword: ACME
        modes: [soft_opt_out, hard_opt_out]
        feeds:
          north: {match: "n*", mode: soft_opt_out, phones: [A]}
          south: {match: "s*", mode: hard_opt_out, phones: [A], omitted_scope: feed}
          groups: {match: "g*", mode: preformatted, phones: [A]}
        """
    assert warnings(write("c/acme.yaml", text).parent) == [
        'c/acme.yaml:5:30: warning: feeds.north.mode: soft_opt_out also removes the numbers that only "south" lists; '
        "omitted_scope: feed keeps the feeds apart"
    ]


def test_two_customers_with_one_keyword(write):
    write("c/acme.yaml", "name: A\nkeyword: Power\n")
    write("c/bolt.yaml", "name: B\nkeyword: POWER\n")
    assert warnings(Path("c")) == [
        'c/bolt.yaml:2:10: warning: keyword: customer "acme" has this keyword too; '
        "a text to a number that both use would opt in to both"
    ]


def test_files_that_are_not_read(write):
    for name in ["acme.yml", "BOLT.YAML", ".acme.yaml.swp", "#acme.yaml#", ".#acme.yaml", "acme.yaml~", "README.md"]:
        write(f"c/{name}", "name: A\nkeyword: A\n")
    assert warnings(Path("c")) == [
        'c/BOLT.YAML:1:1: warning: this file is not read; rename it to "bolt.yaml"',
        'c/acme.yml:1:1: warning: this file is not read; rename it to "acme.yaml"',
    ]


def test_no_folder_means_no_customers(tmp_path):
    loaded = load_dir(tmp_path / "none")
    assert loaded.customers == {}
    assert str(loaded.warnings[0]) == (
        f"{tmp_path}/none:1:1: warning: there is no such folder, so there are no customers; "
        "create it, or set customers_dir"
    )


def test_a_password_in_the_wrong_place_is_not_shown(write):
    path = write("acme.yaml", "name: A\nkeyword: A\nftp_password: hunter2\n")
    with pytest.raises(ConfigurationFileError) as caught:
        load_file(path)
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in str([problem.as_dict() for problem in caught.value.problems])
    assert "acme.yaml:3:1: ftp_password: unknown key" in str(caught.value)
