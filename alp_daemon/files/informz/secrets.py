"""What a file must not keep once we have it: the password that a BulkUpload carries, whichever way it came."""

from __future__ import annotations

from pathlib import Path

from alp_daemon.customers import Customer


def blank_secrets(customer: Customer | None, path: Path) -> None:
    """Blanks the password of a request; every other file, and every file of a customer without a brand, stays as it is.

    Its name does not matter: a file may be renamed to .xml later on.
    """
    if customer is None or customer.brand is None:
        return
    from alp_daemon.files.informz import password, root  # only brands need them

    if root.is_bulk_upload(path):
        password.blank_password(path)
