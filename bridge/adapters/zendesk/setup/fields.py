"""The custom fields that the bridge has in a Zendesk. They stay, with all that is in them."""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial

from bridge.adapters.provisioning import Action, Step
from bridge.adapters.resources import Item, Json, Lists, Resource
from bridge.adapters.zendesk.access import ZendeskConfig
from bridge.adapters.zendesk.values import ACCOUNT_FIELD_TYPES, FIELD_TYPES, field_key
from bridge.ticket import PointsState, SlaState

OPTIONS: Mapping[str, Iterable[PointsState | SlaState]] = {
    "points_state": PointsState,
    "points_sla_state": SlaState,
}
"""What the drop-downs offer."""

_SHOWN = {
    "points_balance": ("Points: balance", ACCOUNT_FIELD_TYPES["points_balance"]),
    "points_next_expiry": ("Points: next expiry", ACCOUNT_FIELD_TYPES["points_next_expiry"]),
}
_TEXT_TYPES = frozenset({"text", "textarea", "tagger", "dropdown", "regexp"})


class TicketFields(Resource):
    """Known by their titles, as the adapter knows them: of the active ones the oldest counts."""

    def __init__(self, lists: Lists) -> None:
        items = [Item(key, partial(_ticket_field, key)) for key in FIELD_TYPES]
        super().__init__(lists, "ticket_fields", "ticket field", items)

    def called(self, row: Json) -> str:
        """The key in its title."""
        return field_key(str(row.get("title")))

    def is_ours(self, row: Json) -> bool:
        """By its title and type: what an admin made by hand serves as well."""
        return FIELD_TYPES.get(self.called(row), "") == row.get("type")

    def found(self, item: Item) -> list[Json]:
        """The one that the adapter chooses comes first."""
        return sorted(super().found(item), key=lambda row: (not _active(row), row["id"]))

    def ids(self) -> dict[str, int]:
        """The ids of those that are there, by their keys."""
        found = {item.name: self.found(item)[:1] for item in self.items}
        return {key: rows[0]["id"] for key, rows in found.items() if rows and _active(rows[0])}

    def missing(self, item: Item) -> Step:
        """Blocked by an active field with our title that can never be ours."""
        named = (row for row in self.rows() if self.called(row) == item.name and _active(row))
        if other := next((row.get("type") for row in named), None):
            detail = f"is {other}, and must be {FIELD_TYPES[item.name]}"
            remedy = "delete it, or give it another title: Zendesk never changes a type"
            return self.step(item, Action.BLOCK, detail, remedy)
        return super().missing(item)

    def differing(self, row: Json, body: Json) -> list[str]:
        """What it lacks."""
        return sorted(_lacking(row, body))

    def update(self, row: Json, body: Json) -> Json:
        """Send what it lacks alone; the rest is an admin's."""
        return super().update(row, _lacking(row, body))

    def reports(self) -> Iterator[Step]:
        """Further active fields of the same title."""
        further = (row for item in self.items for row in self.found(item)[1:])
        for row in filter(_active, further):
            detail = f"is there once more, as {row['id']}; the bridge uses the older one"
            yield self.report(row, detail, "delete it, or give it another title")


class OrganizationFields(Resource):
    """Known by their keys.

    Of those that say where a customer is, any that holds text will do. Those that show points are
    there only where they are to be shown.
    """

    required = False
    name_key = "key"

    def __init__(self, lists: Lists, config: ZendeskConfig) -> None:
        kinds = {
            config.zone_field: ("Support: Time zone", "text"),
            config.country_field: ("Support: Country", "text"),
            config.subdivision_field: ("Support: State or province", "text"),
        }
        items = [
            Item(key, partial(dict, key=key, title=title, type=kind), required=False)
            for key, (title, kind) in (kinds | (_SHOWN if config.show_balance else {})).items()
        ]
        super().__init__(lists, "organization_fields", "organisation field", items)

    def judge(self, item: Item) -> Step:
        """What is there and does not serve is an admin's to mend."""
        step = super().judge(item)
        if step.action is not Action.CHANGE:
            return step
        remedy = "mend it, or name another field in the settings"
        if item.name in _SHOWN:
            remedy = "delete it: Zendesk never changes a type"
        return self.step(item, Action.REPORT, f"is inactive, or {step.detail}", remedy)

    def differing(self, row: Json, body: Json) -> list[str]:
        """Whether it serves; any type of text is as good as another."""
        types = _TEXT_TYPES if body["type"] == "text" else {body["type"]}
        fine = row.get("type") in types and _active(row)
        return [] if fine else [f"holds no {body['type']} (type {row.get('type')})"]


def _ticket_field(key: str) -> Json:
    field: Json = {"title": key, "type": FIELD_TYPES[key], "visible_in_portal": False}
    if key in OPTIONS:
        # An option's value is a tag of the ticket too, so it says whose it is.
        options = [{"name": one.label, "value": f"{key}_{one}"} for one in OPTIONS[key]]
        field["custom_field_options"] = options
    return field


def _lacking(row: Json, body: Json) -> Json:
    """What a field lacks. Options are sent in full: Zendesk deletes those that are not listed."""
    change: Json = {} if _active(row) else {"active": True}
    options = row.get("custom_field_options") or []
    there = {option.get("value") for option in options}
    wanted = body.get("custom_field_options", ())
    if missing := [option for option in wanted if option["value"] not in there]:
        change["custom_field_options"] = [*options, *missing]
    return change


def _active(row: Json) -> bool:
    return row.get("active") is not False
