"""When a file is expected, as a customer's YAML says it."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema, model_validator

from alp_daemon.domain.expectation import LONGEST_GRACE, Every, Expectation
from alp_daemon.quantities import Duration, written_duration
from alp_daemon.yamlmodel import Model, fault

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_DAYS_OF_MONTH = tuple(map(str, range(1, 32)))
_DAY_NUMBERS: dict[str | None, int] = {
    None: 0,
    **{name: number for number, name in enumerate(_WEEKDAYS)},
    **{text: int(text) for text in _DAYS_OF_MONTH},
}
_DAYS_OF = {Every.week: _WEEKDAYS, Every.month: _DAYS_OF_MONTH}


def _clock(value: object) -> object:
    if isinstance(value, time):
        return value
    hours, colon, minutes = str(value).partition(":")
    sound = colon and all(part.isascii() and part.isdecimal() and len(part) == 2 for part in (hours, minutes))
    if not sound or int(hours) > 23 or int(minutes) > 59:
        raise ValueError('expected a time of the day such as "06:00"')
    return time(int(hours), int(minutes))


def written_clock(value: time) -> str:
    return f"{value:%H:%M}"


Clock = Annotated[
    time,
    BeforeValidator(_clock),
    PlainSerializer(written_clock, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$", "examples": ["06:00"]}),
]
"""A time on the wall, to the minute."""


def _time_zone(value: str) -> str:
    # Imported here: most customers' files come when they come.
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError) as error:  # no such name, one that cannot be a name, one of a folder
        raise ValueError(
            f'no time zone "{value}" is known here; expected a name such as America/New_York (the system has them from'
            " its package tzdata)"
        ) from error
    return value


TimeZone = Annotated[str, AfterValidator(_time_zone)]
"""An IANA name."""


class Expect(Model):
    """By when a file has to come. If none does, operators and customer are told once."""

    every: Literal["day", "weekday", "week", "month"] = Field(description="How often; weekday is Monday to Friday.")
    day: str | None = Field(
        None, description="With week monday to sunday; with month 1 to 31, which in a shorter month is its last day."
    )
    by: Clock = Field(description="The time of the customer's timezone by which it is due.")
    grace: Duration = Field(timedelta(0), description="How much later it may come before anybody is told.")

    @model_validator(mode="after")
    def _has_a_day_that_there_is(self) -> Self:
        days = _DAYS_OF.get(Every(self.every))
        if days is None and self.day is not None:
            raise fault("goes with every: week and every: month only", "day")
        if days is not None and self.day not in days:
            at = ("day",) if self.day else ()
            raise fault(f"every: {self.every} needs a day, from {days[0]} to {days[-1]}", *at)
        return self

    @model_validator(mode="after")
    def _is_missed_before_the_next_is_due(self) -> Self:
        longest = LONGEST_GRACE[Every(self.every)]
        if self.grace > longest:
            raise fault(f"expected at most {written_duration(longest)} with every: {self.every}", "grace")
        return self

    def expectation(self) -> Expectation:
        return Expectation(Every(self.every), self.by, self.grace, _DAY_NUMBERS[self.day])

    def schedule(self, zone: str) -> str:
        """What decides when a file is due, for a comparison with what it was."""
        return " ".join(filter(None, (self.every, self.day, written_clock(self.by), zone)))
