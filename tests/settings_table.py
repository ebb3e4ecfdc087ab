"""Every key of the settings file: its type, its default and what it means, as the classes say."""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from bridge.adapters.registry import VENDORS
from bridge.adapters.vendor import VendorSettings
from bridge.settings.sections import HelpdeskOptions, SettingsFile

TOP = "Top level"
_TYPES = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "`true` or `false`",
    "date-time": "date and time",
    "password": "text",
}


@dataclass(frozen=True, slots=True)
class Key:
    """A key, in words: `default` as it is written in the file, or `required`, `none`, a secret."""

    name: str
    type: str
    default: str
    meaning: str


def tables() -> Mapping[str, tuple[Key, ...]]:
    """The keys of each table, by its name in the file; of helpdesks also by vendor."""
    found: dict[str, type[BaseModel]] = {TOP: SettingsFile}
    for name, field in SettingsFile.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found[name] = field.annotation
    found["helpdesks.<name>"] = HelpdeskOptions
    found |= {f'vendor = "{name}"': vendor.settings for name, vendor in VENDORS.items()}
    tables_below = {*found, "helpdesks"}
    return {title: tuple(_keys(model, tables_below)) for title, model in found.items()}


def _keys(model: type[BaseModel], but: Collection[str]) -> Iterator[Key]:
    for name, schema in model.model_json_schema()["properties"].items():
        if name in but:
            continue
        meaning = " ".join(str(schema.get("description", "")).split())
        yield Key(name, _type(schema), _default(model, name), meaning)


def _type(schema: Mapping[str, Any]) -> str:
    """JSON Schema's type in the words of people who edit a file."""
    for either in schema.get("anyOf", ()):
        if either["type"] != "null":
            return _type(either)
    words = schema.get("enum") or [schema[word] for word in ("const",) if word in schema]
    if words:
        return " or ".join(f"`{json.dumps(word)}`" for word in words)
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}s"
    return _TYPES.get(schema.get("format", ""), _TYPES.get(schema.get("type", ""), "table"))


def _default(model: type[BaseModel], name: str) -> str:
    field = model.model_fields[name]
    if issubclass(model, VendorSettings) and name in model.secret_keys():
        if name in model.kept_by_setup:
            return "secret of setup"
        return "required secret" if field.is_required() else "optional secret"
    if field.is_required():
        return "required"
    if field.default is None:
        return "none"
    return f"`{_toml(field.default)}`"


def _toml(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return f"{value:g}" if isinstance(value, float) else json.dumps(value)
