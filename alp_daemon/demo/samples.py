"""The cases of ``samples/``: a customer, its list before, a file, and what they promise of the list and the report."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Final

SAMPLES: Final = Path(__file__).parents[1] / "samples"
"""The folder at the top of the tree, which the package holds as a link and the wheel as a copy."""

GROUPS: Final = {
    "The six modes: one list, one file": (
        "preformatted",
        "append",
        "append_tags",
        "soft_opt_out",
        "soft_opt_out_tags",
        "hard_opt_out",
    ),
    "Two of them with a switch": ("preformatted_minus", "append_tags_clear"),
    "Files as they come": (
        "several_phones",
        "tags",
        "only",
        "fixed_width",
        "trailer",
        "spreadsheet",
        "windows_export",
        "other_country",
    ),
    "Files that are not what they should be": (
        "bad_rows",
        "cut_file",
        "only_a_header",
        "would_opt_out_most",
        "missing_column",
        "rejects_sent_back",
    ),
    "A brand's e-mail subscribers: Informz BulkUpload": (
        "bulk_add_or_update",
        "bulk_interests",
        "bulk_replace_all",
        "bulk_empty",
        "bulk_remove",
        "bulk_unsubscribe",
        "bulk_resubscribe",
    ),
}
"""Every case, in the order in which a newcomer best meets them."""

# What differs from one run to the next. The figures, the reasons and the sentences do not.
_VOLATILE: Final = (
    (re.compile(r"^Upload \d+ "), "Upload ID "),
    (re.compile(r"\b(release|discard|show) \d+\b"), r"\1 ID"),
    (re.compile(r"^(  sent by +)\S+ over \S+ at \S+$", re.MULTILINE), r"\1SENDER over CHANNEL at TIME"),
    (re.compile(r"^(  sha256 +)[0-9a-f]{64}$", re.MULTILINE), r"\1SHA256"),
    (re.compile(r"^(  seconds +)[0-9.]+$", re.MULTILINE), r"\1SECONDS"),
)


@dataclass(frozen=True, slots=True)
class Sample:
    """One folder of ``samples/``. Its name is the customer's id too."""

    folder: Path

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def customer_file(self) -> Path:
        return self.folder / "customer.yaml"

    @property
    def before(self) -> Path:
        """The list before the upload, in the form of ``export``."""
        return self.folder / "before.csv"

    @property
    def upload(self) -> Path:
        """The file that the customer sends."""
        return next(self.folder.glob("upload.*"))

    @property
    def approved_with(self) -> Path | None:
        """What the feed is approved with: the upload, or ``sample.*`` where it is too bad for that, or nothing."""
        settings = self.customer_file.read_text(encoding="utf-8")
        if "feeds: {}" in settings or "brand:" in settings:
            return None
        return next(self.folder.glob("sample.*"), self.upload)

    @property
    def after(self) -> Path:
        """The list after the upload, in the form of ``export``."""
        return self.folder / "after.csv"

    @property
    def report(self) -> Path:
        """The text report, as ``normalised`` leaves it."""
        return self.folder / "report.txt"

    @property
    def sentence(self) -> str:
        """What the case shows: the first paragraph of the comment at the top of its ``customer.yaml``."""
        lines = self.customer_file.read_text(encoding="utf-8").splitlines()
        return " ".join(line.removeprefix("# ") for line in takewhile(lambda line: line.startswith("# "), lines))


def sample(name: str) -> Sample:
    return Sample(SAMPLES / name)


def all_samples() -> list[Sample]:
    """Every case there is."""
    return [sample(name) for names in GROUPS.values() for name in names]


def normalised(report: str) -> str:
    """A text report with numbers, times and senders replaced by words."""
    for pattern, word in _VOLATILE:
        report = pattern.sub(word, report)
    return report
