"""A customer's YAML file: the list's rules and the feeds that keep it right."""

from __future__ import annotations

from alp_daemon.customers.brand import Brand, list_name, mail_list
from alp_daemon.customers.draft import DRAFT_FEED, Draft, draft_yaml
from alp_daemon.customers.expect import Expect
from alp_daemon.customers.fileformat import ColumnRef, FileFormat, FixedColumn, Trailer
from alp_daemon.customers.files import Loaded, load_dir, load_file
from alp_daemon.customers.fingerprints import fingerprint
from alp_daemon.customers.guard import GuardSettings
from alp_daemon.customers.matching import feed_for
from alp_daemon.customers.model import (
    MODE_ALIASES,
    Customer,
    Feed,
    LineTypeRule,
    ModeName,
    Preformatted,
    TagSource,
    json_schema,
)
from alp_daemon.customers.names import BULK_UPLOAD, PREFORMATTED, is_temporary

__all__ = [
    "BULK_UPLOAD",
    "DRAFT_FEED",
    "MODE_ALIASES",
    "PREFORMATTED",
    "Brand",
    "ColumnRef",
    "Customer",
    "Draft",
    "Expect",
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
    "list_name",
    "load_dir",
    "load_file",
    "mail_list",
]
