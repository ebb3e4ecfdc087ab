"""Typed settings: one TOML file, and secrets from anywhere but it.

Every key is described in docs/settings.md. Nothing is read when this module is imported.
"""

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bridge.adapters.registry import VENDORS
from bridge.adapters.vendor import VendorSettings, same_place
from bridge.errors import SettingsError, did_you_mean
from bridge.policy.terms import Terms
from bridge.settings.secrets import Exposed, Secrets
from bridge.settings.sections import (
    Defaults,
    HelpdeskOptions,
    Listen,
    SettingsFile,
    Surroundings,
    TextsSettings,
)
from bridge.texts import Texts

M = TypeVar("M", bound=BaseModel)

_NAME = re.compile(r"[a-z][a-z0-9-]*")

# What is said of a wrong value where pydantic's own words are not those of a TOML file.
_COMPLAINTS = {
    "missing": "is missing; add it",
    "string_type": "must be a text in quotes",
    "int_type": "must be a whole number, without quotes",
    "float_type": "must be a number, without quotes",
    "tuple_type": "must be a list, in brackets: its form is in docs/settings.md",
    "model_type": "must be a table",
    "dict_type": "must be a table",
    "datetime_type": "must be a date and time without quotes, like 2026-11-01T00:00:00Z",
    "timezone_aware": "does not say where the time is; end it with Z for UTC",
    "too_short": "is empty; configure at least one",
}


class Purpose(Enum):
    """What settings are read for: that decides which of the secrets must be there."""

    SERVE = "serve"
    """Helpdesks are asked and written to: all that they need."""
    SET_UP = "set up"
    """The same, but for those that `points-bridge setup` is about to make."""
    LEDGER = "ledger"
    """No helpdesk is asked anything: none, and a vendor's own keys are not looked at."""


@dataclass(frozen=True, slots=True)
class HelpdeskSettings:
    """One helpdesk, secrets included: they show neither in `repr` nor in `str`.

    `vendor_settings` is what `VENDORS[options.vendor].build` takes; None where only the ledger is
    kept. `secrets` is where its secrets come from.
    """

    name: str
    options: HelpdeskOptions
    vendor_settings: VendorSettings | None
    secrets: Secrets


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that a deployment can choose, checked. `database` is a URL with a full path.

    `buying` says how points are bought, where a helpdesk's own options do not.
    """

    database: str
    listen: Listen
    defaults: Defaults
    terms: Terms
    texts: Texts
    buying: TextsSettings
    helpdesks: Mapping[str, HelpdeskSettings]

    def exposed(self) -> list[Exposed]:
        """The files with secrets that others can read."""
        return [
            found
            for one in self.helpdesks.values()
            if one.vendor_settings
            for found in one.secrets.exposed(one.vendor_settings.secret_keys())
        ]


def load_settings(
    path: Path, environ: Mapping[str, str], purpose: Purpose = Purpose.SERVE
) -> Settings:
    """Read the settings file and the secrets. Safe to repeat; writes nothing.

    A secret of helpdesk `support` named `token` is `POINTS_BRIDGE_SUPPORT_TOKEN`, or what is in the
    file that `POINTS_BRIDGE_SUPPORT_TOKEN_FILE` names, or `support_token` in `secrets_directory`.

    Args:
        path: the TOML file; relative paths in it are relative to its directory.
        environ: the environment variables.
        purpose: what they are read for.

    Raises:
        SettingsError: names every problem at once, each with file, key and remedy.
    """
    reading = _Reading(path, environ, purpose)
    settings = reading.settings()
    if settings is None:
        raise SettingsError("\n".join(reading.problems))
    return settings


def example_settings() -> str:
    """A settings file with every key, to start from: that of the repository, or its copy here."""
    here = files("bridge.settings")
    packed = here / "example.toml"
    if packed.is_file():
        return packed.read_text("utf-8")
    return Path(str(here)).parents[1].joinpath("points-bridge.example.toml").read_text("utf-8")


@dataclass
class _Reading:
    """One reading of the file, which goes on after a problem to find the others."""

    path: Path
    environ: Mapping[str, str]
    purpose: Purpose
    problems: list[str] = field(default_factory=list)
    table: dict[str, Any] = field(default_factory=dict)

    def settings(self) -> Settings | None:
        """The settings; None where there are problems."""
        table = self.table = self._parse()
        texts = self._texts(table)
        around = Surroundings(self.path.resolve().parent, texts.languages)
        file = self._validate(SettingsFile, "", table, around)
        helpdesks = dict(self._helpdesks(table.get("helpdesks")))
        self._refuse_twins(helpdesks)
        if file is None or self.problems:
            return None
        return Settings(
            database=file.database,
            listen=file.listen,
            defaults=file.defaults,
            terms=file.terms.terms(),
            texts=texts,
            buying=file.texts,
            helpdesks=MappingProxyType(helpdesks),
        )

    def _parse(self) -> dict[str, Any]:
        try:
            return tomllib.loads(self.path.read_text("utf-8"))
        except FileNotFoundError:
            remedy = "`points-bridge settings example` prints one to start from"
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
        places = Secrets(name, self._secrets_directory(), self.environ)
        if self.purpose is Purpose.LEDGER:
            return HelpdeskSettings(name, options, None, places) if options else None
        special = {key: value for key, value in table.items() if key not in common}
        secrets = self._secrets(places, vendor.settings, special)
        settings = self._validate(vendor.settings, where, special | secrets)
        if options is None or settings is None:
            return None
        return HelpdeskSettings(name, options, settings, places)

    def _refuse_twins(self, helpdesks: Mapping[str, HelpdeskSettings]) -> None:
        """Of two names for one helpdesk, the one set up last would take the other's webhook."""
        first: dict[str, str] = {}
        for name, helpdesk in helpdesks.items():
            if helpdesk.vendor_settings is None:
                continue
            other = first.setdefault(same_place(helpdesk.vendor_settings.url), name)
            if other != name:
                self._complain(
                    f"helpdesks.{name}.url",
                    f"is that of helpdesks.{other}, and each would take the other's webhook; keep"
                    " one of them, under the name that its accounts in the ledger have",
                )

    def _secrets_directory(self) -> Path:
        """Where the file says it is; where it says nothing readable, validation complains."""
        default = SettingsFile.model_fields["secrets_directory"].default
        given = self.table.get("secrets_directory", default)
        return self.path.resolve().parent / (given if isinstance(given, str) else default)

    def _secrets(
        self, places: Secrets, kind: type[VendorSettings], table: dict[str, Any]
    ) -> dict[str, str | None]:
        """The vendor's secrets; blank where a problem has been named, so that it is named once.

        A secret that stands in the file is taken out of `table`, and not used.
        """
        secrets: dict[str, str | None] = {}
        for key in kind.secret_keys():
            kept = key in kind.kept_by_setup
            try:
                if table.pop(key, None) is not None:
                    places.refuse_misplaced(key, self.path)
                required = kept or kind.model_fields[key].is_required()
                secrets[key] = places.read(
                    key, required=required, may_come=kept and self.purpose is Purpose.SET_UP
                )
            except SettingsError as error:
                hint = f", or run `points-bridge setup {places.helpdesk}`" if kept else ""
                self._complain(f"helpdesks.{places.helpdesk}.{key}", f"{error}{hint}")
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
