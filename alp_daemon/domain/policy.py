"""What each mode, command and message does to an address. Rules are values: one row of data each.

A new mode is one more constant here and one more folder in ``samples/``. The tables are those of the README.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from alp_daemon.domain.model import Status

KEEP = -1
"""The address stays exactly as it is: neither status nor tags are touched."""
REFUSE = -2
"""The command is refused, with nothing changed."""

IN, SUSPENDED, OUT = int(Status.opted_in), int(Status.suspended), int(Status.opted_out)
UNSUBSCRIBED = int(Status.unsubscribed)

Transitions = tuple[int, int, int, int, int]
"""The status that follows, or KEEP or REFUSE, for: absent, opted_in, suspended, opted_out, unsubscribed."""


class TagRule(Enum):
    """What becomes of the tags of a touched address; F is the file's (or the command's) set."""

    keep = "keep"
    add = "add"  # tags ∪ F
    set = "set"  # = F
    remove = "remove"  # tags − F
    clear = "clear"  # = ∅
    replace = "replace"  # = tags − W ∪ F, where W are the tags whose members the file states


@dataclass(frozen=True, slots=True)
class Policy:
    """A transition and a tag rule for listed addresses, and the same for omitted ones."""

    name: str
    listed: Transitions
    tags: TagRule
    omitted: Transitions = (KEEP, KEEP, KEEP, KEEP, KEEP)
    omitted_tags: TagRule = TagRule.keep
    always_recorded: bool = False
    """Writes an event of each listed address that it speaks of, even where nothing changes: proof that it was said."""
    recorded_once: bool = False
    """The same, but for addresses that are ``CONFIRMED``: an event more would prove nothing more."""
    within_tags: bool = False
    """The file states who carries some tags; whoever carries none of them is not omitted."""

    @property
    def removes(self) -> bool:
        """Whether being absent from the file has consequences."""
        return self.omitted != (KEEP,) * 5

    @property
    def supersedes(self) -> bool:
        """Whether a later file says all there is to say, so that an older one can only do harm."""
        return not self.within_tags and (self.removes or self.tags is TagRule.set)

    @property
    def takes_in(self) -> bool:
        """Whether an address that nobody has heard of gets a place on the list."""
        return self.listed[Status.absent] >= 0


# opted_out is absorbing in every one of them: no file lifts it, whoever caused it.
_OPT_IN: Transitions = (IN, IN, IN, KEEP, KEEP)
_SUSPEND_OMITTED: Transitions = (KEEP, SUSPENDED, KEEP, KEEP, KEEP)
_OPT_OUT_OMITTED: Transitions = (KEEP, OUT, KEEP, KEEP, KEEP)

PREFORMATTED = Policy("preformatted", _OPT_IN, TagRule.add)
APPEND = Policy("append", _OPT_IN, TagRule.add)
APPEND_TAGS = Policy("append_tags", _OPT_IN, TagRule.set)
SOFT_OPT_OUT = Policy("soft_opt_out", _OPT_IN, TagRule.add, _SUSPEND_OMITTED)
SOFT_OPT_OUT_TAGS = Policy("soft_opt_out_tags", _OPT_IN, TagRule.set, _SUSPEND_OMITTED)
HARD_OPT_OUT = Policy("hard_opt_out", _OPT_IN, TagRule.set, _OPT_OUT_OMITTED)

MODES = {
    policy.name: policy for policy in (PREFORMATTED, APPEND, APPEND_TAGS, SOFT_OPT_OUT, SOFT_OPT_OUT_TAGS, HARD_OPT_OUT)
}


def for_mode(mode: str, omitted_tags: str = "keep") -> Policy:
    """The policy of a feed. ``omitted_tags: clear`` takes the tags off opted-in addresses that are not listed."""
    policy = MODES[mode]
    if omitted_tags == "clear" and not policy.removes:
        return replace(policy, omitted=(KEEP, IN, KEEP, KEEP, KEEP), omitted_tags=TagRule.clear)
    return policy


# Informz BulkUpload. An unsubscribed subscriber keeps that status in all actions but the one that lifts it; what the
# file says of interests and attributes is kept up to date meanwhile.
_SUBSCRIBE: Transitions = (IN, IN, IN, KEEP, UNSUBSCRIBED)
_SAME_STATUS: Transitions = (KEEP, IN, SUSPENDED, OUT, UNSUBSCRIBED)

ACTIONS = {
    policy.name: policy
    for policy in (
        Policy("AddOrUpdateSubscribers", _SUBSCRIBE, TagRule.add),
        Policy("ReplaceAllSubscribers", _SUBSCRIBE, TagRule.replace, _SAME_STATUS, TagRule.remove, within_tags=True),
        Policy("RemoveSubscribers", _SAME_STATUS, TagRule.remove),
        Policy(
            "UnsubscribeSubscribers",
            (UNSUBSCRIBED, UNSUBSCRIBED, UNSUBSCRIBED, KEEP, UNSUBSCRIBED),
            TagRule.keep,
            always_recorded=True,  # as all that asks for an opt-out by name
        ),
        Policy("ResubscribeSubscribers", (KEEP, IN, SUSPENDED, KEEP, IN), TagRule.keep),
    )
}

# An operator takes one subscriber off by hand.
UNSUBSCRIBE = Policy(
    "unsubscribe", (UNSUBSCRIBED, UNSUBSCRIBED, UNSUBSCRIBED, OUT, UNSUBSCRIBED), TagRule.keep, always_recorded=True
)

# Commands of the ManageOptin API and the command line: the same plan on one address. Tags given with a command that
# takes people in are added, with one that puts them out they are removed. Who commands what is true already has decided
# it all the same: the undo of the file that made it true must leave it so. Programs that send all their people every
# night say so once.
COMMANDS = {
    policy.name: policy
    for policy in (
        Policy("opt_in", (IN, IN, IN, REFUSE, REFUSE), TagRule.add, recorded_once=True),
        Policy("opt_out", (OUT, OUT, OUT, OUT, OUT), TagRule.remove, always_recorded=True),
        Policy("suspend", (REFUSE, SUSPENDED, SUSPENDED, REFUSE, REFUSE), TagRule.remove, always_recorded=True),
        Policy("reactivate", (REFUSE, IN, IN, REFUSE, REFUSE), TagRule.add, recorded_once=True),
        Policy("add_tags", (REFUSE, IN, SUSPENDED, REFUSE, REFUSE), TagRule.add, recorded_once=True),
        Policy("remove_tags", (REFUSE, IN, SUSPENDED, OUT, KEEP), TagRule.remove, always_recorded=True),
    )
}

# The only way back from opted_out: the end user's own message with the keyword.
KEYWORD_MESSAGE = Policy("keyword_message", (IN, IN, IN, IN, IN), TagRule.keep, always_recorded=True)

# Go-live: the statuses of the list that is brought along. An opt-out on either side wins. As with commands, what is
# brought stands by its own right, whatever becomes of a file that said the same.
IMPORTS_OF_SUBSCRIBERS: dict[Status, Policy] = {
    status: Policy("import", listed, TagRule.add, always_recorded=True)
    for status, listed in {
        Status.opted_in: _OPT_IN,
        Status.suspended: (SUSPENDED, SUSPENDED, SUSPENDED, KEEP, KEEP),
        Status.opted_out: (OUT, OUT, OUT, OUT, OUT),
        Status.unsubscribed: (UNSUBSCRIBED, UNSUBSCRIBED, UNSUBSCRIBED, KEEP, UNSUBSCRIBED),
    }.items()
}
IMPORTS: dict[Status, Policy] = {
    status: rules for status, rules in IMPORTS_OF_SUBSCRIBERS.items() if status is not Status.unsubscribed
}
