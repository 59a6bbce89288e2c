"""Customers from their files: ``customers/ID.yaml``, with every problem of every file at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path

from pydantic import ValidationError

from alp_daemon.customers.checks import findings
from alp_daemon.customers.model import Customer, Feed
from alp_daemon.domain.keyword import DEFAULT_WORDS, Words
from alp_daemon.problem import ConfigurationFileError, Problem
from alp_daemon.yamlfile import Document, Value, read
from alp_daemon.yamlmodel import validate

SUFFIX = ".yaml"


@dataclass(frozen=True, slots=True)
class Loaded:
    """The usable customers by id, what their files say, and what is wrong or doubtful in all the files."""

    customers: dict[str, Customer] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    texts: dict[str, str] = field(default_factory=dict, repr=False)
    """By id, what was read and judged: a file that is read again may say something else by then."""

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self.problems if problem.severity == "error")

    @property
    def warnings(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self.problems if problem.severity == "warning")


@dataclass(frozen=True, slots=True)
class Checked:
    """One file, judged on its own. ``customer`` is ``None`` where any problem is an error."""

    document: Document | None
    customer: Customer | None
    problems: tuple[Problem, ...]


def load_file(path: Path, words: Words = DEFAULT_WORDS) -> Customer:
    """The customer whose id is the file's name. Raises ``ConfigurationFileError`` with every error of the file."""
    checked = check_file(path, words)
    if checked.customer is None:
        raise ConfigurationFileError(problem for problem in checked.problems if problem.severity == "error")
    return checked.customer


def load_dir(directory: Path, words: Words = DEFAULT_WORDS) -> Loaded:
    """All customers of a folder; a broken file costs only its own customer. Never raises for what files hold."""
    try:
        names = sorted(path.name for path in directory.iterdir())
    except FileNotFoundError:
        message = "there is no such folder, so there are no customers; create it, or set customers_dir"
        return Loaded({}, (Problem(directory, 1, 1, message, severity="warning"),))
    except OSError as error:
        return Loaded({}, (Problem(directory, 1, 1, f"the folder cannot be read: {error.strerror}"),))
    checked = [check_file(directory / name, words) for name in names if is_customer_file(name)]
    return Loaded(
        {each.customer.id: each.customer for each in checked if each.customer},
        (
            *(problem for each in checked for problem in each.problems),
            *_shared_keywords(checked),
            *_shared_brands(checked),
            *(_misnamed(directory / name) for name in names if _is_misnamed(name)),
        ),
        {each.customer.id: each.document.text for each in checked if each.customer and each.document},
    )


def is_customer_file(name: str) -> bool:
    """Whether a file of this name is a customer; what editors leave beside it (``.acme.yaml.swp``) is not."""
    return name.endswith(SUFFIX) and not name.startswith((".", "#"))


def check_file(path: Path, words: Words) -> Checked:
    """One file's customer, with all that is wrong or doubtful in the file itself."""
    try:
        document = read(path)
    except ConfigurationFileError as error:
        return Checked(None, None, error.problems)
    customer, problems = validate(Customer, document, given={"id": path.stem})
    if "id" in document.values:
        problems.append(document.problem(("id",), "the id is the file's own name; delete this key", at_key=True))
    for finding in findings(customer or _sound_part(path.stem, document.values), words):
        problems.append(document.problem(finding.where, finding.message, severity=finding.severity))
    usable = customer if all(problem.severity == "warning" for problem in problems) else None
    return Checked(document, usable, tuple(sorted(problems, key=attrgetter("place"))))


def _sound_part(id_: str, values: dict[str, Value]) -> Customer | None:
    """The customer with its sound feeds only, so that one broken feed does not hide what is wrong with another."""
    feeds = values.get("feeds")
    if not isinstance(feeds, dict):
        return None
    try:
        sound = {name: feed for name, feed in feeds.items() if _is_sound(feed)}
        return Customer.model_validate({**values, "id": id_, "feeds": sound})
    except ValidationError:
        return None


def _is_sound(feed: Value) -> bool:
    try:
        Feed.model_validate(feed)
    except ValidationError:
        return False
    return True


def _shared_keywords(checked: Iterable[Checked]) -> Iterator[Problem]:
    """Two customers may share a keyword (their numbers may differ), but rarely mean to."""
    owners: dict[str, str] = {}
    for each in checked:
        if each.customer is None or each.document is None:
            continue
        owner = owners.setdefault(each.customer.keyword.casefold(), each.customer.id)
        if owner != each.customer.id:
            message = f'customer "{owner}" has this keyword too; a text to a number that both use would opt in to both'
            yield each.document.problem(("keyword",), message, severity="warning")


def _shared_brands(checked: Iterable[Checked]) -> Iterator[Problem]:
    """A request names its brand by the id alone."""
    owners: dict[str, str] = {}
    for each in checked:
        if each.customer is None or each.document is None or each.customer.brand is None:
            continue
        owner = owners.setdefault(each.customer.brand.id, each.customer.id)
        if owner != each.customer.id:
            yield each.document.problem(
                ("brand", "id"), f'customer "{owner}" has this brand too; an id is one brand\'s'
            )


def _is_misnamed(name: str) -> bool:
    return name.lower().endswith((SUFFIX, ".yml")) and not name.endswith(SUFFIX) and not name.startswith((".", "#"))


def _misnamed(path: Path) -> Problem:
    message = f'this file is not read; rename it to "{path.stem.lower()}{SUFFIX}"'
    return Problem(path, 1, 1, message, severity="warning")
