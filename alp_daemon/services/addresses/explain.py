"""Why an address stands as it does, in a sentence, from its history."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Event = Mapping[str, Any]

_STANDS = {
    "opted_in": "Opted in",
    "suspended": "Suspended",
    "opted_out": "Opted out",
    "unsubscribed": "Unsubscribed",
    "absent": "Not on the list",
}

_WHAT_LIFTS_IT = {
    "opted_in": "",
    "suspended": " It receives nothing until a file lists it again or somebody reactivates it.",
    "opted_out": " No file and no command lifts that, only its own message with the keyword{keyword}.",
    "unsubscribed": " Uploads leave it so, unless one asks to resubscribe it by name.",
    "absent": " It will not count as new if it comes back.",
}


def why(status: str, events: Sequence[Event], keyword: str = "") -> str:
    """How it stands, since when and by what, and what would change that. ``events`` are oldest first."""
    said = f" {keyword}" if keyword else ""
    lifts = _WHAT_LIFTS_IT[status].format(keyword=said)
    deciding = _deciding(status, events)
    if deciding is None:
        return f"{_STANDS[status]}.{lifts}"
    return f"{_STANDS[status]} since {deciding['at'][:16].replace('T', ' ')} UTC: {_cause(deciding)}.{lifts}"


def _deciding(status: str, events: Sequence[Event]) -> Event | None:
    """What brought it where it stands: the end user's own word, if there is one since, else the last change."""
    since: list[Event] = []
    for event in events:
        if event["status_after"] != status:
            since = []
        elif event["status_before"] != status or not since:
            since = [event]
        else:
            since.append(event)
    own = [event for event in since if event["source"] == "end_user"]
    return next(iter(own or since), None)


def _cause(event: Event) -> str:
    return _CAUSES[event["source"]](event)


def _by_file(event: Event) -> str:
    did = {"opted_in": "listed it", "suspended": "did not list it"}.get(event["status_after"], "took it off")
    return f"upload {event['upload']} of {event['by']} {did}"


def _by_import(event: Event) -> str:
    return f"{event['by']} imported the earlier list" + (f" ({event['note']})" if event["note"] else "")


def _by_end_user(event: Event) -> str:
    if event["channel"] == "message":
        return f"its own message {event['message'] or ''}".rstrip() + " said so"
    return f"the person said so by phone or letter, as {event['by']} noted"


_CAUSES: dict[str, Callable[[Event], str]] = {
    "file": _by_file,
    "undo": lambda event: f"{event['by']} undid upload {event['upload']}, which put it back",
    "import": _by_import,
    "end_user": _by_end_user,
    "api": lambda event: f"{event['by']} said so by the API",
    "operator": lambda event: f"{event['by']} said so",
}
