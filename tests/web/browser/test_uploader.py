"""The FileUploader as a person uses it, with JavaScript and without."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from alp_daemon.services.logins.credentials import Kind
from tests.web.browser.browser import Browser
from tests.web.conftest import MEMBERS
from tests.web.site import Site
from tests.web.test_uploader import REMOVING, describe, members
from tests.web.test_uploads import spooled, uploads


@pytest.fixture
def sent(tmp_path: Path) -> Path:
    path = tmp_path / "members.csv"
    path.write_text(MEMBERS)
    return path


def send(browser: Browser, path: Path, feed: str = "members") -> None:
    browser.find(f"input[value={feed}]").click()
    browser.find("#file").send_keys(str(path))
    browser.find("#upload > button").click()
    browser.until_path("/uploads/")


def test_a_file_from_choosing_it_to_its_result(site: Site, browser: Browser, sent: Path) -> None:
    browser.sign_in(site, Kind.uploader, "/")
    browser.shoot("uploader-empty")
    send(browser, sent)
    browser.until_text("waits for its turn")
    browser.shoot("uploader-waiting")
    heading = browser.find("h1")
    site.work()
    browser.until_text("Your list is up to date.")
    assert heading.text == "members.csv", "the page is the same, and only its news have come"
    assert "2 numbers were added." in browser.text()
    assert "This is not one phone number" in browser.text()
    browser.shoot("uploader-applied")
    browser.find("main > p > a[href='/']").click()
    browser.until_text("applied", "tbody")
    browser.shoot("uploader-recent")


def test_the_same_without_javascript(site: Site, plain_browser: Browser, sent: Path) -> None:
    browser = plain_browser
    browser.sign_in(site, Kind.uploader, "/")
    assert not browser.find(".scripted").is_displayed()
    send(browser, sent)
    browser.until_text("waits for its turn")
    site.work()
    browser.until_text("Your list is up to date.")
    assert "2 numbers were added." in browser.text()
    browser.shoot("uploader-plain")


def test_a_held_file_says_why_and_whom_to_call(site: Site, browser: Browser, tmp_path: Path) -> None:
    describe(site, REMOVING)
    (tmp_path / "all.csv").write_text(members(200))
    (tmp_path / "few.csv").write_text(members(20))
    browser.sign_in(site, Kind.uploader, "/")
    send(browser, tmp_path / "all.csv")
    site.work()
    browser.driver.get(site.url)
    send(browser, tmp_path / "few.csv")
    site.work()
    browser.until_text("Nothing was changed, and nothing is lost.")
    assert "It would suspend 180 of 200 opted-in numbers" in browser.text("section[aria-labelledby=why]")
    assert "call them, and say that it is upload 2." in browser.text("section[aria-labelledby=next]")
    browser.shoot("uploader-held")


def test_everything_can_be_done_with_the_keyboard(site: Site, browser: Browser, sent: Path) -> None:
    browser.sign_in(site, Kind.uploader, "/")
    keys = ActionChains(browser.driver)
    seen: list[str] = []
    while "Submit" not in seen:
        keys.send_keys(Keys.TAB).perform()
        # In one step: the page may be another one by the next.
        seen.append(
            browser.driver.execute_script("const at = document.activeElement; return at.id || at.name || at.innerText")
        )
        assert len(seen) < 20, seen
        if seen[-1] == "file":
            browser.driver.switch_to.active_element.send_keys(str(sent))
    keys.send_keys(Keys.ENTER).perform()
    browser.until_path("/uploads/")
    stations = [seen.index(each) for each in ("Skip to the content", "feed", "file", "Submit")]
    assert stations == sorted(stations)


def test_a_file_is_dropped_into_the_zone(site: Site, browser: Browser) -> None:
    browser.sign_in(site, Kind.uploader, "/")
    browser.find("input[value=members]").click()
    drop = """
        const carried = new DataTransfer();
        for (const name of arguments[0]) carried.items.add(new File(["Phone,Group\\n2125550123,a\\n"], name));
        document.getElementById("drop").dispatchEvent(
            new DragEvent("drop", {dataTransfer: carried, bubbles: true, cancelable: true}));
    """
    browser.driver.execute_script(drop, ["a.csv", "b.csv"])
    assert browser.text("#failed") == "Drop one file at a time."
    browser.driver.execute_script(drop, ["members.csv"])
    browser.find("#upload > button").click()
    browser.until_path("/uploads/")
    assert site.work()["rows"]["listed"] == 1


def test_progress_is_shown_and_can_be_cancelled(site: Site, browser: Browser, tmp_path: Path) -> None:
    large = tmp_path / "members.csv"
    large.write_text(members(1_000_000))  # takes longer than its pictures, however busy the machine
    browser.sign_in(site, Kind.uploader, "/")
    browser.find("input[value=members]").click()
    browser.find("#file").send_keys(str(large))
    with browser.slow_upload(bytes_a_second=400_000):
        browser.find("#upload > button").click()
        browser.until(lambda: 0 < float(browser.find("#bar").get_attribute("value") or 0) < 100, "no progress")
        assert re.fullmatch(r"Sending: \d+ %", browser.text("#said"))
        assert browser.find("#spoken").get_attribute("role") == "status"
        browser.shoot("uploader-sending")
        browser.find("#cancel").click()
    assert browser.text("#failed") == "Cancelled. Nothing was kept of the file."
    site.server.stop(grace=2)  # the server has seen the end then
    assert (uploads(site), spooled(site)) == ([], [])


def test_what_the_server_refuses_is_said_beside_the_form(site: Site, browser: Browser, sent: Path) -> None:
    browser.sign_in(site, Kind.uploader, "/")
    browser.find("input[value=members]").click()
    browser.find("#file").send_keys(str(sent))
    site.registry._entries.pop("acme")
    browser.find("#upload > button").click()
    browser.until_text("this account is not configured at the moment", "#failed")
    assert browser.path == "/", "what was chosen is still chosen"
    assert browser.find("#upload > button").is_displayed()
    browser.shoot("uploader-refused")


def test_a_session_that_ended_leads_to_the_sign_in(site: Site, browser: Browser, sent: Path) -> None:
    browser.sign_in(site, Kind.uploader, "/")
    send(browser, sent)
    browser.until_text("waits for its turn")
    site.credentials.revoke("acme", "acme-uploader", "Ann", datetime.now(UTC))
    browser.until_path("/login?next=")
