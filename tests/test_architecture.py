"""Imports run downwards only, packages of one level know nothing of each other, and no package imports in a circle."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PRODUCT = "alp_daemon"

# From the top down. A part may import those of lower levels, and nothing of its own level.
LEVELS = (
    {"cli"},
    {"demo"},
    {"daemon"},
    {"channels"},
    {"services"},
    {"store", "files"},
    {"registry", "certificates"},
    {"settings", "customers"},
    {"sections"},
    {"yamlmodel"},
    {"yamlfile", "quantities"},
    {"problem"},
    {"domain"},
    {"ports", "sdnotify"},
    {"errors", "flock", "log", "procstat"},
    {"masking"},
    {"__init__"},
)

# Where a library may be imported. What stands for a type or a format is used everywhere it is spoken of.
HOMES = {
    "OpenSSL": {"certificates", "channels.ftp"},
    "email_validator": {"files.informz.address"},
    "argon2": {"services.logins.access", "services.logins.credentials"},
    "click": {"cli"},
    "cryptography": {"demo.certificate"},
    "phonenumbers": {"domain.phone", "domain.nanp"},
    "pyftpdlib": {"channels.ftp"},
    "python_multipart": {"channels.web.uploader"},
    "python_calamine": {"files"},
    "rich": {"cli", "demo"},
    "sqlite_utils": {"store"},
    "obstore": {"files.bucket", "files.s3client"},
    "psycopg": {"store.postgres", "store.postgrestransaction", "store.pgcolumns", "store.pgerrors"},
    "sqlite3": {"store"},
    "structlog": {"log"},
    "watchdog": {"channels.doorbell"},
    "yaml": {"yamlfile"},
    "smtplib": {"services.reports.notify"},
    "jinja2": {"channels.web.pages"},
    "pydantic": {"settings", "sections", "customers", "quantities", "yamlmodel", "channels.web.api"},
    "pydantic_core": {"yamlmodel", "channels.web.api"},
    "starlette": {"channels.web"},
    "uvicorn": {"channels.web"},
    "numpy": {"domain", "files", "store", "services"},
}


@cache
def modules() -> dict[str, Path]:
    """The product's modules by name, without the product's own: ``services.decisions.undo``, ``cli`` (its package)."""
    found = {}
    for path in sorted((ROOT / PRODUCT).rglob("*.py")):
        parts = path.relative_to(ROOT / PRODUCT).with_suffix("").parts
        package = parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts
        found[".".join(package)] = path
    return found


@cache
def imports(module: str) -> frozenset[str]:
    """All that a module imports, wherever in it, by full name. What is imported for its type only does not count."""
    tree = ast.parse(modules()[module].read_text(encoding="utf-8"))
    return frozenset(_imports(tree))


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports name the whole path"
            yield from _from(node)
        yield from _imports(node)


def _from(node: ast.ImportFrom) -> Iterator[str]:
    """``from alp_daemon.channels import ftp`` imports a module, ``from alp_daemon.errors import Refused`` a name."""
    for alias in node.names:
        name = f"{node.module}.{alias.name}"
        yield name if name.removeprefix(f"{PRODUCT}.") in modules() else str(node.module)


def own_imports(module: str) -> set[str]:
    """The product's modules that a module imports."""
    names = {name.removeprefix(PRODUCT).removeprefix(".") or "__init__" for name in imports(module) if _is_ours(name)}
    return names - {module}


def _is_ours(name: str) -> bool:
    return name.split(".")[0] == PRODUCT


def part(module: str) -> str:
    return module.split(".")[0]


def level(module: str) -> int:
    return next(number for number, parts in enumerate(LEVELS) if part(module) in parts)


def test_every_part_has_a_level() -> None:
    known = set().union(*LEVELS)
    assert {part(module) for module in modules()} == known


@pytest.mark.parametrize("module", modules())
def test_imports_run_downwards_only(module: str) -> None:
    wrong = {name for name in own_imports(module) if part(name) != part(module) and level(name) <= level(module)}
    assert not wrong, f"{module} must not import {', '.join(sorted(wrong))}"


@pytest.mark.parametrize("package", sorted({part(module) for module in modules()}))
def test_no_package_imports_in_a_circle(package: str) -> None:
    inside = {
        module: {name for name in own_imports(module) if part(name) == package}
        for module in modules()
        if part(module) == package
    }
    assert_no_circle(inside)


def test_the_packages_of_services_import_in_no_circle_either() -> None:
    inside: dict[str, set[str]] = {}
    for module in modules():
        if concern(module):
            others = {concern(name) for name in own_imports(module)} - {concern(module), ""}
            inside.setdefault(concern(module), set()).update(others)
    assert len(inside) > 1
    assert_no_circle(inside)


def concern(module: str) -> str:
    """The package of services that a module is in; empty for all others."""
    parts = module.split(".")
    return parts[1] if parts[0] == "services" and len(parts) > 1 else ""


def assert_no_circle(imported: dict[str, set[str]]) -> None:
    try:
        TopologicalSorter(imported).prepare()
    except CycleError as error:
        pytest.fail(" → ".join(error.args[1]))


@pytest.mark.parametrize("module", [module for module in modules() if part(module) == "channels"])
def test_channels_never_touch_the_store(module: str) -> None:
    assert not {name for name in own_imports(module) if part(name) == "store"}


@pytest.mark.parametrize("module", [module for module in modules() if part(module) not in ("services", "store")])
def test_transactions_are_opened_in_services_only(module: str) -> None:
    assert not re.search(r"\.(read|write)\(\) as ", modules()[module].read_text(encoding="utf-8"))


@pytest.mark.parametrize("module", [module for module in modules() if part(module) == "domain"])
def test_the_domain_is_pure(module: str) -> None:
    assert not imports(module) & {"time", "os", "pathlib", "socket", "subprocess", "io"}
    assert ".now(" not in modules()[module].read_text(encoding="utf-8"), "the clock is a parameter"


@pytest.mark.parametrize("module", modules())
def test_each_library_has_one_home(module: str) -> None:
    for library in {name.split(".")[0] for name in imports(module)}:
        homes = HOMES.get(library)
        if homes is None:
            assert library in sys.stdlib_module_names or library == PRODUCT, (
                f"{library} has no home yet: add it to HOMES"
            )
        else:
            assert any(module == home or module.startswith(f"{home}.") for home in homes), f"{library} in {module}"
