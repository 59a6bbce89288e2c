"""What the API takes and gives, as types: they check requests and describe both in the OpenAPI document."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from alp_daemon.services.addresses import manage

Status = Literal["absent", "opted_in", "suspended", "opted_out", "unsubscribed"]
ListedStatus = Literal["opted_in", "suspended", "opted_out", "unsubscribed"]
CommandName = Literal["opt_in", "opt_out", "suspend", "reactivate", "status", "add_tags", "remove_tags"]

NUMBERS = ["+12125550123"]
MOST_ON_A_PAGE = 1_000


class Request(BaseModel):
    """What a caller sends. Unknown names are mistakes."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Command(Request):
    """One command for one number."""

    number: str = Field(max_length=250, description="As people write it; E.164 is best.", examples=NUMBERS)
    command: CommandName = Field(description="What to do. `status` only asks.")
    tags: list[Annotated[str, Field(max_length=300)]] = Field(
        default=[],
        max_length=100,
        description="Added with opt_in, reactivate and add_tags; removed with opt_out, suspend and remove_tags.",
    )


Commands = Annotated[list[Command], Field(min_length=1, max_length=manage.MOST)]


class Message(BaseModel):
    """An inbound text message. Other names that a gateway sends are left aside."""

    model_config = ConfigDict(strict=True)

    id: str = Field(
        min_length=1,
        max_length=200,
        description="The gateway's own. The same id, sender and text within 72 hours are one message, done once.",
    )
    sender: str = Field(alias="from", max_length=250, description="Who texted.", examples=NUMBERS)
    to: str = Field(
        max_length=250,
        description="The code that was texted to. Where no customer has it, a STOP is for those whom it names and those"
        " whose list has its sender (503 where there is nobody), and all else is 404.",
        examples=["55512"],
    )
    text: str = Field(max_length=10_000, examples=["STOP"])


class NumbersQuery(BaseModel):
    """Which numbers."""

    model_config = ConfigDict(extra="forbid")

    status: ListedStatus | None = Field(None, description="Only those that stand so.")
    tag: Annotated[str, Field(max_length=300)] | None = Field(None, description="Only those with this tag.")
    after: Annotated[str, Field(pattern=r"^[0-9]{1,18}$")] | None = Field(
        None, description="The `next` of the page before."
    )
    limit: int = Field(100, ge=1, le=MOST_ON_A_PAGE, description="How many at the most.")


class UploadQuery(BaseModel):
    """What the file is called, and which feed shall take it."""

    model_config = ConfigDict(extra="forbid")

    filename: str = Field(min_length=1, max_length=255, examples=["members.csv"])
    feed: Annotated[str, Field(max_length=63)] | None = Field(
        None, description="`preformatted`, or a feed of yours; by default the one whose pattern takes the name."
    )


class Nothing(BaseModel):
    """No parameters."""

    model_config = ConfigDict(extra="forbid")


class Standing(BaseModel):
    """How a number stands after a command."""

    number: str = Field(examples=NUMBERS)
    status: Status
    tags: list[str]
    changed: bool
    event: int | None = Field(
        description="The entry in the list's history, also of what was true already; null for a mere question, and"
        " where the entry before says the same."
    )
    message: str = Field(description="Why nothing changed, for a person.")


class Problem(BaseModel):
    """RFC 9457. `type` leads to an explanation in /docs."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=["/docs#refused"])
    title: str
    status: int
    detail: str


class Failed(BaseModel):
    """A command of an array that was refused, or made no sense."""

    number: str
    error: Problem


class Event(BaseModel):
    """Something that happened to a number."""

    model_config = ConfigDict(extra="allow")

    at: str
    by: str
    source: str
    channel: str
    upload: int | None
    status_before: Status
    status_after: Status
    tags_before: list[str]
    tags_after: list[str]


class Number(BaseModel):
    """One number and its history, oldest first."""

    number: str = Field(examples=NUMBERS)
    status: Status
    tags: list[str]
    consent_date: str | None = Field(description="The day it came onto the list; null where it may not be texted.")
    history: list[Event]


class NumberOnPage(BaseModel):
    number: str = Field(examples=NUMBERS)
    status: ListedStatus
    tags: list[str]


class NumbersPage(BaseModel):
    """Numbers in order. `next` goes into `after` of the next call; null on the last page."""

    numbers: list[NumberOnPage]
    next: str | None


class Accepted(BaseModel):
    """The upload is safe and waits for its turn."""

    upload: int


class Report(BaseModel):
    """What became of an upload, as far as it has come; what `alp-daemon show --json` prints."""

    model_config = ConfigDict(extra="allow")

    upload: int
    customer: str
    name: str
    feed: str | None
    mode: str | None
    state: Literal["received", "held", "applied", "rejected", "failed", "discarded"]
    reason: str
    evidence: str | None
    rows: dict[str, int]
    changes: dict[str, Any]
    rejects: list[dict[str, Any]]
    rejects_total: int
    seconds: float


class MessageAnswer(BaseModel):
    """What a message meant. `reply` is the one text that may go back; empty for none."""

    intent: Literal["opt_out", "opt_in", "help", "other"]
    status: Status | None = Field(description="Null where the sender's lists differ.")
    reply: str
    customers: dict[str, Status] = Field(description="The sender's status on each list that was meant.")
