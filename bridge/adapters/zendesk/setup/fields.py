"""The custom fields that the bridge has in a Zendesk, and the steps that make and mend them."""

from collections.abc import Iterator
from functools import partial

from bridge.adapters.provisioning import Action, Step
from bridge.adapters.zendesk.access import ZendeskConfig
from bridge.adapters.zendesk.setup.admin import ZendeskAdmin
from bridge.adapters.zendesk.setup.layout import Json
from bridge.adapters.zendesk.values import ACCOUNT_FIELD_TYPES, FIELD_TYPES, field_key
from bridge.errors import HelpdeskRefused
from bridge.ticket import PointsState, SlaState

OPTIONS = {
    "points_state": tuple(f"points_state_{state}" for state in PointsState),
    "points_sla_state": tuple(f"points_sla_state_{state}" for state in SlaState),
}
"""The options of the drop-downs. Each is a tag of the ticket too, so it says whose it is."""

_ACCOUNT_TITLES = {
    "points_balance": "Points: balance",
    "points_next_expiry": "Points: next expiry",
}
_TEXT_TYPES = frozenset({"text", "textarea", "tagger", "dropdown", "regexp"})


def ticket_field_steps(admin: ZendeskAdmin) -> Iterator[Step]:
    """What is to become of each ticket field. Reads only. Raises as `ZendeskAdmin`."""
    rows = admin.rows("ticket_fields")
    for key in FIELD_TYPES:
        yield _ticket_field(admin, key, rows)
        for row in _fitting(key, rows)[1:]:
            if _active(row):
                detail = f"is there once more, as {row['id']}; the bridge uses the older one"
                remedy = "delete it, or give it another title"
                yield Step("ticket field", key, Action.REPORT, detail, remedy, required=False)


def organization_field_steps(admin: ZendeskAdmin, config: ZendeskConfig) -> Iterator[Step]:
    """What is to become of the fields of organisations.

    Of those that say where a customer is, any that holds text will do. Those that show points are
    there only where they are to be shown.
    """
    rows = {row.get("key"): row for row in admin.rows("organization_fields")}
    for key, title in (
        (config.zone_field, "Support: Time zone"),
        (config.country_field, "Support: Country"),
        (config.subdivision_field, "Support: State or province"),
    ):
        remedy = "mend it, or name another field in the settings"
        yield _organization_field(admin, rows.get(key), key, title, "text", remedy)
    if config.show_balance:
        for key, kind in ACCOUNT_FIELD_TYPES.items():
            title, remedy = _ACCOUNT_TITLES[key], "delete it: Zendesk never changes a type"
            yield _organization_field(admin, rows.get(key), key, title, kind, remedy)


def _organization_field(
    admin: ZendeskAdmin, row: Json | None, key: str, title: str, kind: str, remedy: str
) -> Step:
    step = partial(Step, "organisation field", key, required=False)
    new = {"key": key, "title": title, "type": kind}
    if row is None:
        return step(Action.MAKE, apply=partial(_ensure_organization_field, admin, new))
    types = _TEXT_TYPES if kind == "text" else {kind}
    if row.get("type") in types and _active(row):
        return step(Action.KEEP)
    detail = f"is inactive, or holds no {kind} (type {row.get('type')})"
    return step(Action.REPORT, detail, remedy)


def field_ids(rows: list[Json]) -> dict[str, int]:
    """The ids of our ticket fields, of those that are there, by their keys."""
    fitting = {key: _fitting(key, rows)[:1] for key in FIELD_TYPES}
    return {key: found[0]["id"] for key, found in fitting.items() if found and _active(found[0])}


def _ticket_field(admin: ZendeskAdmin, key: str, rows: list[Json]) -> Step:
    step = partial(Step, "ticket field", key, apply=partial(_ensure_ticket_field, admin, key))
    if other := _other_type(key, rows):
        remedy = "delete it, or give it another title: Zendesk never changes a type"
        return step(Action.BLOCK, f"is {other}, and must be {FIELD_TYPES[key]}", remedy)
    fitting = _fitting(key, rows)
    if not fitting:
        return step(Action.MAKE)
    lacks = ", ".join(sorted(_lacking(key, fitting[0])))
    return step(Action.CHANGE if lacks else Action.KEEP, lacks)


def _ensure_ticket_field(admin: ZendeskAdmin, key: str) -> None:
    rows = admin.rows("ticket_fields")
    if other := _other_type(key, rows):
        raise HelpdeskRefused(f"Zendesk's ticket field {key} is {other}, not {FIELD_TYPES[key]}")
    fitting = _fitting(key, rows)
    if not fitting:
        new: Json = {"title": key, "type": FIELD_TYPES[key], "visible_in_portal": False}
        if key in OPTIONS:
            new["custom_field_options"] = [_option(key, value) for value in OPTIONS[key]]
        stored = admin.create("ticket_fields", new)
    elif change := _lacking(key, fitting[0]):
        stored = admin.update("ticket_fields", fitting[0]["id"], change)
    else:
        return
    if other_keys := ", ".join(sorted(_lacking(key, stored))):
        raise HelpdeskRefused(f"Zendesk stored the ticket field {key} with another {other_keys}")


def _ensure_organization_field(admin: ZendeskAdmin, new: Json) -> None:
    if all(row.get("key") != new["key"] for row in admin.rows("organization_fields")):
        admin.create("organization_fields", new)


def _same_title(key: str, rows: list[Json]) -> list[Json]:
    return [row for row in rows if field_key(str(row.get("title"))) == key]


def _fitting(key: str, rows: list[Json]) -> list[Json]:
    """Those that can be the field, as the adapter chooses: of the active ones the oldest."""
    fitting = [row for row in _same_title(key, rows) if row.get("type") == FIELD_TYPES[key]]
    return sorted(fitting, key=lambda row: (not _active(row), row["id"]))


def _other_type(key: str, rows: list[Json]) -> str:
    """The type of an active field with our title that can never be ours, where none can; or ""."""
    if _fitting(key, rows):
        return ""
    others = [str(row.get("type")) for row in _same_title(key, rows) if _active(row)]
    return next(iter(others), "")


def _lacking(key: str, row: Json) -> Json:
    """What a field lacks. Options are sent in full: Zendesk deletes those that are not listed."""
    change: Json = {} if _active(row) else {"active": True}
    options = row.get("custom_field_options") or []
    there = {option.get("value") for option in options}
    if missing := [value for value in OPTIONS.get(key, ()) if value not in there]:
        change["custom_field_options"] = [*options, *(_option(key, value) for value in missing)]
    return change


def _active(row: Json) -> bool:
    return row.get("active") is not False


def _option(key: str, value: str) -> Json:
    return {"name": value.removeprefix(f"{key}_").replace("_", " "), "value": value}
