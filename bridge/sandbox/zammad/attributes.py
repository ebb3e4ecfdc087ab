"""Zammad's object manager: custom attributes, their migration, defaults, casts and checks."""

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from bridge.sandbox.zammad.records import ApiError, Record, as_date, as_moment
from bridge.sandbox.zammad.store import Store

_LOOKUPS = {"Ticket": 1, "TicketArticle": 2, "User": 3, "Organization": 4, "Group": 5}
_INTEGER_LIMIT = 2_147_483_648
_EDITABLE = ("display", "active", "screens", "position")


class ObjectManager:
    """The custom attributes of every object. One that is not migrated has no column yet.

    Args:
        store: the database; migration adds the new columns to its records.
        builtin: the columns that each object has anyway; their names are taken.
    """

    def __init__(self, store: Store, builtin: Mapping[str, frozenset[str]]) -> None:
        self._store = store
        self._rows = store.tables["Attribute"]
        self._builtin = builtin

    def create(self, spec: Record, by: int) -> Record:
        """Add an attribute that waits for its migration (recordings 017 to 028).

        Raises:
            ApiError: 422, the name is taken or the definition is not valid.
        """
        name = str(spec.get("name"))
        self._check_name(str(spec.get("object")), name)
        option = {**spec.get("data_option", {})}
        _check_option(spec["data_type"], option)
        row = self._store.insert("Attribute", _definition(spec, name, option), by)
        return _without(row, "object")

    def update(self, attribute_id: int, spec: Record, by: int) -> Record:
        """Change an attribute; new data options wait for the next migration."""
        row = self._store.get("Attribute", attribute_id)
        wanted: Record = {key: spec[key] for key in _EDITABLE if key in spec}
        option = spec.get("data_option")
        if option is not None and option != row["data_option"]:
            _check_option(row["data_type"], option)
            wanted |= {"data_option_new": option, "to_config": True, "to_migrate": True}
        self._store.change(row, wanted, by)
        return _without(row, "object")

    def listing(self) -> list[Record]:
        """The custom attributes by position, each with its `object` in place of a lookup id."""
        rows = sorted(self._rows.values(), key=lambda row: int(row["position"]))
        return [_without(row, "object_lookup_id") | {"deletable": True} for row in rows]

    def migrate(self) -> None:
        """Make the waiting definitions real: existing records get the column's default."""
        for row in self._rows.values():
            if row["to_create"]:
                for record in self._store.tables[row["object"]].values():
                    record[row["name"]] = _column_default(row)
            if row["data_option_new"]:
                row["data_option"] = row["data_option_new"]
            if row["data_type"] == "select":
                row["data_option"]["historical_options"] = dict(row["data_option"]["options"])
            row.update(data_option_new={}, to_create=False, to_migrate=False, to_config=False)

    def drop(self, object_name: str, name: str) -> None:
        """An admin deletes an attribute for good: its values are gone from every record.

        Raises:
            ValueError: there is no such attribute.
        """
        row = self._store.first("Attribute", object=object_name, name=name)
        if row is None:
            raise ValueError(f"no attribute {name!r} of {object_name}")
        del self._rows[row["id"]]
        for record in self._store.tables[object_name].values():
            record.pop(name, None)

    def defaults(self, object_name: str) -> Record:
        """What a new record gets for each attribute; `diff` counts from now (recording 062)."""
        return {row["name"]: self._default(row) for row in self._columns(object_name)}

    def cast(self, object_name: str, values: Mapping[str, object]) -> Record:
        """The custom attributes among `values`, as the columns store them.

        Other keys are ignored, as Zammad does (recording 041).

        Raises:
            ApiError: 422, a value is outside an attribute's options, range or length.
        """
        columns = [row for row in self._columns(object_name) if row["name"] in values]
        return {row["name"]: _CASTS[row["data_type"]](row, values[row["name"]]) for row in columns}

    def active(self, object_name: str) -> list[Record]:
        """The attributes that a form shows, as their columns are ordered."""
        return [row for row in self._columns(object_name) if row["active"]]

    def _columns(self, object_name: str) -> list[Record]:
        rows = self._rows.values()
        return [row for row in rows if row["object"] == object_name and not row["to_create"]]

    def _default(self, row: Record) -> object:
        option = row["data_option"]
        if row["data_type"] not in {"date", "datetime"}:
            return option.get("default")
        if option.get("diff") is None:
            return None
        now = self._store.now()
        if row["data_type"] == "date":
            return (now + timedelta(days=option["diff"])).date()
        return (now + timedelta(minutes=option["diff"])).replace(second=0, microsecond=0)

    def _check_name(self, object_name: str, name: str) -> None:
        taken = self._store.first("Attribute", object=object_name, name=name)
        if taken or name in self._builtin.get(object_name, frozenset()):
            raise ApiError(422, "This object already exists.")
        problems = []
        if " " in name:
            problems.append("Name spaces are not allowed")
        if not re.fullmatch("[a-z0-9_]+", name):
            problems.append("Name only lowercase letters, numbers, and '_' are allowed")
        if name.endswith(("_id", "_ids")):
            problems.append("Name can't get used because *_id and *_ids are not allowed")
        _refuse(problems)


def _definition(spec: Record, name: str, option: Record) -> Record:
    waiting = {"to_create": True, "to_migrate": True, "to_delete": False, "to_config": False}
    return {
        "object": spec["object"],
        "object_lookup_id": _LOOKUPS[spec["object"]],
        "name": name,
        "display": spec.get("display", name),
        "data_type": spec["data_type"],
        "data_option": {"default": None, **option, "options": option.get("options", {})}
        | {"relation": option.get("relation", "")},
        "data_option_new": {},
        "editable": spec.get("editable", True),
        "active": spec.get("active", True),
        "screens": spec.get("screens", {}),
        **waiting,
        "position": spec.get("position", 1550),
    }


def _check_option(data_type: str, option: Mapping[str, Any]) -> None:
    """An integer needs both limits; all complaints come at once (recording 028)."""
    if data_type != "integer":
        return
    limits = {key: option[key] for key in ("min", "max") if isinstance(option.get(key), int)}
    missing = [key for key in ("min", "max") if key not in limits]
    problems = [f"Data option must have integer for :{key}" for key in missing]
    for key in ("min", "max"):
        if limits.get(key, -_INTEGER_LIMIT) <= -_INTEGER_LIMIT:
            problems.append(f"Data option {key} must be higher than -{_INTEGER_LIMIT}")
        if limits.get(key, _INTEGER_LIMIT) >= _INTEGER_LIMIT:
            problems.append(f"Data option {key} must be lower than {_INTEGER_LIMIT}")
    if missing or limits["min"] >= limits["max"]:
        problems.append("Data option min must be lower than max")
    _refuse(problems)


def _refuse(problems: list[str]) -> None:
    if problems:
        raise ApiError(422, f"Validation failed: {', '.join(problems)}")


def _column_default(row: Record) -> object:
    if row["data_type"] in {"integer", "boolean"}:
        return row["data_option"].get("default")
    return None


def _without(row: Record, key: str) -> Record:
    return {name: value for name, value in row.items() if name != key}


def _invalid(row: Record, problem: str) -> ApiError:
    name = str(row["name"]).replace("_", " ").capitalize()
    return ApiError(422, f"{name} {problem}")


def _integer(row: Record, value: object) -> int | None:
    """Cast by the leading digits, "abc" to 0, and check the range (recordings 037, 038)."""
    if value is None or value == "":
        return None
    digits = re.match(r"\s*([+-]?\d+)", str(int(value) if isinstance(value, float) else value))
    number = int(digits[1]) if digits else 0
    option = row["data_option"]
    if number < option["min"]:
        raise _invalid(row, f"is smaller than the allowed minimum value of {option['min']}")
    if number > option["max"]:
        raise _invalid(row, f"is larger than the allowed maximum value of {option['max']}")
    return number


def _select(row: Record, value: object) -> object:
    """One of the options, or nothing (recording 036)."""
    if value is None or value == "" or str(value) in row["data_option"]["options"]:
        return value
    error = f"Invalid value '{value}' for field '{row['name']}'!"
    raise ApiError(422, error, human=False)


def _input(row: Record, value: object) -> str | None:
    """A text of at most `maxlength` characters (recording 042)."""
    if value is None:
        return None
    limit = row["data_option"].get("maxlength", 255)
    if len(str(value)) > limit:
        raise _invalid(row, f"is longer than the allowed length {limit}")
    return str(value)


_CASTS: dict[str, Callable[[Record, object], object]] = {
    "boolean": lambda _row, value: str(value).lower() in {"true", "1"},
    "date": lambda _row, value: as_date(value),
    "datetime": lambda _row, value: as_moment(value),
    "input": _input,
    "integer": _integer,
    "select": _select,
}
