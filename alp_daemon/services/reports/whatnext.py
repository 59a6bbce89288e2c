"""Why a customer's file waits or failed, and what its people do about it: for the mail, the report and the pages.

They cannot give the operators' commands, and are told whom to call. Reasons that name a command are said anew here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from alp_daemon.domain.guard import HoldCode
from alp_daemon.domain.model import UploadState
from alp_daemon.services.reports.report import Report

# Holds whose own sentence speaks to the provider's operator.
_WHY_HELD = {
    HoldCode.not_approved: "Files of this kind have to be approved before they are applied, or again after a change.",
    HoldCode.customer_missing: "Your account is being worked on at the moment.",
    HoldCode.stops_worker: "The file could not be worked through.",
    HoldCode.sidecar_missing: "The small file that proves it whole (.sha256 or .done) has not come.",
}
# Holds that end by themselves.
_CURED_BY = {
    HoldCode.not_approved: "It goes on by itself once the approval is there: ask your provider for the preview.",
    HoldCode.customer_missing: "It goes on by itself; you need to do nothing.",
    HoldCode.sidecar_missing: "It goes on by itself when the small file comes.",
}
_CALL = "Your provider can release or discard it: call them, and say that it is upload {id}."
_WRONG_FILE = "If it was the wrong file, send the right one: this one is not applied unless they release it."
_CALL_FAILED = "Your provider has to look at it: call them, and say that it is upload {id}. Do not send the file again."
_CORRECT = "Correct the file and send the whole of it again."


def why_held(reason: Mapping[str, Any]) -> str:
    """One of a report's ``hold``, for the customer."""
    return _WHY_HELD.get(reason["code"]) or str(reason["message"])


def what_next(told: Report) -> list[str]:
    """What the customer does now, in sentences; nothing where all is done."""
    match told["state"]:
        case UploadState.held:
            by_itself = [_CURED_BY[each["code"]] for each in told["hold"] if each["code"] in _CURED_BY]
            return by_itself or [_CALL.format(id=told["upload"]), _WRONG_FILE]
        case UploadState.failed:
            return [_CALL_FAILED.format(id=told["upload"])]
        case UploadState.rejected:
            return [_CORRECT]
    return []
