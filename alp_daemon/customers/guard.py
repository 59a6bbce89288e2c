"""The limits that a customer's file may set for the guard (``domain/guard.py``)."""

from __future__ import annotations

from pydantic import Field

from alp_daemon.quantities import Share
from alp_daemon.yamlmodel import Model


class GuardSettings(Model):
    """Limits past which a file waits for a person. What is not given has the default of the feed's mode.

    None of them has a default here, where it would overrule the mode's. (What the descriptions say is compared with
    ``domain/guard.py`` by a test: it needs numpy, which nobody should have to load who only reads a file.)
    """

    max_omitted: Share | None = Field(
        None, description="Share of the opted-in list that a file may suspend or opt out (20%; hard_opt_out 10%)."
    )
    floor: int | None = Field(
        None, ge=0, description="Up to so many are never held for max_omitted (100; hard_opt_out 20)."
    )
    max_tags_removed: Share | None = Field(
        None, description="Share of all tags on the list that a file may remove (50%)."
    )
    max_new: Share | None = Field(
        None, description="Share of the opted-in list that a file may add, after the first one (100%)."
    )
    max_rejected: Share | None = Field(None, description="Share of the file's rows that may be rejected (50%).")
    min_rows: int | None = Field(None, ge=0, description="A file with fewer rows is held (0).")
