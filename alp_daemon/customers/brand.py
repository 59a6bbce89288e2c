"""A brand: a customer's list of e-mail subscribers, which Informz BulkUpload requests keep."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from alp_daemon.customers.guard import GuardSettings
from alp_daemon.customers.names import BULK_UPLOAD
from alp_daemon.yamlmodel import Model, TextLike

BrandId = Annotated[str, TextLike(r"[A-Za-z0-9_-]{1,63}", "a brand's number or name, without blanks")]
UserName = Annotated[str, TextLike(r"[^\s/](?:[^/\t\r\n]{0,62}[^\s/])?", "a name without / of at most 64 characters")]


class Brand(Model):
    """A list of e-mail subscribers."""

    id: BrandId = Field(description='What requests call it: <Brand id="…">.')
    users: tuple[UserName, ...] = Field((), description="Who may send requests over HTTP: <User> of the request.")
    guard: GuardSettings = Field(GuardSettings(), description="Limits past which an upload waits for a person.")


# Behind the customer's name, in which there is no such sign.
_MAIL = "/mail"


def mail_list(customer: str) -> str:
    """What the store calls the customer's list of subscribers. The list of numbers has the customer's own name."""
    return f"{customer}{_MAIL}"


def is_mail_list(list_: str) -> bool:
    """Whether the store calls a list of subscribers so."""
    return list_.endswith(_MAIL)


def customer_of(list_: str) -> str:
    """Whose list the store calls so."""
    return list_.removesuffix(_MAIL)


def list_name(customer: str, feed: str | None) -> str:
    """What the store calls the list that a feed is about."""
    return mail_list(customer) if feed == BULK_UPLOAD else customer
