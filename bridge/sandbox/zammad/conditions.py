"""Zammad's conditions, in the simple and the expert form, for triggers and for searches."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from bridge.sandbox.zammad.records import ApiError, Record, as_moment, as_text
from bridge.sandbox.zammad.store import SYSTEM

Told = Literal["others", "everybody", "nobody"]
"""Which agents of the group a change is told to: those who did not make it by hand, or all."""


@dataclass(frozen=True, slots=True, eq=False)
class Event:
    """One change of a ticket: what happened, to what, which columns changed, by whom."""

    kind: str
    ticket: Record
    article: Record | None = None
    changes: frozenset[str] = field(default_factory=frozenset)
    actor_id: int = SYSTEM
    told: Told = "others"


Related = Callable[[str], Record | None]
"""Finds the record that the first half of an attribute's name stands for."""


def matches(condition: Record, event: Event, related: Related) -> bool:
    """Whether a trigger with this condition acts on the event.

    An attribute or operator that Zammad does not know never matches, and nobody is told: a
    trigger on `article.action` is accepted with 201 and stays silent (recordings 052, 091).
    """
    try:
        return _is_due(condition, event) and holds(condition, event, related)
    except KeyError:
        return False


def holds(condition: Record, event: Event, related: Related) -> bool:
    """Whether the condition is true.

    Raises:
        KeyError: an attribute or an operator is unknown.
    """
    if "conditions" not in condition:
        return all(_holds_row(name, row, event, related) for name, row in condition.items())
    results = [
        holds(row, event, related)
        if "conditions" in row
        else _holds_row(row["name"], row, event, related)
        for row in condition["conditions"]
    ]
    return {"AND": all(results), "OR": any(results), "NOT": not any(results)}[condition["operator"]]


def _is_due(condition: Record, event: Event) -> bool:
    """Selective execution: an update without an article must touch a column of the condition.

    So `ticket.action is update` alone fires on an article only (recordings 214, 215), and a loop
    guard on `updated_by_id` alone fires on a change of hands only.
    """
    if event.kind != "update" or event.article is not None:
        return True
    return any(name.removeprefix("ticket.") in event.changes for name in _names(condition))


def _names(condition: Record) -> Iterator[str]:
    if "conditions" not in condition:
        yield from condition
        return
    for row in condition["conditions"]:
        if "conditions" in row:
            yield from _names(row)
        else:
            yield row["name"]


def _holds_row(name: str, row: Mapping[str, Any], event: Event, related: Related) -> bool:
    wanted = {"current_user.id": event.actor_id, "not_set": ["", SYSTEM]}.get(
        row.get("pre_condition", ""), row.get("value")
    )
    compare = OPERATORS[row["operator"]] if row["operator"] != "has changed" else None
    if name == "ticket.action":
        return compare is not None and compare(event.kind, wanted)
    owner, _, attribute = name.partition(".")
    record = related(owner)
    if record is None:
        return False
    actual = record[attribute]
    return attribute in event.changes if compare is None else compare(actual, wanted)


def _is(actual: object, wanted: object) -> bool:
    choices = wanted if isinstance(wanted, list) and wanted else [None if wanted == [] else wanted]
    return as_text(actual) in {as_text(choice) for choice in choices}


def _contains(actual: object, wanted: object) -> bool:
    return as_text(wanted).lower() in as_text(actual).lower()


def _after(actual: object, wanted: object) -> bool:
    moment, limit = as_moment(actual), as_moment(wanted)
    return moment is not None and limit is not None and moment > limit


def _before(actual: object, wanted: object) -> bool:
    moment, limit = as_moment(actual), as_moment(wanted)
    return moment is not None and limit is not None and moment < limit


OPERATORS: dict[str, Callable[[object, object], bool]] = {
    "is": _is,
    "is not": lambda actual, wanted: not _is(actual, wanted),
    "is set": lambda actual, _wanted: as_text(actual) != "",
    "not set": lambda actual, _wanted: as_text(actual) == "",
    "contains": _contains,
    "contains not": lambda actual, wanted: not _contains(actual, wanted),
    "after (absolute)": _after,
    "before (absolute)": _before,
}
"""The operators of a condition, beside `has changed`: the stored value, the condition's value."""


def from_query(arguments: Iterable[tuple[str, list[str]]]) -> Record:
    """The condition in `condition[ticket.updated_at][operator]=...` and its like.

    Raises:
        ApiError: 422, an operator is unknown.
    """
    condition: Record = {}
    for key, values in arguments:
        part = re.fullmatch(r"condition\[([^\]]+)\]\[([^\]]+)\](\[\])?", key)
        if part:
            value = values if part[3] else values[-1]
            condition.setdefault(part[1], {})[part[2]] = value
    if any(row.get("operator") not in OPERATORS for row in condition.values()):
        raise ApiError(422, "Invalid condition: unknown operator")
    return condition
