"""A BulkUpload in the numbers of its brand's list: addresses become keys, attributes and interests become sets.

From there on it is planned, guarded, written and undone like every other file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from alp_daemon.domain.model import Codes, Keys, Listed, ListState, Tags
from alp_daemon.domain.plan import Plan, make_plan
from alp_daemon.domain.policy import Policy
from alp_daemon.domain.rows import find
from alp_daemon.domain.subscribers import (
    NO_ATTRIBUTES,
    UNKNOWN,
    AddressBook,
    AttributeSets,
    Column,
    Subscribers,
    attributes_after,
)
from alp_daemon.domain.tag import MAX_LENGTH
from alp_daemon.domain.tag_sets import TagSets
from alp_daemon.files.informz.fields import DemographicType, FieldDefinition, FieldType
from alp_daemon.files.informz.places import COUNTRIES, STATES, canonical_country, canonical_state
from alp_daemon.files.informz.request import Action, BulkUpload
from alp_daemon.services.processing.rules import Rules
from alp_daemon.store import subscribers
from alp_daemon.store.lists import ListHead
from alp_daemon.store.store import Transaction
from alp_daemon.store.subscribers import Field

_CANONICAL: dict[str, Callable[[str], str | None]] = {
    DemographicType.state: canonical_state,
    DemographicType.country: canonical_country,
}
# In the notes of a report.
_MOST_NAMED = 20

_PLACES: dict[str, tuple[str, ...]] = {DemographicType.state: STATES, DemographicType.country: COUNTRIES}


@dataclass(frozen=True, slots=True)
class Subscribed:
    """What a request says of the list's subscribers, and what has to be stored beside the plan."""

    listed: Listed
    attrs: Codes
    spared: Keys
    stated: Tags
    book: AddressBook
    attributes: AttributeSets


def subscribed(
    transaction: Transaction, head: ListHead | None, state: ListState, said: Subscribers, policy: Policy
) -> Subscribed:
    """The request's subscribers, sorted by key. Who is unknown is passed over, unless the action takes people in."""
    book = subscribers.read_addresses(transaction, head)
    keys = book.take_in(said.addresses) if policy.takes_in else book.find(said.addresses)
    order = np.argsort(keys, kind="stable")
    order = order[keys[order] != UNKNOWN]
    listed = Listed(keys[order], said.interests[order], said.sets)
    attributes = subscribers.read_attributes(transaction, head)
    before = _attributes_of(state, listed)
    columns = [column.of(order) for column in said.columns]
    after = attributes.changed(before, attributes_after(attributes.texts(before), columns)) if columns else before
    return Subscribed(listed, after, book.find(said.unusable), _stated(said), book, attributes)


def plan_of(state: ListState, found: Subscribed, policy: Policy, sets: TagSets, feed_bit: int) -> Plan:
    return make_plan(
        state,
        found.listed,
        policy,
        sets,
        feed_bit=feed_bit,
        stated=found.stated,
        attrs=found.attrs,
        spared=found.spared,
    )


def keep(
    transaction: Transaction,
    head: ListHead,
    found: Subscribed,
    plan: Plan,
    said: Subscribers,
    fields: Iterable[FieldDefinition],
    upload: int,
) -> None:
    """Stores what the plan's rows refer to, and the fields and target groups that are new."""
    keys, attrs = set(plan.after.keys.tolist()), set(plan.after.attrs.tolist())
    subscribers.keep_addresses(transaction, head, (new for new in found.book.take_new() if new[0] in keys))
    subscribers.keep_attributes(transaction, head, (new for new in found.attributes.take_new() if new[0] in attrs))
    known = subscribers.read_fields(transaction, head)
    new = [_field(field) for field in fields if field.name not in known]
    subscribers.keep_fields(transaction, head, new, upload)
    kinds = {field.name: field.demographic for field in (*known.values(), *new)}
    groups = {column.name: _target_groups(column, kinds[column.name]) for column in said.columns if kinds[column.name]}
    for field in new:
        groups.get(field.name, set()).update(_PLACES.get(field.demographic, ()))
    subscribers.keep_target_groups(transaction, head, groups)


def notes(said: Subscribers, found: Subscribed, rules: Rules) -> tuple[str, ...]:
    """What the sender should know beside counts and rejects."""
    told = _ignored(said.ignored_interests)
    if rules.policy.within_tags and said.interests_named and said.buckets.read == said.buckets.blank:
        told.append("the request holds no record, which takes every member out of its interests")
    if unheard_of := len(said.addresses) - len(found.listed.keys):
        told.append(f"addresses that are not on the list, passed over: {unheard_of:,}")
    return tuple(told)


def _ignored(interests: Mapping[str, int]) -> list[str]:
    """A note for each name, the most frequent first. A column mapped wrongly has a million of them."""
    by_count = sorted(interests.items(), key=lambda item: (-item[1], item[0]))
    told = [
        f'the interest "{name[:MAX_LENGTH]}" does not exist and was ignored ({count:,} times); correct the name,'
        " or have it made (`interests add`)"
        for name, count in by_count[:_MOST_NAMED]
    ]
    if more := len(by_count) - len(told):
        told.append(f"so were {more:,} other names that no interest has: is the right column defined as Interest?")
    return told


def _stated(said: Subscribers) -> Tags:
    """The interests whose members the request states: those it names, and those that its records name."""
    return tuple(sorted({*said.interests_named}.union(*said.sets)))


def _attributes_of(state: ListState, listed: Listed) -> Codes:
    at, known = find(state.keys, listed.keys)
    attrs = np.full(len(listed.keys), NO_ATTRIBUTES, np.int32)
    attrs[known] = state.attrs[at[known]]
    return attrs


def attribute_fields(request: BulkUpload) -> Iterable[FieldDefinition]:
    """The definitions that make attributes. RemoveSubscribers ignores definitions."""
    if request.action is Action.remove:
        return ()
    return (field for field in request.fields if field.field_type not in (FieldType.email, FieldType.interest))


def _field(definition: FieldDefinition) -> Field:
    is_demographic = definition.field_type is FieldType.demographic
    return Field(
        definition.name,
        definition.field_type.value,
        definition.data_type.value,
        definition.demographic_type.value if is_demographic else "",
        definition.multiple,
    )


def _target_groups(column: Column, kind: str) -> set[str]:
    """The values that the upload uses, its default among them; NY is no group beside New York."""
    canonical = _CANONICAL.get(kind, str)
    values = [*column.values[1:], *(() if column.default is None else (column.default,))]
    texts = (text for value in values for text in (value if isinstance(value, tuple) else (str(value),)))
    return {canonical(text) or text for text in texts}
