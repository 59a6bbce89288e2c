"""What operators write in YAML (``20m``, ``20%``, ``2GiB``, ``ops@example.org``) as pydantic field types.

In JSON (``model_dump(mode="json")``, a schema's defaults) they are written the same way.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, WithJsonSchema

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_BYTES = {"": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}

# A date minus a longer time can fall before the year 1, which no clock can say.
_LONGEST = timedelta(days=36_500)


def _duration(value: object) -> object:
    if isinstance(value, timedelta):
        return value
    match = re.fullmatch(r"(\d{1,10})\s*([smhd])", str(value).strip())
    if not match:
        raise ValueError("expected a duration such as 30s, 20m, 2h or 30d")
    seconds = int(match[1]) * _SECONDS[match[2]]
    if seconds > _LONGEST.total_seconds():
        raise ValueError(f"expected a duration of at most {_LONGEST.days}d")
    return timedelta(seconds=seconds)


def written_duration(value: timedelta) -> str:
    seconds = int(value.total_seconds())
    unit = next(unit for unit in "dhms" if seconds % _SECONDS[unit] == 0)
    return f"{seconds // _SECONDS[unit]}{unit}"


def _positive(value: timedelta) -> timedelta:
    if not value:
        raise ValueError("expected a duration longer than 0")
    return value


def _share(value: object) -> object:
    if isinstance(value, int | float):
        return float(value)
    match = re.fullmatch(r"(\d{1,6}(?:\.\d{1,6})?)\s*%", str(value).strip())
    if not match:
        raise ValueError("expected a percentage such as 20%")
    return float(match[1]) / 100


def written_share(value: float) -> str:
    return f"{round(value * 100, 6):g}%"


def _size(value: object) -> object:
    if isinstance(value, int):
        return value
    match = re.fullmatch(r"(\d{1,15})\s*([kmg]i?b|)", str(value).strip().lower())
    if not match:
        raise ValueError("expected a size such as 500MB or 2GiB")
    return int(match[1]) * _BYTES[match[2]]


def _mail_address(value: str) -> str:
    if not re.fullmatch(r"[^\s\x00-\x1f\x7f@,;:<>\"]+@[^\s\x00-\x1f\x7f@,;:<>\"]+", value):
        raise ValueError("expected one e-mail address, such as ops@example.org")
    return value


Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    PlainSerializer(written_duration, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^\d{1,10}\s*[smhd]$", "examples": ["20m", "30d"]}),
]
"""A whole number of seconds, minutes, hours or days; 0 is allowed."""

PositiveDuration = Annotated[Duration, AfterValidator(_positive)]

Share = Annotated[
    float,
    BeforeValidator(_share),
    PlainSerializer(written_share, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^\d{1,6}(\.\d{1,6})?\s*%$", "examples": ["20%"]}),
]
"""A share of something: ``20%`` is 0.2. It may be more than 100%."""

Size = Annotated[
    int,
    BeforeValidator(_size),
    WithJsonSchema({"type": ["string", "integer"], "examples": ["500MB", "2GiB"]}),
]
"""A number of bytes; kB is 1,000 and KiB 1,024 of them."""

MailAddress = Annotated[str, AfterValidator(_mail_address)]
"""Only what it takes to put it into a header safely: whether it exists, the mail server tells."""
