"""A customer's YAML file: the list's rules and the feeds that keep it right."""

from __future__ import annotations

from alp_daemon.customers.brand import Brand, customer_of, is_mail_list, list_name, mail_list
from alp_daemon.customers.draft import DRAFT_FEED, Draft, draft_yaml
from alp_daemon.customers.expect import Expect
from alp_daemon.customers.fileformat import FileFormat, FixedColumn, Trailer
from alp_daemon.customers.files import SUFFIX, Loaded, check_file, is_customer_file, load_dir, load_file
from alp_daemon.customers.fingerprints import fingerprint, overall, text_digest
from alp_daemon.customers.matching import feed_for, feed_names
from alp_daemon.customers.model import (
    Customer,
    Feed,
    Preformatted,
    TagSource,
    json_schema,
)
from alp_daemon.customers.names import (
    BULK_UPLOAD,
    CUSTOMER_ID,
    CUSTOMER_ID_IS,
    PREFORMATTED,
    is_temporary,
    readable,
)

__all__ = [
    "BULK_UPLOAD",
    "CUSTOMER_ID",
    "CUSTOMER_ID_IS",
    "DRAFT_FEED",
    "PREFORMATTED",
    "SUFFIX",
    "Brand",
    "Customer",
    "Draft",
    "Expect",
    "Feed",
    "FileFormat",
    "FixedColumn",
    "Loaded",
    "Preformatted",
    "TagSource",
    "Trailer",
    "check_file",
    "customer_of",
    "draft_yaml",
    "feed_for",
    "feed_names",
    "fingerprint",
    "is_customer_file",
    "is_mail_list",
    "is_temporary",
    "json_schema",
    "list_name",
    "load_dir",
    "load_file",
    "mail_list",
    "overall",
    "readable",
    "text_digest",
]
