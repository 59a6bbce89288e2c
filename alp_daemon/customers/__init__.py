"""A customer's YAML file: the list's rules and the feeds that keep it right."""

from __future__ import annotations

from alp_daemon.customers.draft import DRAFT_FEED, Draft, draft_yaml
from alp_daemon.customers.fileformat import ColumnRef, FileFormat, FixedColumn, Trailer
from alp_daemon.customers.files import Loaded, load_dir, load_file
from alp_daemon.customers.fingerprints import fingerprint
from alp_daemon.customers.matching import feed_for
from alp_daemon.customers.model import (
    MODE_ALIASES,
    Customer,
    Feed,
    GuardSettings,
    LineTypeRule,
    ModeName,
    Preformatted,
    TagSource,
    json_schema,
)
from alp_daemon.customers.names import PREFORMATTED, is_temporary

__all__ = [
    "DRAFT_FEED",
    "MODE_ALIASES",
    "PREFORMATTED",
    "ColumnRef",
    "Customer",
    "Draft",
    "Feed",
    "FileFormat",
    "FixedColumn",
    "GuardSettings",
    "LineTypeRule",
    "Loaded",
    "ModeName",
    "Preformatted",
    "TagSource",
    "Trailer",
    "draft_yaml",
    "feed_for",
    "fingerprint",
    "is_temporary",
    "json_schema",
    "load_dir",
    "load_file",
]
