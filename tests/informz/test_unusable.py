"""An address in a record that cannot be used is in the request: nobody leaves an interest for a stray delimiter."""

from __future__ import annotations

import pytest

from tests.files.informz.requests import field
from tests.informz.brand import Brand

NAME, AGE = field("FirstName", 2), field("Age", 3)
REPLACE = "ReplaceAllSubscribers"
SEVEN = "p7@example.com"


def records(seventh: str = f"{SEVEN},Ann,1\n") -> str:
    """Thirty records, in which this stands in place of the seventh."""
    return "".join(f"p{n}@example.com,Ann,1\n" if n != 7 else seventh for n in range(30))


def replace_all(brand: Brand, seventh: str, interests: tuple[str, ...] = ("News",)) -> int:
    """Has one request replace the members of interests by another; returns how many records it refused."""
    brand.say(records(), NAME, AGE, interests=("News", "Events"))
    report = brand.say(records(seventh), NAME, AGE, interests=interests, action=REPLACE)
    assert report["state"] == "applied"
    return report["rows"]["rejected"]


@pytest.mark.parametrize(
    "record",
    [f"{SEVEN},Ann\n", f",{SEVEN},1\n", f"Ann <{SEVEN.upper()}>,Ann,1\n", f"{SEVEN} p8@example.com,Ann,1\n"],
    ids=["a cell too few", "moved", "a name around it", "two of them"],
)
def test_who_stands_in_a_refused_record_stays(brand: Brand, record: str) -> None:
    assert replace_all(brand, record) == 1
    assert set(map(frozenset, brand.interests().values())) == {frozenset({"News", "Events"})}
    assert len(brand.people()) == 30


@pytest.mark.parametrize(
    "record", ["", ",,\n", "n/a,Ann,1\n", f"z@example.com,{SEVEN},1\n"], ids=["omitted", "blank", "words", "elsewhere"]
)
def test_who_does_not_leaves(brand: Brand, record: str) -> None:
    replace_all(brand, record)
    assert [email for email, interests in brand.interests().items() if "News" not in interests] == [SEVEN]
    assert brand.interests()[SEVEN] == {"Events"}


def test_a_refused_record_neither_takes_in_nor_gives_an_interest(brand: Brand) -> None:
    brand.say(f"{SEVEN}\n", interests=("Offers",))
    brand.say(records(f"{SEVEN},Ann\n") + "new@example.com\n", NAME, AGE, interests=("News",), action=REPLACE)
    assert brand.interests()[SEVEN] == {"Offers"}
    assert "new@example.com" not in brand.people()


def test_the_same_request_again_does_nothing_again(brand: Brand) -> None:
    for _ in range(2):
        assert replace_all(brand, f"{SEVEN},Ann\n") == 1
    assert brand.interests()[SEVEN] == {"News", "Events"}
