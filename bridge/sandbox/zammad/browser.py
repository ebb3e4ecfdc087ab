"""An agent's browser: what its form shows of a ticket, what looks edited, and what a save sends.

The rules are those of the form in Zammad's web client: texts lose the blanks at their ends, whole
minutes are all it knows of a time, a value that is no option shows as none, and nothing equals
nothing. Held against recordings 610, 611, 620 and 626.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bridge.sandbox.zammad.access import Actor
from bridge.sandbox.zammad.attributes import ObjectManager
from bridge.sandbox.zammad.desk import Desk
from bridge.sandbox.zammad.records import Record
from bridge.sandbox.zammad.store import Store

_BUILT_IN = (
    *("number", "title", "group_id", "owner_id", "customer_id", "state_id", "priority_id"),
    *("updated_at", "preferences", "organization_id", "pending_time"),
)


@dataclass(frozen=True, slots=True)
class Form:
    """A ticket as a browser has loaded it: it knows nothing of what is written later.

    Attributes:
        ticket_id: the ticket.
        values: every field of the form, read-only and hidden ones, too.
    """

    ticket_id: int
    values: Record


class Browser:
    """Loads and saves tickets as the web client does.

    Args:
        store: the database.
        attributes: the custom attributes, which the form shows by their types.
        desk: takes what is saved.
    """

    def __init__(self, store: Store, attributes: ObjectManager, desk: Desk) -> None:
        self._store = store
        self._attributes = attributes
        self._desk = desk

    def load(self, ticket_id: int) -> Form:
        """The form as it is now.

        Raises:
            ApiError: 404.
        """
        ticket = self._store.get("Ticket", ticket_id)
        shown: Record = {name: ticket[name] for name in _BUILT_IN} | {"id": ticket_id}
        shown["pending_time"] = _minutes({}, shown["pending_time"])
        return Form(ticket_id, shown | self._custom(ticket))

    def edited(self, ticket_id: int) -> list[str]:
        """The fields that look edited as soon as an agent opens the ticket.

        The agent has touched nothing, and is asked to save or to discard changes all the same.
        """
        ticket, form = self._store.get("Ticket", ticket_id), self.load(ticket_id)
        return [
            name
            for name in self._custom(ticket)
            if _blank(form.values[name]) != _blank(ticket[name])
        ]

    def save(self, actor: Actor, form: Form, changes: Record) -> None:
        """Send the whole form as it was loaded, with what the agent changed in it.

        What others wrote since then is gone (recordings 619 to 623).

        Raises:
            ApiError: as PUT /tickets/{id}.
        """
        self._desk.update(actor, self._store.get("Ticket", form.ticket_id), form.values | changes)

    def _custom(self, ticket: Record) -> Record:
        shown: Record = {}
        for row in self._attributes.active("Ticket"):
            show = _SHOWN.get(row["data_type"], _as_it_is)
            shown[row["name"]] = show(row, ticket[row["name"]])
        return shown


def _blank(value: object) -> object:
    """A value as the form compares it: a number as its digits, nothing as an empty text."""
    if value is None:
        return ""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _as_it_is(_row: Record, value: object) -> object:
    return value


def _minutes(_row: Record, value: object) -> object:
    return value.replace(second=0, microsecond=0) if isinstance(value, datetime) else value


def _trimmed(_row: Record, value: object) -> object:
    return " ".join(value.splitlines()).strip() if isinstance(value, str) else value


def _option(row: Record, value: object) -> object:
    option = row["data_option"]
    known = {**option["options"], **option.get("historical_options", {})}
    return value if value is None or str(value) in known else ""


_SHOWN: dict[str, Callable[[Record, object], object]] = {
    "datetime": _minutes,
    "input": _trimmed,
    "select": _option,
}
