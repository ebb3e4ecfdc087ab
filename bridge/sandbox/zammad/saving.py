"""Rows of tickets: what a request sets in one, what a save derives from it, and its history."""

from bridge.sandbox.zammad import lifecycle, seed
from bridge.sandbox.zammad.access import Actor
from bridge.sandbox.zammad.articles import full_name
from bridge.sandbox.zammad.attributes import ObjectManager
from bridge.sandbox.zammad.escalation import Escalations
from bridge.sandbox.zammad.records import ApiError, Record, as_moment, as_text, opaque
from bridge.sandbox.zammad.store import SYSTEM, Store

_RELATIONS = {
    # name in a request: table, column that holds the name
    "group": ("Group", "name"),
    "state": ("TicketState", "name"),
    "priority": ("TicketPriority", "name"),
    "owner": ("User", "login"),
    "customer": ("User", "login"),
    "organization": ("Organization", "name"),
}
_OF_AGENTS = ("owner", "customer", "organization")
"""What a customer's request may not say of a ticket that there is: it is left out (`update`)."""

_UNLOGGED = frozenset(
    {"article_count", "create_article_type_id", "create_article_sender_id", "preferences"}
    | {"updated_by_id"}
)


class Tickets:
    """Inserts and saves tickets, as their model in Zammad does whoever asks for it.

    Args:
        store: the database.
        attributes: the custom attributes of tickets.
    """

    def __init__(self, store: Store, attributes: ObjectManager) -> None:
        self._store = store
        self._attributes = attributes
        self._escalations = Escalations(store)

    def wanted(self, actor: Actor, body: Record, ticket: Record | None = None) -> Record:
        """The columns that a request sets; unknown and read-only keys are ignored.

        Args:
            actor: who asks.
            body: the request, names or ids.
            ticket: the ticket that is to be changed; None for a new one. Its preferences are kept
                key by key, and its people are not a customer's to change.

        Raises:
            ApiError: 422, a name or a value is refused.
        """
        if ticket is not None and not actor.is_agent and actor.id != SYSTEM:
            barred = {key for name in _OF_AGENTS for key in (name, f"{name}_id")}
            body = {key: value for key, value in body.items() if key not in barred}
        wanted: Record = {}
        for name, (table, column) in _RELATIONS.items():
            if body.get(name):
                wanted[f"{name}_id"] = self._lookup(name, table, column, body[name])
        wanted |= {key: _as_id(body[key]) for key in lifecycle.WRITABLE_IDS if key in body}
        wanted |= {key: as_moment(body[key]) for key in lifecycle.WRITABLE_TIMES if key in body}
        wanted |= {key: body[key] for key in lifecycle.WRITABLE_VALUES if key in body}
        if actor.is_agent and isinstance(body.get("preferences"), dict):
            wanted["preferences"] = {**(ticket or {}).get("preferences", {}), **body["preferences"]}
        if wanted.get("state_id") is not None:
            self._check_state(wanted["state_id"])
        return wanted | self._attributes.cast("Ticket", body)

    def insert(self, actor: Actor, wanted: Record) -> Record:
        """Store a new ticket in the name of `actor`."""
        defaults = {"priority_id": 2, "state_id": seed.NEW, "owner_id": SYSTEM, "preferences": {}}
        fields: Record = dict.fromkeys(lifecycle.FIELDS[1:]) | defaults
        fields |= self._attributes.defaults("Ticket") | wanted
        fields["organization_id"] = self._organization(fields)
        state_type = self.state_type(fields["state_id"])
        lifecycle.consequences({}, fields, state_type, self._store.now())
        ticket = self._store.insert("Ticket", fields, actor.id)
        ticket["number"] = f"55{ticket['id']:03d}"
        self._store.log(ticket["id"], actor.id, "created", created_at=ticket["created_at"])
        self._escalations.apply(ticket)
        return ticket

    def save(self, ticket: Record, wanted: Record, by: int) -> set[str]:
        """Store a change, or none, in the name of user `by`, with all that follows from it.

        Each save signs the ticket, and corrects an organisation that is not the customer's any
        more. From Zammad's code: the correction comes after the time of the change is set, so one
        that comes alone leaves `updated_at`, which is also the time of its row in the history.

        Returns:
            The columns that changed.
        """
        after = ticket | wanted | {"updated_by_id": by}
        state_type, now = self.state_type(after["state_id"]), self._store.now()
        lifecycle.consequences(ticket, after, state_type, now)
        if any(ticket[key] != after[key] for key in ticket):
            after["updated_at"] = now
        after["organization_id"] = self._organization(after)
        changed = {key for key in ticket if ticket[key] != after[key]} - {"updated_at"}
        for key in (key for key in ticket if key in changed):
            self._log_change(ticket, after, key)
        ticket.update(after)
        if changed:
            self._escalations.apply(ticket)
        return changed

    def state_type(self, state_id: int) -> str:
        """What kind of state it is, whatever its name."""
        return seed.STATE_TYPES[self._store.get("TicketState", state_id)["state_type_id"]]

    def _lookup(self, name: str, table: str, column: str, value: object) -> int:
        row = self._store.first(table, **{column: value})
        if row is None:
            raise ApiError(422, f"No lookup value found for '{name}': \"{value}\"")
        return int(row["id"])

    def _check_state(self, state_id: int) -> None:
        if state_id not in self._store.tables["TicketState"]:
            raise ApiError(422, f"Invalid value '{state_id}' for field 'state_id'!", human=False)

    def _organization(self, ticket: Record) -> int | None:
        """The organisation that is wanted, if it is one of the customer's, else the primary one.

        Another one is refused without a word (recordings 504, 508, 512).
        """
        wanted: int | None = ticket["organization_id"]
        customer = self._store.tables["User"].get(ticket["customer_id"])
        if customer is None or wanted in customer["organization_ids"]:
            return wanted
        primary: int | None = customer["organization_id"]
        return primary

    def _log_change(self, ticket: Record, after: Record, key: str) -> None:
        if key in _UNLOGGED:
            return
        before, value, by = ticket[key], after[key], after["updated_by_id"]
        name, at = key.removesuffix("_id"), {"created_at": after["updated_at"]}
        if name == key or name not in _RELATIONS:
            values = {"value_from": as_text(before), "value_to": as_text(value)}
            self._store.log(ticket["id"], by, "updated", attribute=key, **values, **at)
            return
        table = _RELATIONS[name][0]
        ids = {"id_to": value, "id_from": before}
        names = {
            "value_from": self._history_name(table, before),
            "value_to": self._history_name(table, value),
        }
        self._store.log(ticket["id"], by, "updated", attribute=name, **ids, **names, **at)

    def _history_name(self, table: str, row_id: object) -> str:
        row = self._store.tables[table].get(row_id if isinstance(row_id, int) else 0, {})
        return full_name(row) if table == "User" else str(row.get("name", ""))


def check_new(actor: Actor, wanted: Record) -> None:
    """Refuse a new ticket without what it needs.

    Raises:
        ApiError: 403 or 422, as recordings 146 to 153.
    """
    if wanted.get("group_id") is None:
        raise ApiError(422, "The required value 'group_id' is missing.")
    if actor.is_agent and not actor.works_in(wanted["group_id"]):
        raise ApiError(403, "Not authorized")
    if not wanted.get("title") or wanted.get("customer_id") is None:
        raise opaque(422)


def _as_id(value: object) -> int | None:
    return int(str(value)) if str(value).isdigit() else None
