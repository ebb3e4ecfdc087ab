"""Zendesk's conditions, for triggers and for views (its page "Conditions reference")."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from bridge.sandbox.zendesk.lifecycle import PRIORITIES, STATUSES
from bridge.sandbox.zendesk.records import ApiError, Record, invalid
from bridge.sandbox.zendesk.store import Store

VIA_IDS = {
    "web": 0,
    "email": 4,
    "api": 5,
    "rule": 8,
    "recovered_from_suspended_tickets": 21,
    "chat": 29,
    "voice": 34,
}
"""The numbers of the channels; a follow-up is `FOLLOW_UP`, however its text came in."""

FOLLOW_UP = 27

_COLUMNS = frozenset(
    {"status", "priority", "type", "assignee_id", "group_id", "requester_id", "organization_id"}
    | {"ticket_form_id", "brand_id", "custom_status_id"}
)
CHANNELS = frozenset({"via_id", "current_via_id"})
"""The conditions whose values are numbers of channels."""

_OF_THE_UPDATE = CHANNELS | {"update_type", "comment_is_public", "role"}
_TEXTS = frozenset({"current_tags", "subject_includes_word", "comment_includes_word"})
_RANKS = {word: rank for words in (STATUSES, PRIORITIES) for rank, word in enumerate(words)}


@dataclass(slots=True, eq=False)
class Event:
    """One change of a ticket: what it was before, who did it, and what was said.

    Attributes:
        kind: `System` for what triggers do not see: merges, deletions, restorations.
        before: the ticket before; empty for a new one.
        news: what event webhooks are told beside the changes: the type and its own properties.
        marks: what the metadata of the audit and its comment have beside the usual, such as flags.
    """

    kind: Literal["Create", "Change", "System"]
    ticket: Record
    before: Mapping[str, object]
    actor: Record
    via: Record
    audit: Record | None = None
    comment: Record | None = None
    news: tuple[tuple[str, Record], ...] = field(default=())
    marks: Record = field(default_factory=dict)

    def changed(self, name: str) -> bool:
        """Whether that column is another than before."""
        return bool(self.before.get(name) != self.ticket.get(name))


def via_id(via: Record) -> int:
    """The number that stands for a channel in conditions."""
    if via["source"]["rel"] == "follow_up":
        return FOLLOW_UP
    return VIA_IDS.get(via["channel"], 0)


def check(conditions: Mapping[str, list[Record]]) -> None:
    """Refuse conditions that could never be met.

    Raises:
        ApiError: 422, there are none, a field or an operator is not known, or a channel is a word.
    """
    rows = conditions["all"] + conditions["any"]
    if not rows:
        raise invalid("base", "Must have at least one condition")
    for row in rows:
        name, value = str(row.get("field")), str(row.get("value"))
        if name in CHANNELS and not value.isdecimal():
            reason = f"Invalid value '{value}' in '{name} / {row.get('operator')} / {value}'"
            raise invalid("base", reason)
        if not _is_field(str(row.get("field"))):
            raise _no_such(f"field {row.get('field')}")
        if row.get("operator") not in {*_ON_CHANGES, *_ON_VALUES}:
            raise _no_such(f"operator {row.get('operator')}")


def _no_such(what: str) -> ApiError:
    return invalid("base", f"Condition {what} was deleted and cannot be used")


def _is_field(name: str) -> bool:
    pattern = r"custom_fields_\d+|organization\.custom_fields\.\w+"
    known = name in _COLUMNS | _OF_THE_UPDATE | _TEXTS
    return known or re.fullmatch(pattern, name) is not None


def holds(conditions: Mapping[str, list[Record]], event: Event, store: Store) -> bool:
    """Whether all of `all`, and any of `any`, are true."""
    whole = all(_holds_row(row, event, store) for row in conditions["all"])
    some = [_holds_row(row, event, store) for row in conditions["any"]]
    return whole and (any(some) or not some)


def _holds_row(row: Record, event: Event, store: Store) -> bool:
    name, operator, wanted = str(row["field"]), row["operator"], row.get("value")
    if operator in _ON_CHANGES:
        column = "tags" if name == "current_tags" else name
        before, after = event.before.get(column), event.ticket.get(column)
        return _ON_CHANGES[operator](before, after, wanted)
    return _ON_VALUES[operator](_actual(name, event, store), wanted)


def _actual(name: str, event: Event, store: Store) -> object:
    if name.startswith("organization.custom_fields."):
        organization = store.tables["organizations"].get(event.ticket["organization_id"] or 0, {})
        return organization.get("organization_fields", {}).get(name.rpartition(".")[2])
    if name in _READERS:
        return _READERS[name](event)
    return event.ticket.get(name)


def _publicity(event: Event) -> object:
    """`not_relevant` asks only whether there is a comment: see `_is`."""
    return None if event.comment is None else bool(event.comment["public"])


_READERS: dict[str, Callable[[Event], object]] = {
    "update_type": lambda event: event.kind,
    "via_id": lambda event: via_id(event.ticket["via"]),
    "current_via_id": lambda event: via_id(event.via),
    "comment_is_public": _publicity,
    "role": lambda event: str(event.actor["role"]).replace("-", "_"),
    "current_tags": lambda event: " ".join(event.ticket["tags"]),
    "subject_includes_word": lambda event: event.ticket["subject"],
    "comment_includes_word": lambda event: (event.comment or {}).get("body"),
}


def _text(value: object) -> str:
    return "" if value is None else str(value).lower()


def _is(actual: object, wanted: object) -> bool:
    if wanted == "not_relevant":
        return actual is not None
    if wanted == "requester_can_see_comment":
        return actual is True
    return _text(actual) == _text(wanted)


def _less(actual: object, wanted: object) -> bool:
    one, other = _RANKS.get(_text(actual)), _RANKS.get(_text(wanted))
    return one is not None and other is not None and one < other


def _includes(actual: object, wanted: object) -> bool:
    words = re.findall(r"\w+", _text(actual))
    return any(word in words for word in _text(wanted).split())


_ON_VALUES: dict[object, Callable[[object, object], bool]] = {
    "is": _is,
    "is_not": lambda actual, wanted: not _is(actual, wanted),
    "less_than": _less,
    "greater_than": lambda actual, wanted: _less(wanted, actual),
    "includes": _includes,
    "not_includes": lambda actual, wanted: not _includes(actual, wanted),
    "present": lambda actual, _wanted: actual is not None,
    "not_present": lambda actual, _wanted: actual is None,
}
"""The operators on what a ticket or an update is: the actual value, the condition's value."""

_ON_CHANGES: dict[object, Callable[[object, object, object], bool]] = {
    "changed": lambda before, after, _wanted: before != after,
    "not_changed": lambda before, after, _wanted: before == after,
    "value": lambda before, after, wanted: before != after and _is(after, wanted),
    "not_value": lambda before, after, wanted: not (before != after and _is(after, wanted)),
    "value_previous": lambda before, after, wanted: before != after and _is(before, wanted),
    "not_value_previous": lambda before, after, wanted: (
        not (before != after and _is(before, wanted))
    ),
}
"""The operators on how an update changed a column: before, after, the condition's value."""
