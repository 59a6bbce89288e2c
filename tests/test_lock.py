"""``systemd/requirements.lock`` is what pyproject.toml allows, whole, and says nothing about where it came from."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
LOCK = (ROOT / "systemd/requirements.lock").read_text(encoding="utf-8")
ENTRY = re.compile(
    r"^([a-z0-9][a-z0-9._-]*==[^\\\n]+?) \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.MULTILINE
)


@cache
def locked() -> dict[str, str]:
    """The version of each package that is installed on this system."""
    entries = [Requirement(text) for text, _ in ENTRY.findall(LOCK)]
    here = [each for each in entries if each.marker is None or each.marker.evaluate()]
    return {canonicalize_name(each.name): next(iter(each.specifier)).version for each in here}


def direct() -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    return [*project["dependencies"], *extras["postgres"], *extras["s3"]]


def installed_as_locked() -> Iterator[str]:
    """The locked packages that this environment has in the same version: their own word can be asked."""
    for name, locked_version in locked().items():
        try:
            if version(name) == locked_version:
                yield name
        except PackageNotFoundError:
            continue


def needs(requirement: Requirement, extras: set[str]) -> bool:
    return requirement.marker is None or any(requirement.marker.evaluate({"extra": extra}) for extra in {"", *extras})


def fits(requirement: Requirement) -> bool:
    found = locked().get(canonicalize_name(requirement.name))
    return found is not None and requirement.specifier.contains(found, prereleases=True)


@pytest.mark.parametrize("text", direct())
def test_what_the_project_needs_is_locked_within_its_bounds(text: str) -> None:
    assert fits(Requirement(text)), f"{text}: make systemd/requirements.lock anew, its first lines say how"


def test_what_those_need_is_locked_too() -> None:
    asked = {canonicalize_name(Requirement(text).name): Requirement(text).extras for text in direct()}
    missing, looked_at = [], 0
    for name in installed_as_locked():
        for requirement in map(Requirement, requires(name) or ()):
            if needs(requirement, asked.get(name, set())):
                looked_at += 1
                missing += [] if fits(requirement) else [f"{name} needs {requirement}"]
    assert missing == []
    assert looked_at > 20


def test_every_line_is_a_comment_or_a_package_with_its_hashes() -> None:
    """So no line can name a place where packages come from: that is for whoever installs."""
    comments, rest = re.match(r"((?:#.*\n)*)(.*)", LOCK, re.DOTALL).groups()
    assert ENTRY.sub("", rest) == ""
    assert "://" not in comments
    assert len(locked()) > 30
