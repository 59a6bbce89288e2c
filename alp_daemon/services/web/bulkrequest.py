"""A BulkUpload over HTTP: whose it is, whether it can be worked at all, and only then its place in the queue."""

from __future__ import annotations

from datetime import datetime

from alp_daemon.customers import BULK_UPLOAD, Customer
from alp_daemon.domain.model import Evidence
from alp_daemon.errors import UnusableFile, UsageProblem
from alp_daemon.files.incoming import Incoming
from alp_daemon.files.informz import root, soap
from alp_daemon.files.informz.request import BulkUpload, read_bulk_upload
from alp_daemon.files.informz.sender import Sender
from alp_daemon.services.logins.credentials import Credentials, Issued, Kind
from alp_daemon.services.receiving import arrival
from alp_daemon.services.receiving.intake import Intake

CHANNEL = "informz"


def login_of(brand_id: str, user: str) -> str:
    """What the log-in of a brand's user is called. Two brands may have users of the same name."""
    return f"{brand_id}/{user}"


def issue_login(credentials: Credentials, customer: Customer, by: str, now: datetime) -> Issued:
    """A password for the first of the brand's users who has none. Raises ``UsageProblem`` where each has one."""
    brand = customer.brand
    if brand is None:
        raise UsageProblem(f"customer {customer.id} has no brand; give its file a `brand: {{id: …, users: [NAME]}}`")
    live = {each.user for each in credentials.list(customer.id) if each.revoked_at is None}
    user = next((user for user in brand.users or (customer.id,) if login_of(brand.id, user) not in live), None)
    if user is None:
        raise UsageProblem(
            f"each user of brand {brand.id} has a password; add one to brand.users, or first revoke the one to be"
            f" renewed: `alp-daemon credentials revoke {customer.id} {brand.id}/USER`"
        )
    issued = credentials.issue(customer.id, Kind.informz, by, now, name=login_of(brand.id, user))
    return Issued(user, issued.password)


def accept(intake: Intake, incoming: Incoming, customer: Customer, sender: Sender, ip: str, now: datetime) -> int:
    """Queues a request whose body HTTP has delivered to its end; returns the upload's id.

    Raises ``UnusableFile`` for a request that could not be worked, and ``TryAgain`` when the disk is full; nothing is
    kept then.
    """
    incoming.file.flush()
    name = f"{CHANNEL}-{now:%Y%m%d-%H%M%S}.xml"
    opened = intake.begin(customer.id) if root.is_envelope(incoming.path) else None
    request = opened or incoming
    try:
        if opened is not None:
            soap.unwrap(incoming.path, opened.file, name)
            opened.file.flush()
        _check(read_bulk_upload(request.path, name), sender)
        return intake.receive(
            request,
            customer.id,
            name,
            "",
            arrival.Sender(CHANNEL, login_of(sender.brand_id, sender.user), ip),
            now,
            evidence=Evidence.proven,
            note="HTTP: the body came to its announced end",
            feed=BULK_UPLOAD,
        )
    finally:
        if opened is not None:
            opened.abort()


def _check(request: BulkUpload, sender: Sender) -> None:
    """The beginning was judged before the rest had come: both must say the same."""
    if (request.brand_id, request.user, request.password) != (sender.brand_id, sender.user, sender.password):
        raise UnusableFile("bad_value", "Brand, User and Password must stand before Actions, once each")
