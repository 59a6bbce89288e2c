"""Real browsers, with JavaScript and without. They need Debian's chromium and chromium-driver."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web.browser.browser import Browser, start

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
SCREENSHOTS = Path(__file__).parents[3] / "build/screenshots"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if CHROMIUM and DRIVER:
        return
    skipped = pytest.mark.skip(reason="needs chromium and chromedriver: apt-get install chromium chromium-driver")
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(skipped)


@pytest.fixture(scope="session")
def _with_scripts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    yield from _browser(tmp_path_factory.mktemp("browser"), javascript=True)


@pytest.fixture(scope="session")
def _without_scripts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    yield from _browser(tmp_path_factory.mktemp("browser"), javascript=False)


@pytest.fixture
def browser(_with_scripts: Browser) -> Browser:
    """A browser that nobody has signed in with."""
    return _with_scripts.fresh()


@pytest.fixture
def plain_browser(_without_scripts: Browser) -> Browser:
    """The same without JavaScript."""
    return _without_scripts.fresh()


def _browser(profile: Path, *, javascript: bool) -> Iterator[Browser]:
    assert CHROMIUM
    assert DRIVER
    driver = start(CHROMIUM, DRIVER, profile, javascript=javascript)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    yield Browser(driver, SCREENSHOTS)
    driver.quit()
