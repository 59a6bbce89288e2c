"""What is a phone number that a text message can reach, and how it is written.

The verdict is libphonenumber's (``parse``, ``is_valid_number``, ``number_type``) on every text, with four
rules of our own. Three refuse what it lets through: an extension, a number that a spreadsheet has rounded, a
line that takes no texts. One reads ``2125550123.0`` as 2125550123, which is how a column of floats renders a
whole number: no digit is guessed, and no other tail is taken for one.

``phonenumbers`` is used here and in ``nanp``, which reads the same metadata, and nowhere else.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, Literal

import phonenumbers
from phonenumbers import (
    NumberParseException,
    PhoneMetadata,
    PhoneNumber,
    PhoneNumberFormat,
    PhoneNumberType,
    ValidationResult,
)

from alp_daemon import masking

Reason = Literal["not_a_number", "invalid", "extension", "spreadsheet_damage", "not_mobile"]

REASONS: Final[dict[Reason, str]] = {
    "not_a_number": "This is not one phone number: give exactly one, such as (212) 555-0123.",
    "invalid": "No such number is in use: check the area code, and that no digit is missing or too many.",
    "extension": "A text message cannot reach an extension: give a number of its own.",
    "spreadsheet_damage": "A spreadsheet has rounded this number and its last digits are lost: "
    "format the column as text and export the file again.",
    "not_mobile": "This line takes no text messages (landline, toll-free, VoIP…): give a mobile number.",
}
"""Why a text was refused, as one sentence with the cure."""

METADATA_VERSION: Final = phonenumbers.__version__
"""The release whose metadata say what a valid number is."""

TEXTABLE: Final = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE})
"""The types that a list of mobile numbers takes.

FIXED_LINE_OR_MOBILE is the answer wherever the numbering plan does not tell them apart, as in most of NANP.
VOIP, PERSONAL_NUMBER ("may be routed to either a MOBILE or FIXED_LINE number") and PAGER are types of their own
in libphonenumber's ``PhoneNumberType`` because they are not mobile lines; so they are refused as landlines are.
"""

_GAP = "[-. ()/\u00a0\u2010-\u2015]{0,3}"
_BLANKS = "[ \t\u00a0]{0,9}"  # bounded: libphonenumber refuses texts of more than 250 characters

SIMPLE_NANP: Final = (
    f"^{_BLANKS}(?:"
    rf"(?:\(?\+?1{_GAP})?\(?[2-9][0-9]{{2}}{_GAP}[0-9]{{3}}{_GAP}[0-9]{{4}}"
    r"|1?[2-9][0-9]{9}\.0"
    f"){_BLANKS}$"
)
"""Texts whose verdict, for a customer in a NANP region, depends on their ten digits alone.

Delete all but ``0-9``, read the rest as an
integer and ``nanp.ten_digits`` gives the ten digits (do not cut the text: it may end in the ``.0`` of a float);
``nanp.table`` then gives what ``parse`` would say. A text that does not match is not bad: ask ``parse``.

Left out are a leading 0 or 1 (``011`` dials abroad), a ``+`` without the 1 (another country), a leading minus
(some files mean removal by it), the letter x (an extension), and the tab between digits, which libphonenumber
takes at the ends of a number only.
"""

# 2.12556E+09, also with a decimal comma and without the plus. Exact forms (2.125550123E+09) are refused as
# well: nobody can tell them from a rounded number that ends in zeros.
_SCIENTIFIC = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]*)?[eE][+-]?[0-9]{1,3}")
_KEYS_END: Final = 10**15  # E.164 numbers have 15 digits at the most
_WHOLE_FLOAT = re.compile(r"[0-9]+\.0")
_UNPUNCTUATED: Final = str.maketrans("", "", "-. ()/:")


def parse(text: str, region: str) -> int | Reason:
    """Return a number's key (its E.164 digits as an integer, such as 12125550123), or why it is refused.

    ``region`` is the ISO 3166 code of the country whose habits a number without ``+`` follows; see
    ``is_region``. Nothing is raised. A blank text is ``not_a_number``: a caller to whom a blank is no error
    must look for it first.
    """
    number = _parse(text, region)
    if isinstance(number, str):
        return number
    if phonenumbers.number_type(number) not in TEXTABLE:
        return "not_mobile"
    return _key(number)


def parse_line(text: str, region: str) -> int | Reason:
    """As ``parse``, for a line of whatever type: who says STOP from a landline's number is heard too."""
    number = _parse(text, region)
    return number if isinstance(number, str) else _key(number)


@lru_cache(1)
def _read(text: str, region: str) -> PhoneNumber | Reason:
    """The number that a text gives, in use or not. It is asked twice of a text that is refused; see ``meant``."""
    text = text.strip()
    if _SCIENTIFIC.fullmatch(text):
        return "spreadsheet_damage"
    if _WHOLE_FLOAT.fullmatch(text):
        text = text.removesuffix(".0")
    try:
        return phonenumbers.parse(text, region)
    except NumberParseException:
        return "not_a_number"


def _parse(text: str, region: str) -> PhoneNumber | Reason:
    number = _read(text, region)
    if isinstance(number, str):
        return number
    if not phonenumbers.is_valid_number(number):
        return "invalid"
    if number.extension:
        return "extension"
    return number


def meant(text: str, region: str) -> int | None:
    """The key of the number that a text gives, whether or not ``parse`` takes it; ``None`` where it gives none.

    A refused number may still stand on a list: its line type or its range was another one when it got there.
    """
    number = _read(text, region)
    if isinstance(number, str):
        return None
    key = _key(number)
    return key if key < _KEYS_END else None


def possible(text: str, region: str, *, is_mobile: bool) -> int | None:
    """The key of what has as many digits as numbers of its country have, or its mobile ones, be it in use or not."""
    number = _read(text, region)
    if isinstance(number, str) or number.extension:
        return None
    line = PhoneNumberType.MOBILE if is_mobile else PhoneNumberType.UNKNOWN
    length = phonenumbers.is_possible_number_for_type_with_reason(number, line)
    return meant(text, region) if length == ValidationResult.IS_POSSIBLE else None


def valid_key(international: str) -> int | None:
    """Return the key of a valid number of whatever type, written with ``+`` and its country code, or ``None``."""
    try:
        number = phonenumbers.parse(international)
    except NumberParseException:
        return None
    return _key(number) if phonenumbers.is_valid_number(number) else None


def is_region(region: str) -> bool:
    """Whether libphonenumber knows the country (it knows ``GB``, and not ``UK``)."""
    return region in phonenumbers.SUPPORTED_REGIONS


def is_nanp_region(region: str) -> bool:
    """Whether the country shares the numbering plan +1, so that ``SIMPLE_NANP`` holds for its texts."""
    return region in phonenumbers.COUNTRY_CODE_TO_REGION_CODE[1]


def has_wrong_length(text: str, region: str) -> bool:
    """Whether a text cannot be a number for a customer in a NANP region: a quick look at how many digits it has.

    Digits without a ``+`` are ten, or as many as ``_lengths`` says, behind any 1; or they begin with 011, which dials
    abroad. Of anything but digits and their usual punctuation, and of a float, nothing is said: ask ``parse``.
    """
    digits = text if text.isdigit() else text.translate(_UNPUNCTUATED)
    if not (digits.isascii() and digits.isdigit()) or digits.startswith("011") or text.rstrip().endswith(".0"):
        return False
    return len(digits.lstrip("1")) not in _lengths(region)


@lru_cache
def _lengths(region: str) -> frozenset[int]:
    """How many digits a region's numbers have: ten, and some islands leave their area code out among themselves."""
    metadata = PhoneMetadata.metadata_for_region(region)
    assert metadata is not None, region
    assert metadata.general_desc is not None, region
    dialled = metadata.general_desc.possible_length
    adds_area_code = metadata.national_prefix_transform_rule is not None
    return frozenset(dialled + metadata.general_desc.possible_length_local_only if adds_area_code else dialled)


def _key(number: PhoneNumber) -> int:
    return int(phonenumbers.format_number(number, PhoneNumberFormat.E164))


def format_key(key: int) -> str:
    """Return the E.164 form of a key: ``+12125550123``."""
    return f"+{key}"


def mask(number: int | str) -> str:
    """Return a key or any text fit for logs and mail: ``+1212•••0123``."""
    return masking.mask(format_key(number) if isinstance(number, int) else number)
