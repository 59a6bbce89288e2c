"""A real browser as tests use it: what a person sees, does, and how the page looks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from alp_daemon.services.logins.credentials import PROVIDER, Kind
from tests.web.site import Site

WIDTHS = {"wide": 1280, "narrow": 390}
# Contrast of text on its own ground (WCAG 2.2, 1.4.3), of everything that is shown. Returns what is too faint.
_FAINT = """
const luminance = (rgb) => rgb.map((v) => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
  .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
const numbers = (colour) => (colour.match(/[\\d.]+/g) || []).map(Number);
const ground = (element) => {
  for (let at = element; at; at = at.parentElement) {
    const colour = numbers(getComputedStyle(at).backgroundColor);
    if (colour.length === 3 || colour[3] === 1) return colour.slice(0, 3);
  }
  return [255, 255, 255];
};
return [...document.body.querySelectorAll("*")].filter((element) => {
  const says = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
  if (!says || !element.checkVisibility()) return false;
  const [one, other] = [numbers(getComputedStyle(element).color).slice(0, 3), ground(element)].map(luminance);
  return (Math.max(one, other) + .05) / (Math.min(one, other) + .05) < 4.5;
}).map((element) => element.outerHTML.slice(0, 120));
"""
# Fields without a label, and ids that are there twice.
_UNNAMED = """
const fields = [...document.querySelectorAll("input:not([type=hidden]), select, textarea")];
const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
return [...fields.filter((field) => !field.labels.length && !field.ariaLabel).map((field) => field.outerHTML),
        ...ids.filter((id, index) => ids.indexOf(id) !== index)];
"""


@dataclass(frozen=True)
class Browser:
    driver: webdriver.Chrome
    screenshots: Path

    def fresh(self) -> Browser:
        self.driver.get("about:blank")
        self.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
        return self

    def sign_in(self, site: Site, kind: Kind, path: str, customer: str = "acme", name: str = "") -> None:
        """Asks for a page, and signs in on the way to it."""
        issued = site.issue(customer if kind.is_of_customer else PROVIDER, kind, name)
        self.driver.get(site.url + path)
        self.find("#user").send_keys(issued.user)
        self.find("#password").send_keys(issued.password)
        self.find("main button").click()
        self.until_path(path)

    def find(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def text(self, selector: str = "main") -> str:
        return self.find(selector).text

    def until_text(self, wanted: str, selector: str = "main") -> None:
        """Waits until a part of the page says so; a page that is loading says nothing."""
        WebDriverWait(self.driver, 20, 0.05, [Exception]).until(
            lambda _: wanted in self.text(selector), f"{wanted!r} did not come"
        )

    def until(self, holds: Callable[[], bool], fault: str) -> None:
        WebDriverWait(self.driver, 20, 0.02).until(lambda _: holds(), fault)

    def until_path(self, start: str) -> None:
        self.until(lambda: self.path.startswith(start), f"did not come to {start}")

    @contextmanager
    def slow_upload(self, *, bytes_a_second: int) -> Iterator[None]:
        """A line as slow as that, so that there is something to see on the way."""
        self.driver.execute_cdp_cmd("Network.enable", {})
        network = {"offline": False, "latency": 0, "downloadThroughput": -1}
        self.driver.execute_cdp_cmd("Network.emulateNetworkConditions", {**network, "uploadThroughput": bytes_a_second})
        yield
        self.driver.execute_cdp_cmd("Network.emulateNetworkConditions", {**network, "uploadThroughput": -1})

    @property
    def path(self) -> str:
        return "/" + self.driver.current_url.partition("://")[2].partition("/")[2]

    def shoot(self, name: str) -> None:
        """Keeps the whole page as a picture, wide and narrow, light and dark; none may be wider than the screen.

        What can be measured of its accessibility is asserted in each.
        """
        assert self.driver.execute_script(_UNNAMED) == []
        for scheme in ("light", "dark"):
            media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
            self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
            assert self.driver.execute_script(_FAINT) == [], scheme
            for size, width in WIDTHS.items():
                self._resize(width, 900)
                assert self.driver.execute_script("return document.documentElement.scrollWidth") <= width, size
                self._resize(width, self.driver.execute_script("return document.documentElement.scrollHeight"))
                self.driver.get_screenshot_as_file(str(self.screenshots / f"{name}-{size}-{scheme}.png"))
        self.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})

    def _resize(self, width: int, height: int) -> None:
        metrics = {"width": width, "height": max(height, 600), "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def start(chromium: str, driver: str, profile: Path, *, javascript: bool) -> webdriver.Chrome:
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    # CI runs as root, where chromium has no sandbox; its pages are ours only.
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--no-first-run"):
        options.add_argument(argument)
    options.add_argument(f"--user-data-dir={profile}")
    if not javascript:
        options.add_experimental_option("prefs", {"profile.managed_default_content_settings.javascript": 2})
    return webdriver.Chrome(options, Service(driver))
