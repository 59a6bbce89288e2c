"""The limits that a customer's file may set for the guard (``domain/guard.py``)."""

from __future__ import annotations

from pydantic import Field

from alp_daemon.quantities import Share
from alp_daemon.yamlmodel import Model


class GuardSettings(Model):
    """Limits past which a file waits for a person. What is not given has the default of the feed's mode."""

    max_omitted: Share | None = Field(
        None, description="Share of the opted-in list that a file may suspend or opt out (20%; hard_opt_out 10%)."
    )
    floor: int | None = Field(
        None, ge=0, description="Up to so many are never held for max_omitted (100; hard_opt_out 20)."
    )
    max_tags_removed: Share = Field(0.5, description="Share of all tags on the list that a file may remove.")
    max_new: Share = Field(1.0, description="Share of the opted-in list that a file may add, after the first one.")
    max_rejected: Share = Field(0.5, description="Share of the file's rows that may be rejected.")
    min_rows: int = Field(0, ge=0, description="A file with fewer rows is held.")
