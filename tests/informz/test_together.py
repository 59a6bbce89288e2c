"""Several who keep one list at once: what was planned for a list holds for the list that it has become."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from alp_daemon.customers import mail_list
from alp_daemon.domain.model import Evidence
from alp_daemon.services.addresses import mailimport, subscriber
from alp_daemon.services.addresses.optin import Sender
from alp_daemon.services.decisions.undo import undo
from alp_daemon.services.processing import process, queue
from alp_daemon.services.processing.assess import assess
from alp_daemon.services.processing.finish import Read, Work
from alp_daemon.services.processing.rules import rules_of_file
from alp_daemon.services.processing.source import Source, read_source
from alp_daemon.services.reports.report import Report
from alp_daemon.store import lists
from alp_daemon.store import subscribers as stored
from tests.files.informz.requests import field, request
from tests.informz.brand import Brand
from tests.services.provider import SENDER

ANN = Sender("Ann", "operator", "cli")


def unsubscribe(brand: Brand, email: str) -> None:
    subscriber.unsubscribe(brand.store, brand.customer.id, email, ANN, brand.now)


def bring(brand: Brand, row: str) -> None:
    path = brand.folder / "brought.csv"
    path.write_text(f"email,status,interests,FirstName\n{row}\n")
    mailimport.import_subscribers(brand.store, brand.customer, path, "Ann", brand.now)


def drop(brand: Brand, content: str) -> int:
    path = brand.folder / "outgoing"
    path.write_text(content)
    return brand.intake.take(path, "acme", "upload.xml", "", SENDER, brand.tick(), evidence=Evidence.proven)


def after_something_else(brand: Brand, content: str, something: Callable[[], object]) -> Report:
    """Works a request, and something else comes between its plan and the writing of it."""
    drop(brand, content)
    upload = queue.claim(brand.store, brand.settings, "acme", "worker", brand.tick())
    assert upload is not None
    work = Work(brand.store, brand.settings, brand.customer, upload, "worker", brand.now, time.perf_counter())
    path = brand.settings.spool_dir / upload.object
    rules = rules_of_file(brand.store, brand.customer, "bulkupload", path, upload.name)
    source = Source(path, upload.name, Evidence.proven)
    reading = read_source(source, brand.customer, rules, None)
    with brand.store.read() as transaction:
        planned = assess(transaction, reading, source, rules)
    something()
    return process._apply_or_hold(work, Read(source, rules, None), "", planned)


def keys(brand: Brand) -> dict[str, int]:
    with brand.store.read() as transaction:
        head = lists.open_list(transaction, mail_list("acme"))
        book = stored.read_addresses(transaction, head)
        state = lists.read_state(transaction, head)
        texts = stored.read_texts(transaction, head) if head else {}
    assert set(state.keys.tolist()) <= set(texts), "whoever is on the list has an address"
    return dict(zip(texts.values(), book.find(texts.values()).tolist(), strict=True))


NEW = request("m@example.com,May\nz@example.com,Zoe\n", field("FirstName", 2), interests=("News",))
PLANNED = {"m@example.com": ("opted_in", "May"), "z@example.com": ("opted_in", "Zoe")}
BETWEEN: dict[str, tuple[Callable[[Brand], object], dict[str, tuple[str, str]]]] = {
    "a new address": (lambda brand: unsubscribe(brand, "a@example.com"), {"a@example.com": ("unsubscribed", "")}),
    "one of its own": (lambda brand: unsubscribe(brand, "z@example.com"), {"z@example.com": ("unsubscribed", "Zoe")}),
    "a new address with attributes": (
        lambda brand: bring(brand, "a@example.com,opted_in,Events,Abe"),
        {"a@example.com": ("opted_in", "Abe")},
    ),
    "one of its own with attributes": (
        lambda brand: bring(brand, "m@example.com,suspended,Events,Moe"),
        {"m@example.com": ("opted_in", "May")},
    ),
}


@pytest.mark.parametrize("is_known", [False, True], ids=["an empty list", "a list"])
@pytest.mark.parametrize(("something", "differs"), BETWEEN.values(), ids=BETWEEN.keys())
def test_a_plan_is_made_again_for_a_list_that_has_moved(
    brand: Brand, something: Callable[[Brand], object], differs: dict[str, tuple[str, str]], is_known: bool
) -> None:
    known = {"k@example.com": ("opted_in", "")} if is_known else {}
    if is_known:
        brand.say("k@example.com\n")
    report = after_something_else(brand, NEW, lambda: something(brand))
    assert report["state"] == "applied"
    standing = {email: (row["status"], row.get("FirstName", "")) for email, row in brand.people().items()}
    assert standing == {**known, **PLANNED, **differs}
    assert len(set(keys(brand).values())) == len(standing)


def test_no_two_addresses_share_a_key_however_many_come_at_once(brand: Brand) -> None:
    """A worker at the queue, and people who unsubscribe; each has connections of its own."""
    taken, gone = 12, 12
    for file in range(taken):
        drop(brand, request("".join(f"{row:02}-{file:02}@example.com,{file}\n" for row in range(20)), field("N", 2)))

    def work() -> None:
        brand.drain()
        brand.store.close()

    def leave(person: int) -> None:
        unsubscribe(brand, f"{person:02}-gone@example.com")
        brand.store.close()

    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(work), *(pool.submit(leave, person) for person in range(gone))]:
            done.result()
    found, people = keys(brand), brand.people()
    assert len(set(found.values())) == len(found) == len(people) == 20 * taken + gone
    assert {email: row.get("N", "") for email, row in people.items()} == {
        **{f"{row:02}-{file:02}@example.com": str(file) for row in range(20) for file in range(taken)},
        **{f"{person:02}-gone@example.com": "" for person in range(gone)},
    }
    assert [email for email in people if people[email]["status"] == "unsubscribed"] == [
        f"{person:02}-gone@example.com" for person in range(gone)
    ]


def test_who_was_undone_keeps_the_key(brand: Brand) -> None:
    first = brand.say("a@example.com\nb@example.com\n", interests=("News",))
    before = keys(brand)
    undo(brand.store, first["upload"], "Ann", brand.tick())
    assert brand.people() == {}
    brand.say("c@example.com\nb@example.com\n", interests=("News",))
    after = keys(brand)
    assert {**before, **after} == after, "nobody has another's"
    assert brand.interests() == {"b@example.com": {"News"}, "c@example.com": {"News"}}
