"""YAML as operators mean it: every scalar a text, every value with its line and column.

YAML 1.1 would read ``NO`` as false, ``01234`` as 668 and ``12:30`` as 750; so the loader only composes nodes, and the
typed models decide what a text means. Aliases and ``<<`` work, tags do not, and what is too big or too deep to be
anybody's settings is refused before it costs memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import yaml
from yaml.reader import Reader

from alp_daemon.problem import ConfigurationFileError, Problem, Severity, shortened

Value: TypeAlias = "str | list[Value] | dict[str, Value] | None"
Where: TypeAlias = tuple[str | int, ...]
"""The keys and indexes that lead to a value, from the top of the file."""

MAX_BYTES = 1 << 20
MAX_DEPTH = 20
MAX_VALUES = 100_000
"""Values after aliases are expanded: nine lines of aliases to aliases can mean a billion."""

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_YAML = "tag:yaml.org,2002:"
_NULL, _MERGE = _YAML + "null", _YAML + "merge"
_PLAIN_TAGS = {_YAML + name for name in ("str", "int", "float", "bool", "null", "timestamp", "value", "map", "seq")}


@dataclass(frozen=True, slots=True)
class Position:
    """Line and column, counted from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Document:
    """A file's values, and where in the file each key and each value stands."""

    path: Path
    text: str
    values: dict[str, Value] = field(default_factory=dict)
    keys_at: dict[Where, Position] = field(default_factory=dict)
    values_at: dict[Where, Position] = field(default_factory=dict)

    def problem(self, where: Where, message: str, *, at_key: bool = False, severity: Severity = "error") -> Problem:
        """A problem at the value (or its key) that ``where`` leads to; the nearest parent's if there is none."""
        position = self._position(where, at_key)
        if position is None:
            return Problem(self.path, 1, 1, spelled(where, message), severity=severity)
        return self.problem_at(position, spelled(where, message), severity)

    def problem_at(self, position: Position, message: str, severity: Severity = "error") -> Problem:
        source_line = self.line(position.line)
        return Problem(self.path, position.line, position.column, message, source_line, severity)

    def line(self, number: int) -> str:
        """The line with this number, counted from 1; "" after the last one."""
        return next(iter(self.text.splitlines()[number - 1 : number]), "")

    def _position(self, where: Where, at_key: bool) -> Position | None:
        marks = self.keys_at if at_key else self.values_at
        while where:
            if position := marks.get(where) or self.keys_at.get(where) or self.values_at.get(where):
                return position
            where = where[:-1]
            marks = self.keys_at
        return None


def spelled(where: Where, message: str) -> str:
    """``tags[0].column: message``; the message alone at the top of the file."""
    dotted = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in where).removeprefix(".")
    return f"{dotted}: {message}" if dotted else message


def read(path: Path) -> Document:
    """Read the mapping that the file holds; an empty file is an empty one.

    Raises ``ConfigurationFileError`` for a file that cannot be read, is not YAML in UTF-8, or is no mapping.
    """
    source = Document(path, _read_text(path))
    try:
        _refuse_deep_nesting(source)
        node = yaml.compose(source.text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        raise ConfigurationFileError([_syntax_problem(source, error)]) from None
    return _Reading(source).document(node)


def _read_text(path: Path) -> str:
    def refusal(message: str) -> ConfigurationFileError:
        return ConfigurationFileError([Problem(path, 1, 1, message)])

    try:
        if path.exists() and not path.is_file():
            raise refusal("this is not a regular file; put the settings into a text file of this name")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise refusal(f"cannot be read: {error.strerror}") from None
    if len(data) > MAX_BYTES:
        raise refusal(f"the file is larger than {MAX_BYTES:,} bytes; is it a list of numbers by mistake?")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise refusal("the file is UTF-16; save it as UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig")
        raise ConfigurationFileError(
            [Problem(path, *_line_and_column(before), "the file is not UTF-8 here; save it as UTF-8")]
        ) from None
    if match := Reader.NON_PRINTABLE.search(text):
        message = f"the control character U+{ord(match[0]):04X} is not allowed in YAML; delete it"
        raise ConfigurationFileError([Problem(path, *_line_and_column(text[: match.start()]), message)])
    return text


def _line_and_column(before: str) -> tuple[int, int]:
    lines = before.splitlines()
    if not lines or before.endswith(("\n", "\r")):
        return len(lines) + 1, 1
    return len(lines), len(lines[-1]) + 1


def _refuse_deep_nesting(source: Document) -> None:
    # Composing recurses in C and ends the process on a few hundred thousand brackets; the parser below it does not.
    depth = 0
    for event in yaml.parse(source.text, Loader=_LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise ConfigurationFileError([source.problem_at(_at(event.start_mark), _TOO_DEEP)])
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


_TOO_DEEP = f"nested more than {MAX_DEPTH} levels deep"


def _at(mark: Any) -> Position:  # a Mark of yaml's own or of libyaml, which share no type
    return Position(mark.line + 1, mark.column + 1)


class _Reading:
    """One pass over the composed nodes, gathering every problem on the way."""

    def __init__(self, source: Document) -> None:
        self._result = source
        self._problems: list[Problem] = []
        self._values = 0

    def document(self, node: yaml.Node | None) -> Document:
        if isinstance(node, yaml.MappingNode):
            self._check_tag(node)
            self._result.values.update(self._mapping(node, ()))
        elif node is not None and node.tag != _NULL:
            self._complain(node, 'expected keys and values, such as "name: Acme Utilities"')
        if self._problems:
            raise ConfigurationFileError(self._problems)
        return self._result

    def _value(self, node: yaml.Node, where: Where) -> Value:
        self._values += 1
        if self._values > MAX_VALUES:
            self._give_up(node, f"more than {MAX_VALUES:,} values, with aliases expanded")
        if len(where) > MAX_DEPTH:
            self._give_up(node, _TOO_DEEP)
        self._check_tag(node)
        self._result.values_at[where] = _at(node.start_mark)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, where)
        if isinstance(node, yaml.SequenceNode):
            return [self._value(item, (*where, index)) for index, item in enumerate(node.value)]
        return None if node.tag == _NULL else str(node.value)

    def _mapping(self, node: yaml.MappingNode, where: Where) -> dict[str, Value]:
        pairs = self._pairs(node, len(where))
        self._result.keys_at.update({(*where, name): _at(key.start_mark) for name, (key, _) in pairs.items()})
        return {name: self._value(value, (*where, name)) for name, (_, value) in pairs.items()}

    def _pairs(self, node: yaml.MappingNode, depth: int) -> dict[str, tuple[yaml.Node, yaml.Node]]:
        """A mapping's own pairs, and those that ``<<`` merges in where it has none of that name."""
        own: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        merged: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        if depth > MAX_DEPTH:
            self._give_up(node, _TOO_DEEP)
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self._complain(key, "a key must be a plain text")
            elif key.tag == _MERGE:
                for source in self._merge_sources(value):
                    merged = self._pairs(source, depth + 1) | merged
            elif first := own.get(key.value):
                self._complain(key, f'duplicate key "{key.value}"; it is first on line {_at(first[0].start_mark).line}')
            else:
                own[key.value] = (key, value)
        return merged | own

    def _merge_sources(self, value: yaml.Node) -> Iterator[yaml.MappingNode]:
        for source in value.value if isinstance(value, yaml.SequenceNode) else [value]:
            if isinstance(source, yaml.MappingNode):
                yield source
            else:
                self._complain(source, '"<<" merges a mapping, such as "<<: *defaults"')

    def _check_tag(self, node: yaml.Node) -> None:
        if node.tag not in _PLAIN_TAGS and node.tag != _MERGE:
            name = node.tag.replace(_YAML, "!!")
            self._complain(node, f'the YAML tag "{name}" is not allowed; write the plain value')

    def _complain(self, node: yaml.Node, message: str) -> None:
        self._problems.append(self._result.problem_at(_at(node.start_mark), message))

    def _give_up(self, node: yaml.Node, message: str) -> None:
        self._complain(node, message)
        raise ConfigurationFileError(self._problems[-1:])


def _syntax_problem(source: Document, error: yaml.MarkedYAMLError) -> Problem:
    """The parser's complaint in the words of someone who edits a file, at the place where it can be mended."""
    trouble = f"{error.context or ''} {error.problem or ''}".strip()
    # Both loaders mark every error; the context is where the thing began that went wrong.
    at = _at(error.problem_mark)
    begin = _at(error.context_mark or error.problem_mark)
    rest = source.line(at.line)[at.column - 1 :]
    if "alias" in trouble:
        text = re.split(r"\s#|[,}\]]", source.line(begin.line)[begin.column - 1 :])[0].strip()
        return source.problem_at(begin, f"\"*\" begins a YAML alias; write a pattern in quotes: '{shortened(text)}'")
    if "unexpected end of stream" in trouble:
        return source.problem_at(begin, "this quote is never closed")
    if "expected a single document" in trouble:
        return source.problem_at(at, 'a file holds one document; delete this "---" and what follows')
    if "mapping values are not allowed" in trouble:
        message = 'a ":" cannot stand here; indent the keys of one mapping alike, or write a text with ": " in quotes'
        return source.problem_at(at, message)
    if "could not find expected ':'" in trouble:
        return source.problem_at(begin, 'expected "key: value"')
    if rest.startswith("\t"):
        return source.problem_at(at, "a tab cannot indent YAML; use spaces")
    if "cannot start any token" in trouble or "node content" in trouble:
        return source.problem_at(at, f'a value cannot begin with "{rest[:1]}" unless it is in quotes')
    return source.problem_at(at, f"this is not YAML: {trouble}")
