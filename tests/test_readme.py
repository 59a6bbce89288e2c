"""What the README says is so: its commands, options, YAML, tables and paths."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest

from alp_daemon import settings
from alp_daemon.cli import cli
from alp_daemon.customers import Customer, load_file
from alp_daemon.domain import guard
from alp_daemon.domain.model import Status
from alp_daemon.domain.policy import KEEP, MODES, Policy, TagRule
from alp_daemon.errors import HELD_EXIT_CODE, INTERRUPTED_EXIT_CODE, AlpError
from alp_daemon.services.processing.rules import rules_for

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
# The command at the start of a line or a span of code, perhaps by path or by another user, and what follows it.
COMMAND = re.compile(r"^(?:sudo -u alp-daemon )?(?:\S*/)?alp-daemon ([a-z][^#|>]*)")
# What stands for something that differs, in the README and in the templates of messages.
ANYTHING = "…"


def blocks(language: str) -> list[str]:
    found = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    return [text for of, text in found if of == language]


def spans() -> list[str]:
    prose = re.sub(r"^```.*?^```$", "", README, flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"`([^`\n]+)`", prose)


def section(title: str) -> str:
    return README.split(f"# {title}\n", 1)[1].split("\n#", 1)[0]


def table(header: str) -> list[list[str]]:
    """The cells of the rows of the table that has this header."""
    lines = README.split(f"| {header} |\n", 1)[1].splitlines()[1:]
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def called() -> Iterator[str]:
    """Everything that the README calls ``alp-daemon`` with."""
    lines = [part.strip() for block in blocks("sh") for line in block.splitlines() for part in line.split(" && ")]
    for text in [*lines, *spans()]:
        if found := COMMAND.match(text):
            yield found[1].strip()


def commands(group: click.Group) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        assert found is not None, name
        if isinstance(found, click.Group):
            for below, command in commands(found):
                yield f"{name} {below}", command
        else:
            yield name, found


COMMANDS = dict(commands(cli))


def name_of(call: str) -> str:
    return next((name for name in COMMANDS if f"{call} ".startswith(f"{name} ")), "")


@pytest.mark.parametrize("call", sorted(set(called())))
def test_each_command_exists_with_its_options(call: str) -> None:
    assert name_of(call), f"alp-daemon has no such command: {call}"
    known = {option for parameter in COMMANDS[name_of(call)].params for option in parameter.opts}
    assert set(re.findall(r"(?<=\s)--[a-z][a-z-]*", call)) <= known


def test_each_command_of_the_program_is_shown() -> None:
    # A span may be the bare name, where the sentence says whose command it is.
    shown = {name_of(call) for call in called()} | set(spans())
    assert set(COMMANDS) - shown == set()


def test_each_command_says_what_it_and_its_options_do() -> None:
    silent = [name for name, command in COMMANDS.items() if not command.help]
    for name, command in COMMANDS.items():
        silent += [
            f"{name} {option.opts[0]}"
            for option in command.params
            if isinstance(option, click.Option) and not option.help
        ]
    assert silent == []


@pytest.mark.parametrize("text", blocks("yaml"))
def test_each_yaml_example_is_accepted(text: str, tmp_path: Path) -> None:
    path = tmp_path / "acme.yaml"
    path.write_text(text, encoding="utf-8")
    if "keyword:" in text:
        customer = load_file(path)
        assert customer.feeds or customer.brand
    else:
        assert settings.load(path).data_dir.is_absolute()


@cache
def templates() -> list[str]:
    """Every text of the program, with ``…`` for what is filled in."""
    texts = []
    for path in (ROOT / "alp_daemon").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                texts.append("".join(str(p.value) if isinstance(p, ast.Constant) else ANYTHING for p in node.values))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.append(node.value)
    return texts


MESSAGES = [
    message for row in table("message | what it means | what to do") for message in re.findall("`(.+?)`", row[0])
]


@pytest.mark.parametrize("message", MESSAGES)
def test_each_message_is_one_of_the_program(message: str) -> None:
    wanted = re.escape(message).replace(ANYTHING, ".*")
    assert any(re.search(wanted, text) for text in templates())


def test_the_exit_codes_are_those_of_the_errors() -> None:
    codes = {error.exit_code for error in (AlpError, *AlpError.__subclasses__())}
    assert [int(row[0]) for row in table("code | meaning")] == sorted(
        {0, HELD_EXIT_CODE, INTERRUPTED_EXIT_CODE, *codes}
    )


OMITTED = {KEEP: "–", Status.suspended: "**suspend**", Status.opted_out: "**opt out**"}


def row_of(policy: Policy) -> list[str]:
    """The cells of a mode: new, opted in, suspended; omitted and opted in."""
    opted_in = int(Status.opted_in)
    assert policy.listed == (opted_in, opted_in, opted_in, KEEP, KEEP)
    assert {effect for status, effect in enumerate(policy.omitted) if status != opted_in} == {KEEP}
    assert policy.omitted_tags is TagRule.keep
    tags = {TagRule.add: ("add F to the tags", "add F"), TagRule.set: ("tags become F", "tags F")}[policy.tags]
    return ["opt in, tags F", tags[0], f"reactivate, {tags[1]}", OMITTED[policy.omitted[opted_in]]]


def test_the_table_of_modes_is_that_of_the_policies() -> None:
    rows = table("mode | listed, new | listed, opted in | listed, suspended | omitted, opted in")
    shown = {mode: cells for names, *cells in rows for mode in re.findall("`(.+?)`", names)}
    assert shown == {name: row_of(policy) for name, policy in MODES.items()}


def limits_in_force(mode: str) -> guard.Limits:
    """Those of a feed whose file says nothing about the guard."""
    feed = {"match": "*.csv", "mode": mode, "phones": ["Phone"]}
    customer = Customer.model_validate({"id": "acme", "name": "Acme", "keyword": "ACME", "feeds": {"members": feed}})
    return rules_for(customer, "members").limits


def test_the_table_of_the_guard_has_its_defaults() -> None:
    rows = {
        names.split(",")[0].strip("`"): (rule, default)
        for rule, default, names in table("held when | default | setting")
    }
    limits, hard = limits_in_force("soft_opt_out"), limits_in_force("hard_opt_out")
    assert rows["max_omitted"][1] == (
        f"{limits.max_omitted * 100:.0f} % and {limits.floor}"
        f" (`hard_opt_out`: {hard.max_omitted * 100:.0f} % and {hard.floor})"
    )
    for name in ("max_tags_removed", "max_new", "max_rejected"):
        assert rows[name][1] == f"{getattr(limits, name) * 100:.0f} %"
    assert rows["min_rows"][1] == str(limits.min_rows)
    assert f"more than {limits.tags_floor:,}" in rows["max_tags_removed"][0]
    assert f"more than {limits.new_floor:,}" in rows["max_new"][0]
    assert f"more than {guard.MAX_UNKNOWN_TAGS} unknown tags" in README


def test_each_path_of_the_tree_exists() -> None:
    tree = blocks("")[-1]
    assert tree.startswith("alp_daemon/\n")
    homes = [ROOT]
    for line in tree.splitlines():
        first, *_ = line.split()
        depth = (len(line) - len(line.lstrip())) // 2
        homes = [*homes[: depth + 1], homes[depth] / first]
        assert homes[-1].exists(), first
        for name in re.findall(r"(?<=\s)[a-z_]+(?:\.py|/)(?=\s|$)", line.lstrip().removeprefix(first)):
            assert any((home / name).exists() for home in homes[-2:]), f"{first}: {name}"


@pytest.mark.parametrize(
    "path",
    sorted(
        {*re.findall(r"(?<![\w/.-])(?:alp_daemon|configs|samples|systemd|tests)/[\w./@-]*+(?!::)", README), ".ci/run"}
    ),
)
def test_each_path_in_the_text_exists(path: str) -> None:
    assert (ROOT / path).exists()


def test_each_link_leads_to_a_heading() -> None:
    headings = {
        re.sub(r"[^\w -]", "", text.lower()).replace(" ", "-")
        for text in re.findall(r"^#+ (.+)$", README, re.MULTILINE)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", README)) <= headings


def test_the_performance_section_has_its_markers() -> None:
    assert "<!-- performance -->\n" in section("Performance")
    assert "<!-- /performance -->" in section("Performance")
