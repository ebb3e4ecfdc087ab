"""Typed settings: one TOML file, and secrets from the environment or from files that it names.

Every key is described in docs/settings.md. Nothing is read when this module is imported.
"""

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bridge.adapters.registry import VENDORS
from bridge.adapters.vendor import VendorSettings
from bridge.errors import SettingsError, did_you_mean
from bridge.policy.terms import Terms
from bridge.settings.sections import Defaults, HelpdeskOptions, Listen, SettingsFile, Surroundings
from bridge.texts import Texts
from bridge.ticket import Status

M = TypeVar("M", bound=BaseModel)

_NAME = re.compile(r"[a-z][a-z0-9-]*")

# What is said of a wrong value where pydantic's own words are not those of a TOML file.
_COMPLAINTS = {
    "missing": "is missing; add it",
    "string_type": "must be a text in quotes",
    "int_type": "must be a whole number, without quotes",
    "float_type": "must be a number, without quotes",
    "tuple_type": "must be a list of whole numbers, like [1, 7, 13]",
    "model_type": "must be a table",
    "dict_type": "must be a table",
    "datetime_type": "must be a date and time without quotes, like 2026-11-01T00:00:00Z",
    "timezone_aware": "does not say where the time is; end it with Z for UTC",
    "too_short": "is empty; configure at least one",
}


@dataclass(frozen=True, slots=True)
class HelpdeskSettings:
    """One helpdesk, secrets included: they show neither in `repr` nor in `str`.

    `in_service_since` in UTC: tickets created before are left alone. `held_status` None leaves a
    held ticket as it is. `vendor_settings` is what `VENDORS[vendor].build` takes.
    """

    name: str
    vendor: str
    in_service_since: datetime | None
    declined_status: Status
    held_status: Status | None
    vendor_settings: VendorSettings


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that a deployment can choose, checked. `database` is a URL with a full path."""

    database: str
    listen: Listen
    defaults: Defaults
    terms: Terms
    texts: Texts
    helpdesks: Mapping[str, HelpdeskSettings]


def load_settings(path: Path, environ: Mapping[str, str]) -> Settings:
    """Read the settings file and the secrets. Safe to repeat; writes nothing.

    A secret of helpdesk `support` named `token` is `POINTS_BRIDGE_SUPPORT_TOKEN`, or what is in the
    file that `POINTS_BRIDGE_SUPPORT_TOKEN_FILE` names.

    Args:
        path: the TOML file; relative paths in it are relative to its directory.
        environ: the environment variables.

    Raises:
        SettingsError: names every problem at once, each with file, key and remedy.
    """
    reading = _Reading(path, environ)
    settings = reading.settings()
    if settings is None:
        raise SettingsError("\n".join(reading.problems))
    return settings


def secret_variable(helpdesk: str, key: str) -> str:
    """The environment variable that holds a helpdesk's secret; with `_FILE`, one that names it."""
    return f"POINTS_BRIDGE_{helpdesk}_{key}".upper().replace("-", "_")


@dataclass
class _Reading:
    """One reading of the file, which goes on after a problem to find the others."""

    path: Path
    environ: Mapping[str, str]
    problems: list[str] = field(default_factory=list)

    def settings(self) -> Settings | None:
        """The settings; None where there are problems."""
        table = self._parse()
        texts = self._texts(table)
        around = Surroundings(self.path.resolve().parent, texts.languages)
        file = self._validate(SettingsFile, "", table, around)
        helpdesks = dict(self._helpdesks(table.get("helpdesks")))
        if file is None or self.problems:
            return None
        return Settings(
            database=file.database,
            listen=file.listen,
            defaults=file.defaults,
            terms=file.terms.terms(),
            texts=texts,
            helpdesks=MappingProxyType(helpdesks),
        )

    def _parse(self) -> dict[str, Any]:
        try:
            return tomllib.loads(self.path.read_text("utf-8"))
        except FileNotFoundError:
            remedy = "copy points-bridge.example.toml to it and edit it"
            raise SettingsError(f"{self.path}: there is no such file; {remedy}") from None
        except OSError as error:
            raise SettingsError(
                f"{self.path}: cannot be read: {error.strerror}; mend that"
            ) from None
        except UnicodeDecodeError:
            raise SettingsError(f"{self.path}: is not UTF-8; save it as UTF-8") from None
        except tomllib.TOMLDecodeError as error:
            raise SettingsError(f"{self.path}: is not TOML; mend it: {error}") from None

    def _texts(self, table: dict[str, Any]) -> Texts:
        """The texts, ours where there are no others: validation says what is wrong with the key."""
        section = table.get("texts")
        directory = section.get("directory") if isinstance(section, dict) else None
        try:
            return Texts.load(self.path.parent / directory if isinstance(directory, str) else None)
        except SettingsError as error:
            self._complain("texts.directory", str(error).removeprefix("texts: "))
            return Texts.load()

    def _helpdesks(self, tables: object) -> Iterator[tuple[str, HelpdeskSettings]]:
        for name, table in tables.items() if isinstance(tables, dict) else ():
            if not _NAME.fullmatch(name):
                form = "use lower-case letters, digits and hyphens, a letter first"
                self._complain(f"helpdesks.{name}", f"cannot be the name of a helpdesk; {form}")
            elif isinstance(table, dict):
                helpdesk = self._helpdesk(name, table)
                if helpdesk:
                    yield name, helpdesk

    def _helpdesk(self, name: str, table: dict[str, Any]) -> HelpdeskSettings | None:
        where = f"helpdesks.{name}"
        common = {key: table[key] for key in table.keys() & HelpdeskOptions.model_fields.keys()}
        options = self._validate(HelpdeskOptions, where, common)
        vendor = VENDORS.get(str(table.get("vendor")))
        if vendor is None:
            return None
        special = {key: value for key, value in table.items() if key not in common}
        secrets = self._secrets(name, vendor.settings, special)
        settings = self._validate(vendor.settings, where, special | secrets)
        if options is None or settings is None:
            return None
        return HelpdeskSettings(name=name, vendor_settings=settings, **dict(options))

    def _secrets(
        self, helpdesk: str, kind: type[VendorSettings], table: dict[str, Any]
    ) -> dict[str, str | None]:
        """The vendor's secrets; blank where a problem has been named, so that it is named once.

        A secret that stands in the file is taken out of `table`, and not used.
        """
        secrets: dict[str, str | None] = {}
        for key in kind.secret_keys():
            try:
                secrets[key] = _secret(
                    self.environ,
                    secret_variable(helpdesk, key),
                    misplaced=table.pop(key, None) is not None,
                    required=kind.model_fields[key].is_required(),
                )
            except SettingsError as error:
                self._complain(f"helpdesks.{helpdesk}.{key}", str(error))
                secrets[key] = ""
        return secrets

    def _validate(
        self, kind: type[M], where: str, values: object, around: Surroundings | None = None
    ) -> M | None:
        try:
            return kind.model_validate(values, context=around)
        except ValidationError as error:
            for detail in error.errors(include_url=False, include_input=False):
                key = ".".join(filter(None, (where, *map(str, detail["loc"]))))
                self._complain(key, _complaint(detail, kind))
            return None

    def _complain(self, key: str, text: str) -> None:
        self.problems.append(f"{self.path}: {key}: {text}")


def _secret(
    environ: Mapping[str, str], variable: str, *, misplaced: bool, required: bool
) -> str | None:
    remedy = f"put it into {variable}, or into a file and its path into {variable}_FILE"
    if misplaced:
        raise SettingsError(f"a secret does not belong in this file; {remedy}")
    value, file = environ.get(variable, ""), environ.get(f"{variable}_FILE", "")
    if value and file:
        raise SettingsError(f"{variable} and {variable}_FILE are both set; unset one of them")
    if file:
        value = _read_secret_file(f"{variable}_FILE", Path(file))
    secret = value.rstrip("\r\n")
    if required and not secret.strip():
        raise SettingsError(f"is not set, or empty; {remedy}")
    return secret or None


def _read_secret_file(variable: str, path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError as error:
        reason = error.strerror
    except UnicodeDecodeError:
        reason = "it is not text in UTF-8"
    raise SettingsError(f"{variable}: cannot read {path}: {reason}; mend the path or the file")


def _complaint(detail: ErrorDetails, kind: type[BaseModel]) -> str:
    if detail["type"] == "extra_forbidden":
        known = _keys_beside(detail["loc"], kind)
        hint = did_you_mean(str(detail["loc"][-1]), known)
        return f"unknown key{hint or '; known: ' + ', '.join(sorted(known))}"
    if detail["type"] == "value_error":
        return str(detail["ctx"]["error"])
    ours = _COMPLAINTS.get(detail["type"])
    return ours or detail["msg"].replace("Input should be", "must be")


def _keys_beside(loc: tuple[int | str, ...], kind: type[BaseModel]) -> Collection[str]:
    """The keys that would have been right where an unknown one stands."""
    for part in loc[:-1]:
        inner = kind.model_fields[str(part)].annotation
        kind = inner if isinstance(inner, type) and issubclass(inner, BaseModel) else kind
    keys = set(kind.model_fields)
    if issubclass(kind, VendorSettings):
        return (keys | HelpdeskOptions.model_fields.keys()).difference(kind.secret_keys())
    return keys
