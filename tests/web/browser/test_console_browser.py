"""The console as an operator uses it, with JavaScript and without: it needs none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from alp_daemon.services.logins.credentials import Kind
from tests.web import scene
from tests.web.browser.browser import Browser
from tests.web.conftest import SiteMaker
from tests.web.site import JOE, Site


def open_console(browser: Browser, site: Site, path: str = "/console") -> None:
    browser.sign_in(site, Kind.operator, path, name="maria")


@pytest.fixture
def busy(site: Site) -> Site:
    """A month of files, one that is held, one for a feed that nobody has approved, a STOP and a lockout."""
    first = datetime.now(UTC) - timedelta(days=24, hours=2)
    for day in range(0, 24, 3):
        with time_machine.travel(first + timedelta(days=day), tick=False):
            scene.applied(site, f"members-{day:02}.csv", scene.members(300 + day * 20) + "nonsense,north,Active,x\n")
    scene.stop(site)
    scene.configure(site)
    scene.held(site, "members-tonight.csv", scene.members(900, "south", start=40))
    scene.unapproved(site, "everybody.csv")
    scene.arrive(site, "members-next.csv", scene.members(3))
    scene.lock_out(site)
    return site


@pytest.mark.timeout(240)
def test_every_page_looks_right(busy: Site, browser: Browser) -> None:
    scene.configure(busy, scene.REMOVING.replace('match: "*.csv"', 'match: "*.csv"\n    mod: append'), "beta")
    open_console(browser, busy)
    browser.shoot("console-overview")
    for name, path in {
        "held": "/console/held",
        "decide": "/console/held/9",
        "uploads": "/console/uploads",
        "upload": "/console/uploads/8",
        "customers": "/console/customers",
        "customer": "/console/customers/acme",
        "customer-broken": "/console/customers/beta",
        "feed": "/console/customers/acme/feeds/everybody",
        "number": f"/console/number?number={JOE.replace('+', '%2B')}",
        "usage": "/console/usage",
        "lockouts": "/console/lockouts",
    }.items():
        browser.driver.get(busy.url + path)
        browser.shoot(f"console-{name}")


def release_the_held_one(browser: Browser, site: Site) -> None:
    open_console(browser, site)
    browser.driver.find_element(By.LINK_TEXT, "Held").click()
    browser.driver.find_element(By.LINK_TEXT, "Upload 9").click()
    assert "+12125550939" in browser.text()
    browser.find("#though_cut").click()
    browser.driver.find_element(By.XPATH, "//button[text()='Release upload 9']").click()
    browser.until_text("It is back in the queue")


def test_a_held_file_is_looked_at_and_released(busy: Site, browser: Browser) -> None:
    release_the_held_one(browser, busy)
    assert busy.work()["state"] == "applied"


def test_the_same_without_javascript(busy: Site, plain_browser: Browser) -> None:
    release_the_held_one(plain_browser, busy)


def test_an_upload_is_undone_after_two_clicks_and_a_tick(busy: Site, plain_browser: Browser) -> None:
    browser = plain_browser
    open_console(browser, busy, "/console/uploads/8")
    browser.find("details.danger > summary").click()
    browser.find("button.danger").click()
    assert browser.path == "/console/uploads/8", "the browser asks for the tick"
    browser.find("#sure").click()
    browser.find("button.danger").click()
    browser.until_text("It is undone.")
    assert browser.text("h1 .badge") == "undone"
    browser.shoot("console-undone")
    browser.driver.get(busy.url + "/console/uploads")
    undone, _, applied = browser.text("tbody").partition("members-18.csv")
    assert ("undone by maria" in undone, "undone" in applied) == (True, False)
    browser.shoot("console-undone-among-uploads")


def test_the_customer_approves_by_the_link(make_site: SiteMaker, plain_browser: Browser) -> None:
    site, browser = make_site(url="https://lists.example.org"), plain_browser
    scene.configure(site)
    site.credentials.revoke("acme", "acme", "Ann", datetime.now(UTC))
    scene.unapproved(site)
    open_console(browser, site, "/console/customers/acme/feeds/everybody")
    browser.driver.find_element(By.XPATH, "//button[text()='Send the link']").click()
    browser.until_text("The customer has been sent a link")
    link = str(site.rows("outbox.due", now="9999", limit=10)[-1]["body"]).partition("https://lists.example.org")[2]
    browser.fresh().driver.get(site.url + link.split()[0])
    browser.shoot("approval")
    browser.find("#name").send_keys("Ann")
    browser.driver.find_element(By.XPATH, "//button[text()='Approve']").click()
    browser.until_text("is approved")
    browser.shoot("approval-done")
    assert site.work()["state"] == "applied"


def test_a_log_in_is_issued_and_shown_once(site: Site, plain_browser: Browser) -> None:
    browser = plain_browser
    open_console(browser, site, "/console/customers/acme")
    browser.driver.find_element(By.XPATH, "//button[text()='Issue']").click()
    browser.until_text("shown this once")
    browser.shoot("console-issued")
    browser.driver.get(f"{site.url}/console/customers/acme")
    assert "shown this once" not in browser.text()


def test_a_locked_out_address_is_freed_by_keyboard(busy: Site, browser: Browser) -> None:
    open_console(browser, busy, "/console/lockouts")
    assert browser.driver.switch_to.active_element.tag_name == "body"
    for _ in range(30):
        browser.driver.switch_to.active_element.send_keys(Keys.TAB)
        if browser.driver.switch_to.active_element.text.startswith("Free"):
            break
    browser.driver.switch_to.active_element.send_keys(Keys.ENTER)
    browser.until_text("The address may log in again")
