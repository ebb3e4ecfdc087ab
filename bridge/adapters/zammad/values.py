"""What is written into Zammad's attributes, and whether Zammad stored it. No I/O."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

from bridge.adapters.displays import SUMMARY, differing, missing, whole_minute
from bridge.errors import HelpdeskRefused
from bridge.ticket import AccountFields, Fields

Value = int | str | date | datetime | None
"""What an attribute holds; a datetime is an instant in UTC."""


def ticket_values(fields: Fields) -> dict[str, Value]:
    """What the attributes of a ticket are to hold."""
    return {
        SUMMARY: fields.line or None,
        "points_state": fields.state.value,
        "points_charged": fields.charged,
        "points_balance": fields.balance,
        "points_next_expiry": fields.next_expiry,
        "points_response_due": fields.response_due and whole_minute(fields.response_due),
        "points_sla_state": fields.sla and fields.sla.value,
        "points_free_reopen_until": fields.free_reopen_until,
    }


def account_values(fields: AccountFields) -> dict[str, Value]:
    """What the attributes of an organisation are to hold."""
    return {"points_balance": fields.balance, "points_next_expiry": fields.next_expiry}


def next_minute(at: datetime) -> datetime:
    """Zammad drops the seconds of pending_time: later is better than too early."""
    return whole_minute(at + timedelta(minutes=1, microseconds=-1))


def as_json(value: Value) -> int | str | None:
    """As Zammad's API takes it."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    return value.isoformat() if isinstance(value, date) else value


def compare(record: str, wanted: Mapping[str, Value], stored: object) -> None:
    """Insist that what was sent is what was stored.

    Raises:
        HelpdeskRefused: it is not; names the attributes.
    """
    if not isinstance(stored, dict):
        raise HelpdeskRefused(f"Zammad's answer to the update is not the {record}")
    if lacking := missing(wanted, stored):
        raise HelpdeskRefused(
            f"Zammad has no {record} attribute {', '.join(lacking)}: run `points-bridge setup`, or"
            " create it there and run the pending migrations"
        )
    if other := list(differing(wanted, stored, same)):
        raise HelpdeskRefused(
            f"Zammad stored another value than it was sent in {', '.join(other)}:"
            " check the attribute's type, its limits and its options"
        )


def same(wanted: Value, stored: object) -> bool:
    """Whether a stored value is the wanted one; no value may be stored as an empty text."""
    if wanted is None:
        return stored is None or stored == ""
    if isinstance(wanted, datetime):
        return isinstance(stored, str) and _instant(stored) == wanted
    if isinstance(wanted, date):
        return stored == wanted.isoformat()
    return type(stored) is type(wanted) and stored == wanted


def _instant(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at.astimezone(UTC).replace(microsecond=0) if at.tzinfo else None
