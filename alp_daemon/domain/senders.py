"""Whose number a message came from: read more kindly than a list's, since a STOP from a new range must not be lost."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from alp_daemon.domain import phone
from alp_daemon.domain.phone import Reason

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


def parse(text: str, region: str) -> int | Reason:
    """As ``phone.parse_line``, and any E.164 text as it stands: who has sent a message has a number.

    Numbering plans open new ranges before libphonenumber knows them, and a STOP from one must not be lost: a number
    that is written as numbers are, and as long as they are, is taken. Many gateways leave the plus sign out, or write
    00 for it: such digits are taken so where they can be nothing else.
    """
    key = parse_by_region(text, [region]).get(region)
    return phone.parse_line(text, region) if key is None else key


def parse_by_region(text: str, regions: Collection[str]) -> dict[str, int]:
    """The keys that ``parse`` gives, by region, of one sender who may follow the habits of any of these.

    Texts come from mobile lines: what is one by the habits of some regions is not taken by those of others for a
    landline, nor what is in use for an unknown number. The other regions take it as these read it, and where these
    differ they are left out.
    """
    text = text.strip()
    for read in (_mobile, _in_use, _possible):
        keys = {region: key for region in regions if (key := read(text, region)) is not None}
        if len(set(keys.values())) == 1:
            return dict.fromkeys(regions, next(iter(keys.values())))
        if keys:
            return keys
    return {}


def _mobile(text: str, region: str) -> int | None:
    return _first_key(phone.parse(each, region) for each in _spellings(text))


def _in_use(text: str, region: str) -> int | None:
    return _first_key(phone.parse_line(each, region) for each in _spellings(text))


def _first_key(verdicts: Iterable[int | Reason]) -> int | None:
    return next((verdict for verdict in verdicts if isinstance(verdict, int)), None)


def _possible(text: str, region: str) -> int | None:
    """The key of an unknown number; ``None`` where it can be none, or one of two countries.

    Without its plus sign it has as many digits as mobile numbers: landlines are as short as codes in some countries.
    """
    if _E164.fullmatch(text):
        return int(text)
    if any(sign.isalpha() for sign in text):  # a sender's name may have digits
        return None
    is_mobile = not text.startswith("+")
    keys = {phone.possible(each, region, is_mobile=is_mobile) for each in _spellings(text)} - {None}
    return keys.pop() if len(keys) == 1 else None


def _spellings(text: str) -> tuple[str, ...]:
    """What a sender's number may be short for: as it stands first, then with the plus sign that it lacks."""
    if text.startswith("00"):  # the international prefix of most countries (ITU-T E.123), whatever the region's is
        return text, f"+{text[2:]}"
    return (text, f"+{text}") if text.isdecimal() else (text,)
