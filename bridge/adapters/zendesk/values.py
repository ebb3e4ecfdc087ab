"""What is written into Zendesk's fields, and whether Zendesk stored it. No I/O."""

import re
from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

from bridge.adapters.displays import SUMMARY, differing, missing, whole_minute
from bridge.errors import HelpdeskRefused
from bridge.policy.zones import load_zone
from bridge.ticket import AccountFields, Fields

Value = int | str | None
"""What a custom field holds."""

FIELD_TYPES: Mapping[str, str] = {
    SUMMARY: "text",
    "points_state": "tagger",
    "points_response_due": "text",
    "points_response_due_date": "date",
    "points_sla_state": "tagger",
    "points_charged": "integer",
    "points_balance": "integer",
    "points_next_expiry": "date",
    "points_free_reopen_until": "date",
}
"""Our ticket fields and their types in Zendesk. Its dates have no time of day, and its views cannot
sort by text: so the due time is shown twice, in the account's zone. An option's value, which is
also a tag, is the field's name, an underscore and our word, such as `points_state_charged`."""

ACCOUNT_FIELD_TYPES: Mapping[str, str] = MappingProxyType(
    {"points_balance": "integer", "points_next_expiry": "date"}
)
"""The fields of organisations that show what their accounts have, by their keys."""

_MIDNIGHT = re.compile(r"T00:00:00(Z|\+00:00)")


def field_key(title: str) -> str:
    """The field that a title stands for: "Points: state (do not edit)" is `points_state`."""
    return "_".join(re.findall(r"[a-z0-9]+", title.partition("(")[0].lower()))


def ticket_values(fields: Fields) -> dict[str, Value]:
    """What the fields of a ticket are to hold, by their keys."""
    zone = load_zone(fields.zone)
    due = fields.response_due and whole_minute(fields.response_due).astimezone(zone)
    return {
        SUMMARY: fields.line or None,
        "points_state": f"points_state_{fields.state}",
        "points_charged": fields.charged,
        "points_balance": fields.balance,
        "points_next_expiry": _day(fields.next_expiry),
        "points_response_due": f"{due.isoformat(' ', 'minutes')} {fields.zone}" if due else None,
        "points_response_due_date": _day(due),
        "points_sla_state": f"points_sla_state_{fields.sla}" if fields.sla else None,
        "points_free_reopen_until": _day(fields.free_reopen_until),
    }


def account_values(fields: AccountFields) -> dict[str, Value]:
    """What the fields of an organisation are to hold, by their keys."""
    return {"points_balance": fields.balance, "points_next_expiry": _day(fields.next_expiry)}


def compare(record: str, wanted: Mapping[str, Value], stored: Mapping[str, object]) -> None:
    """Insist that what was sent is what was stored.

    Raises:
        HelpdeskRefused: it is not; names the fields.
    """
    if lacking := missing(wanted, stored):
        raise HelpdeskRefused(
            f"Zendesk's {record} has no field {', '.join(lacking)}: run `points-bridge setup`"
        )
    if other := list(differing(wanted, stored, same)):
        raise HelpdeskRefused(
            f"Zendesk stored another value than it was sent in {', '.join(other)}:"
            " check the field's options; `points-bridge setup` repairs them"
        )


def _day(at: date | None) -> str | None:
    return f"{at:%Y-%m-%d}" if at else None


def same(wanted: Value, stored: object) -> bool:
    """Zendesk shows integers as numbers or as text, and an organisation's dates as midnights."""
    if wanted is None:
        return stored is None or stored == ""
    return _MIDNIGHT.sub("", str(stored)) == str(wanted)
