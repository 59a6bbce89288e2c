"""The guard: the limits past which a plan waits for a person. A truncated file must never opt out a list.

It looks both ways: at what would be taken away (a file cut short) and at what would be added (another customer's).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final

from alp_daemon.domain.changes import Changes
from alp_daemon.domain.model import Buckets, Evidence
from alp_daemon.domain.plan import Plan

# A release allows what was shown, and a little more: the list may have moved a little while the file waited.
WAIVER_MARGIN = 1.05
# A preformatted file with more new tags than this is most likely an unformatted export.
MAX_UNKNOWN_TAGS = 200


@dataclass(frozen=True, slots=True)
class Limits:
    """Shares are of the opted-in list (tags: of all assignments); both the share and the floor must be passed."""

    max_omitted: float = 0.20
    floor: int = 100
    max_tags_removed: float = 0.50
    tags_floor: int = 100
    max_new: float = 1.00
    new_floor: int = 1_000
    max_rejected: float = 0.50
    min_rows: int = 0
    completeness: Evidence = Evidence.assumed
    empty_is_meant: bool = False
    """A file without any row says so on purpose (its format proves that it is whole)."""


DEFAULTS = Limits()
# An opt-out is not lifted by the next file, so the mode that makes them gets half the room.
DEFAULTS_BY_MODE = {"hard_opt_out": Limits(max_omitted=0.10, floor=20)}


class HoldCode(StrEnum):
    """Why an upload waits. Stored, and in every report: never rename them."""

    # Of the file itself.
    cut = "cut"
    not_proven = "not_proven"
    too_few_rows = "too_few_rows"
    rejected = "rejected"
    unformatted = "unformatted"
    # Of what it would do to the list.
    no_valid_rows = "no_valid_rows"
    omitted = "omitted"
    tags_removed = "tags_removed"
    new = "new"
    # Of what stands around it.
    not_approved = "not_approved"
    customer_missing = "customer_missing"
    sidecar_missing = "sidecar_missing"
    stops_worker = "stops_worker"


@dataclass(frozen=True, slots=True)
class HoldReason:
    """One limit that a plan passes: a stable code, the figure, the limit, and the sentence a person reads."""

    code: HoldCode
    message: str
    count: int = 0
    limit: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


CURES: Final = {
    HoldCode.not_approved: "approve the feed; its waiting files then go on by themselves",
    HoldCode.customer_missing: "put the customer's YAML file back; the file then goes on by itself",
}
"""What cures the reasons that a release cannot waive."""


def cures_of(codes: Iterable[str]) -> tuple[str, ...]:
    """What has to be done first, where a release alone cannot let the upload go on."""
    return tuple(CURES[HoldCode(code)] for code in codes if code in CURES)


def needs_though_cut(codes: Collection[str]) -> bool:
    """Whether a release has to say that the file was seen to be whole."""
    return HoldCode.cut in codes


def limits_for(mode: str, given: Mapping[str, Any]) -> Limits:
    """The limits of a feed: what its ``guard:`` says, else the default of its mode."""
    default = asdict(DEFAULTS_BY_MODE.get(mode, DEFAULTS))
    return Limits(**{**default, **{name: value for name, value in given.items() if value is not None}})


def check_file(buckets: Buckets, evidence: Evidence, evidence_note: str, limits: Limits) -> list[HoldReason]:
    """What is suspicious about the file itself, whatever the list."""
    reasons = []
    if evidence is Evidence.cut:
        reasons.append(
            HoldReason(HoldCode.cut, f"the upload may be cut short: {evidence_note or 'no proof of its end'}")
        )
    elif limits.completeness is Evidence.proven and evidence is not Evidence.proven:
        reasons.append(
            HoldReason(
                HoldCode.not_proven,
                "this feed takes only files that are proven whole (trailer count, sidecar or TLS close), and this one"
                " is only assumed to be",
            )
        )
    if buckets.read < limits.min_rows:
        reasons.append(
            HoldReason(
                HoldCode.too_few_rows,
                f"the file has {buckets.read:,} rows, the feed expects at least {limits.min_rows:,}",
                limits.min_rows - buckets.read,
            )
        )
    filled = buckets.read - buckets.blank
    if filled and _more_than(limits.max_rejected, filled, buckets.rejected):
        reasons.append(
            HoldReason(
                HoldCode.rejected,
                f"{buckets.rejected:,} of {filled:,} rows are refused ({_percent(buckets.rejected, filled)};"
                f" the limit is {limits.max_rejected:.0%})",
                buckets.rejected,
                limits.max_rejected,
            )
        )
    return reasons


def asks_for_shares(changes: Changes, limits: Limits) -> bool:
    """Whether ``check_plan`` looks at how large the list is: at so few changes that no floor is passed it does not."""
    omitted, new = changes.suspended + changes.opted_out, changes.opted_in + changes.reactivated
    return omitted > limits.floor or changes.tags_removed > limits.tags_floor or new > limits.new_floor


def check_plan(plan: Plan, buckets: Buckets, limits: Limits, *, first_upload: bool) -> list[HoldReason]:
    """What is suspicious about the effect on the list."""
    reasons: list[HoldReason] = []
    changes, opted_in = plan.changes, plan.opted_in_before
    omitted = changes.suspended + changes.opted_out + plan.members_left
    verb = "opt out" if changes.opted_out else "take out" if plan.members_left else "suspend"
    if omitted and buckets.numbers == 0:
        if limits.empty_is_meant and buckets.read == buckets.blank:
            return reasons
        reasons.append(
            HoldReason(
                HoldCode.no_valid_rows,
                f"no row of the file holds a valid {_what(plan)}, and it would {verb} all {omitted:,} {_what(plan)}s",
                omitted,
            )
        )
    elif omitted > limits.floor and _more_than(limits.max_omitted, opted_in, omitted):
        reasons.append(
            HoldReason(
                HoldCode.omitted,
                f"it would {verb} {omitted:,} of {opted_in:,} opted-in {_what(plan)}s ({_percent(omitted, opted_in)};"
                f" the limit is {limits.max_omitted:.0%})",
                omitted,
                limits.max_omitted,
            )
        )
    removed = changes.tags_removed
    if removed > limits.tags_floor and _more_than(limits.max_tags_removed, plan.tags_before, removed):
        reasons.append(
            HoldReason(
                HoldCode.tags_removed,
                f"it would remove {removed:,} of {plan.tags_before:,} tag assignments"
                f" ({_percent(removed, plan.tags_before)}; the limit is {limits.max_tags_removed:.0%})",
                removed,
                limits.max_tags_removed,
            )
        )
    new = changes.opted_in + changes.reactivated
    if not first_upload and new > limits.new_floor and _more_than(limits.max_new, opted_in, new):
        reasons.append(
            HoldReason(
                HoldCode.new,
                f"it would opt in {new:,} numbers beside {opted_in:,} opted-in ones ({_percent(new, opted_in)}; the"
                f" limit is {limits.max_new:.0%}): another customer's file?",
                new,
                limits.max_new,
            )
        )
    return reasons


def _what(plan: Plan) -> str:
    return "member" if plan.members_left else "number"


def not_waived(reasons: Iterable[HoldReason], waived: Mapping[str, int]) -> list[HoldReason]:
    """The reasons that a release does not cover: other ones, or the same beyond the figure that was shown."""
    return [r for r in reasons if r.code not in waived or _more_than(WAIVER_MARGIN, waived[r.code], r.count)]


def _more_than(share: float, whole: int, part: int) -> bool:
    # 0.29 * 100 is 28.999999999999996: what is exactly at the limit must not be past it.
    return part > round(share * whole, 6)


def _percent(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "all"
