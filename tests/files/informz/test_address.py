"""What is an address is what email-validator says, however fast it is said."""

from __future__ import annotations

import email_validator
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from alp_daemon.files.informz import address

PARTS = [*"ab9.-_+@'&%xn", "--", "..", "xn--", "example", "com", "test", "local", "é", "İ", " ", "\n", '"', "x" * 60]
texts = st.one_of(
    st.lists(st.sampled_from(PARTS), max_size=14).map("".join),
    st.tuples(*[st.lists(st.sampled_from(PARTS), min_size=1, max_size=5).map("".join)] * 2).map(
        lambda parts: f"{parts[0]}@{parts[1]}.com"
    ),
    st.emails(),
)


@given(texts)
@example("a@b.com\n")
@example("a@" + "x" * 64 + ".com")
def test_what_is_plain_is_valid_and_already_normal(text: str) -> None:
    if address.are_plain([text]):
        assert address.parse("probe-é@example.com")  # the validator is set up
        assert email_validator.validate_email(text, check_deliverability=False).normalized == text
        assert address.parse(text) == text == text.strip().lower()


@given(texts)
def test_parsing_an_address_gives_the_address(text: str) -> None:
    found = address.parse(text)
    if found is not None:
        assert address.parse(found) == found


@given(texts, st.sampled_from(["{}", "Ann <{}>", "mailto:{}", "'{}'", "{}; ann", "({}).", "\t{},"]))
def test_an_address_is_found_in_whatever_is_around_it(text: str, around: str) -> None:
    found = address.parse(text)
    if found is not None:
        assert found in map(address.parse, address.parts_of(around.format(text.strip())))


@given(
    st.from_regex(
        r"[a-z]{1,10}([._+-][a-z0-9]{1,8})?@[a-z]{1,8}(-[a-z0-9]{1,4})?\.(com|org|k12\.ny\.us)", fullmatch=True
    )
)
def test_ordinary_addresses_are_plain(text: str) -> None:
    assert address.are_plain([text])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  Heck@Informz.COM\t", "heck@informz.com"),
        ("o'brien+list@mail.example.com", "o'brien+list@mail.example.com"),
        ("a!b@example.com", "a!b@example.com"),
        ("zoë@example.com", "zoë@example.com"),
        ("zoe\u0308@example.com", "zoë@example.com"),
        ("ann@BÜCHER.example", "ann@bücher.example"),
        ("ann@xn--bcher-kva.example", "ann@bücher.example"),
        ("ann@school.test", "ann@school.test"),
        ("zoë@school.test", "zoë@school.test"),
        ("ann@printer.local", "ann@printer.local"),
    ],
)
def test_addresses(text: str, expected: str) -> None:
    assert address.parse(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("", "ann", "ann@", "@example.com", "ann@example", "johndoe @informz.com", "ann@@example.com"),
        *("ann@example..com", ".ann@example.com", "ann@-example.com", "ann@example.c0", "ann@ab--c.com"),
        *("Ann <ann@example.com>", "ann@example.com,bob@example.com", '"ann"@example.com', "ann@[192.0.2.1]"),
        *("ann@" + "x" * 64 + ".com", "a" * 250 + "@b.com", "ann@example.com\nbcc: x"),
    ],
)
def test_what_is_no_address(text: str) -> None:
    assert address.parse(text) is None
