"""Custom fields of tickets and organisations: their administration, and what they do to values.

A drop-down (`tagger`) of a ticket is its tags seen another way: the option's value is a tag, and
whoever takes the tag away empties the field.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date

from bridge.sandbox.zendesk.records import ApiError, Record, as_id, invalid
from bridge.sandbox.zendesk.store import Store

_SYSTEM_FIELDS = ("subject", "description", "status", "tickettype", "priority", "group", "assignee")
_EDITABLE = ("active", "required", "position", "agent_description", "regexp_for_validation")
_PORTAL = ("visible_in_portal", "editable_in_portal", "required_in_portal", "collapsed_for_agents")


def column(field_id: object) -> str:
    """The name of a custom field in conditions; the stored tickets use it too."""
    return f"custom_fields_{field_id}"


class TicketFields:
    """The fields of tickets. Unknown ids in a request are ignored, and so are inactive fields.

    Attributes:
        integers_as_text: whether a stored integer is shown as text. Zendesk's documents show both.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._rows = store.tables["ticket_fields"]
        self.integers_as_text = True
        for kind in _SYSTEM_FIELDS:
            store.insert("ticket_fields", _ticket_field(kind, kind.capitalize(), removable=False))

    def create(self, spec: Mapping[str, object]) -> Record:
        """Add a field.

        Raises:
            ApiError: 422, it has no title, a type that is not known, or tags that repeat.
        """
        kind, title = str(spec.get("type")), spec.get("title")
        if not title:
            raise invalid("title", "Title: cannot be blank", "BlankValue")
        if kind not in _CASTS:
            raise invalid("type", f"Type: {kind} is not a known type", "InvalidValue")
        fields = _ticket_field(kind, str(title), removable=True) | _settings(spec)
        if kind == "tagger":
            fields["custom_field_options"] = self._options(spec.get("custom_field_options"), [])
        row = self._store.insert("ticket_fields", fields)
        for ticket in self._store.tables["tickets"].values():
            ticket[column(row["id"])] = None
        return row

    def update(self, field_id: int, spec: Mapping[str, object]) -> Record:
        """Change a field. Options that the request does not list are gone, with their values.

        The type never changes; a request that says otherwise is obeyed in the rest (recorded).

        Raises:
            ApiError: 404, or 422, a tag repeats or is another field's.
        """
        row = self._store.get("ticket_fields", field_id)
        row |= _settings(spec)
        if row["type"] == "tagger" and "custom_field_options" in spec:
            options = self._options(spec["custom_field_options"], row["custom_field_options"])
            others = [other for other in self._drop_downs() if other is not row]
            taken = {tag for other in others for tag in _tags(other)}
            if taken.intersection(option["value"] for option in options):
                raise invalid("custom_field_options", "Tag is already used in another field")
            row["custom_field_options"] = options
            for ticket in self._store.tables["tickets"].values():
                if ticket[column(field_id)] not in _tags(row):
                    ticket[column(field_id)] = None
        row["updated_at"] = self._store.now()
        return row

    def delete(self, field_id: int) -> None:
        """Remove a field with its values.

        Raises:
            ApiError: 404, or 422, it is one of Zendesk's own.
        """
        if not self._store.get("ticket_fields", field_id)["removable"]:
            raise invalid("base", "System ticket fields cannot be deleted")
        del self._rows[field_id]
        for ticket in self._store.tables["tickets"].values():
            ticket.pop(column(field_id), None)

    def custom(self) -> list[Record]:
        """The custom fields that are active."""
        return [row for row in self._rows.values() if row["removable"] and row["active"]]

    def wanted(self, body: Mapping[str, object]) -> Record:
        """The columns that a request's `custom_fields` set.

        Raises:
            ApiError: 422, a value is not of its field's kind.
        """
        entries = body.get("custom_fields")
        rows = {row["id"]: row for row in self.custom()}
        wanted: Record = {}
        for entry in entries if isinstance(entries, list) else []:
            row = rows.get(as_id(entry.get("id")))
            if row is not None:
                wanted[column(row["id"])] = cast(row, entry.get("value"))
        return wanted

    def with_tags(self, before: Mapping[str, object], wanted: Record) -> Record:
        """The change with the tags that follow from drop-downs, and the other way round."""
        stored = before.get("tags")
        replaced = wanted.get("tags", stored)
        tags = set(replaced) if isinstance(replaced, list) else set()
        synced = dict(wanted)
        for row in self._drop_downs():
            name, options = column(row["id"]), _tags(row)
            if name in wanted:
                tags -= set(options)
                tags |= {wanted[name]} - {None}
            elif "tags" in wanted:
                synced[name] = next((tag for tag in options if tag in tags), None)
        if sorted(tags) != stored:
            synced["tags"] = sorted(tags)
        return synced

    def shown(self, ticket: Mapping[str, object]) -> list[Record]:
        """A ticket's custom fields as its JSON has them."""
        shown = []
        for row in self.custom():
            value = ticket.get(column(row["id"]))
            if self.integers_as_text and row["type"] == "integer" and value is not None:
                value = str(value)
            shown.append({"id": row["id"], "value": value})
        return shown

    def _drop_downs(self) -> list[Record]:
        return [row for row in self.custom() if row["type"] == "tagger"]

    def _options(self, wanted: object, stored: list[Record]) -> list[Record]:
        """The options of a request; one that is stored already, by id or value, keeps its id."""
        options: list[Record] = []
        for spec in wanted if isinstance(wanted, list) else []:
            same = [o["id"] for o in stored if o["id"] == spec.get("id")]
            same += [o["id"] for o in stored if o["value"] == spec.get("value")]
            option_id = same[0] if same else self._store.next_id()
            name = spec.get("name")
            option = {"id": option_id, "name": name, "raw_name": name, "value": spec.get("value")}
            options.append({**option, "default": bool(spec.get("default"))})
        values = [option["value"] for option in options]
        if len(set(values)) < len(values) or not all(values):
            raise invalid("custom_field_options", "Tag: must be unique and not blank")
        if not all(option["name"] for option in options):
            raise invalid("custom_field_options", "Name: cannot be blank", "BlankValue")
        return options


class OrganizationFields:
    """The custom fields of organisations, by their keys."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._rows = store.tables["organization_fields"]

    def create(self, spec: Mapping[str, object]) -> Record:
        """Add a field.

        Raises:
            ApiError: 422, no key, title or type, a key that is taken, or a type that is not known.
        """
        for name in ("key", "title", "type"):
            if not spec.get(name):
                raise invalid(name, f"{name.capitalize()}: cannot be blank", "BlankValue")
        key, title, kind = str(spec["key"]), str(spec["title"]), str(spec["type"])
        if self._store.first("organization_fields", key=key):
            raise invalid("key", f"Key: {key} has already been taken", "DuplicateValue")
        if kind not in _CASTS or kind == "tagger":
            raise invalid("type", f"Type: {kind} is not a known type", "InvalidValue")
        about = str(spec.get("description", ""))
        fields: Record = {"type": kind, "key": key, "title": title, "description": about}
        fields |= {"raw_title": title, "raw_description": about, "position": 9999, "active": True}
        fields |= {"system": False, "regexp_for_validation": None}
        return self._store.insert("organization_fields", fields)

    def cast(self, values: object) -> Record:
        """The values of a request by key; unknown keys are ignored.

        Raises:
            ApiError: 422, a value is not of its field's kind.
        """
        rows = {row["key"]: row for row in self._rows.values() if row["active"]}
        given = values if isinstance(values, dict) else {}
        return {key: cast(rows[key], value) for key, value in given.items() if key in rows}

    def shown(self, values: Mapping[str, object]) -> Record:
        """An organisation's custom fields as its JSON has them: every key, set or not.

        Zendesk's page shows a date there as the midnight that it begins with.
        """
        shown = {row["key"]: values.get(row["key"]) for row in self._rows.values()}
        dates = {row["key"] for row in self._rows.values() if row["type"] == "date"}
        return shown | {key: f"{shown[key]}T00:00:00+00:00" for key in dates if shown[key]}


def cast(row: Mapping[str, object], value: object) -> object:
    """A value as its field stores it; None and "" empty every field.

    Raises:
        ApiError: 422.
    """
    if value is None or value == "":
        return None
    try:
        return _CASTS[str(row["type"])](row, value)
    except ValueError:
        raise _not_a_value(row, value) from None


def _not_a_value(row: Mapping[str, object], value: object) -> ApiError:
    return invalid("base", f"{row['title']}: {value} is not valid", "InvalidValue")


def _integer(_row: Mapping[str, object], value: object) -> int:
    if isinstance(value, bool) or not re.fullmatch(r"-?\d+", str(value)):
        raise ValueError
    return int(str(value))


def _tagger(row: Mapping[str, object], value: object) -> str:
    if value not in _tags(row):
        raise ValueError
    return str(value)


_CASTS: dict[str, Callable[[Mapping[str, object], object], object]] = {
    "checkbox": lambda _row, value: str(value).lower() in {"true", "1"},
    "date": lambda _row, value: date.fromisoformat(str(value)).isoformat(),
    "integer": _integer,
    "tagger": _tagger,
    "text": lambda _row, value: str(value),
    "textarea": lambda _row, value: str(value),
}
"""The kinds of fields; `tagger` is for tickets alone. A date is a day: one with a time is none."""


def _tags(row: Mapping[str, object]) -> list[str]:
    options = row.get("custom_field_options")
    return [option["value"] for option in options] if isinstance(options, list) else []


def _settings(spec: Mapping[str, object]) -> Record:
    """What a request says about a field beside its type and options."""
    settings = {name: spec[name] for name in _EDITABLE + _PORTAL if name in spec}
    for name in ("title", "description", "title_in_portal"):
        if name in spec:
            settings |= {name: spec[name], f"raw_{name}": spec[name]}
    if "title" in spec and "title_in_portal" not in spec:
        settings |= {"title_in_portal": spec["title"], "raw_title_in_portal": spec["title"]}
    return settings


def _ticket_field(kind: str, title: str, *, removable: bool) -> Record:
    texts = dict.fromkeys(("title", "description", "title_in_portal"), title)
    raw = {f"raw_{name}": title for name in texts}
    fixed: Record = {"type": kind, "position": 9999, "active": True, "required": False}
    fixed |= {"regexp_for_validation": None, "tag": None, "removable": removable, "key": None}
    return {**fixed, **texts, **raw, **dict.fromkeys(_PORTAL, False), "agent_description": None}
