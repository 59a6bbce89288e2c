"""The full sets of states and countries."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from alp_daemon.files.informz import placenames
from alp_daemon.files.informz.places import COUNTRIES, STATES, canonical_country, canonical_state


def test_the_sets_are_full() -> None:
    assert len(STATES) == 50 + 1 + 5 + 3 + 3  # states, the District, possessions, associated states, armed forces
    assert len(COUNTRIES) == 249  # officially assigned codes of ISO 3166-1
    assert len(set(STATES)) == len(STATES)
    assert len(set(COUNTRIES)) == len(COUNTRIES)


@pytest.mark.parametrize(
    ("table", "codes", "canonical"),
    [(placenames.STATES, 1, canonical_state), (placenames.COUNTRIES, 2, canonical_country)],
    ids=["states", "countries"],
)
def test_no_text_means_two_places(table: str, codes: int, canonical: Callable[[str], str | None]) -> None:
    for line in table.splitlines():
        texts = line.split(" | ")
        assert {canonical(text) for text in texts} == {texts[codes]}


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("NY", "New York"),
        (" ny ", "New York"),
        ("new york", "New York"),
        ("N.Y.", "New York"),
        ("DC", "District of Columbia"),
        ("Washington, D.C.", "District of Columbia"),
        ("pr", "Puerto Rico"),
        ("ON", None),
        ("", None),
    ],
)
def test_states(text: str, state: str | None) -> None:
    assert canonical_state(text) == state


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("us", "United States"),
        ("U.S.A.", "United States"),
        ("UK", "United Kingdom"),
        ("GBR", "United Kingdom"),
        ("Korea, Republic of", "South Korea"),
        ("Cote d’Ivoire", "Côte d'Ivoire"),
        ("Trinidad and Tobago", "Trinidad & Tobago"),
        ("Saint Lucia", "St. Lucia"),
        ("Atlantis", None),
        ("", None),
    ],
)
def test_countries(text: str, country: str | None) -> None:
    assert canonical_country(text) == country
