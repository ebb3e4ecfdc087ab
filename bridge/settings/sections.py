"""The tables of the settings file, as pydantic models. They name the keys, defaults and limits."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
)

from bridge.adapters.registry import VENDORS
from bridge.adapters.vendor import web_address
from bridge.errors import SettingsError, did_you_mean
from bridge.policy.calendars import country_code, subdivision_code
from bridge.policy.terms import Terms
from bridge.policy.zones import load_zone
from bridge.ticket import Status

_SQLITE = "sqlite:///"
_TERMS = Terms()
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What validators need beside the value: where the file is, and the languages with texts."""

    directory: Path
    languages: frozenset[str]


class _Section(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, validate_default=True
    )


@contextmanager
def _as_value_error() -> Generator[None]:
    """Pydantic gathers ValueErrors; anything else would end the validation."""
    try:
        yield
    except SettingsError as error:
        raise ValueError(str(error)) from None


class Listen(_Section):
    """Where webhooks are received. `public_url` is how helpdesks reach this receiver.

    It may be plain http, for a network of one's own: deliveries are signed, but not secret then.
    """

    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 8080
    public_url: Annotated[str, AfterValidator(web_address)] | None = None


class Defaults(_Section):
    """What holds for an account that nobody says anything else of."""

    zone: str
    country: str | None = None
    subdivision: str | None = None
    language: str = "en"

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        with _as_value_error():
            return load_zone(zone).key

    @field_validator("country")
    @classmethod
    def _known_country(cls, country: str | None) -> str | None:
        with _as_value_error():
            return country and country_code(country)

    @field_validator("subdivision")
    @classmethod
    def _known_subdivision(cls, subdivision: str | None, info: ValidationInfo) -> str | None:
        # A country that is itself wrong is not in `data`, and has been complained of.
        if subdivision is None or "country" not in info.data:
            return subdivision
        if not info.data["country"]:
            raise ValueError("a subdivision needs its country; add country")
        with _as_value_error():
            return subdivision_code(info.data["country"], subdivision)

    @field_validator("language")
    @classmethod
    def _has_texts(cls, language: str, info: ValidationInfo[Surroundings]) -> str:
        known = info.context.languages
        if language not in known:
            raise ValueError(
                f"there are no texts in {language!r}, only in: {', '.join(sorted(known))}"
            )
        return language


Days = Annotated[int, Field(ge=0, le=3660)]


class TermsSettings(_Section):
    """The numbers of the promise, as people write them."""

    price: Annotated[int, Field(ge=1, le=1_000_000)] = _TERMS.price
    look_back_hours: Annotated[int, Field(ge=0, le=72)] = _TERMS.look_back // _HOUR
    hold_days: Annotated[Days, Field(ge=1)] = _TERMS.hold_days
    hold_reminder_days: Annotated[tuple[Days, ...], Field(strict=False)] = _TERMS.hold_reminder_days
    response_hours: Annotated[float, Field(ge=0.25, le=2000)] = _TERMS.response_seconds / 3600
    at_risk_minutes: Annotated[int, Field(ge=0)] = _TERMS.at_risk_seconds // 60
    reopen_days: Days = _TERMS.reopen_days
    late_reopen: Literal["gate", "refuse"] = _TERMS.late_reopen
    credit_days: Days = _TERMS.credit_days

    @field_validator("hold_reminder_days")
    @classmethod
    def _before_the_end(cls, days: tuple[int, ...], info: ValidationInfo) -> tuple[int, ...]:
        last = info.data.get("hold_days")
        if list(days) != sorted({day for day in days if day >= 1}):
            raise ValueError("must be days from 1 on, in order and none twice")
        if last is not None and days and days[-1] >= last:
            raise ValueError(
                f"reminds on day {days[-1]}, but hold_days ends the hold on day {last}"
            )
        return days

    @field_validator("at_risk_minutes")
    @classmethod
    def _within_the_promise(cls, minutes: int, info: ValidationInfo) -> int:
        hours = info.data.get("response_hours")
        if hours is not None and minutes > hours * 60:
            raise ValueError(f"is longer than the response_hours ({hours:g}) themselves; lower it")
        return minutes

    def terms(self) -> Terms:
        """The same in the units that the policy computes with."""
        return Terms(
            price=self.price,
            look_back=self.look_back_hours * _HOUR,
            hold_reminder_days=self.hold_reminder_days,
            hold_days=self.hold_days,
            response_seconds=round(self.response_hours * 3600),
            at_risk_seconds=self.at_risk_minutes * 60,
            reopen_days=self.reopen_days,
            late_reopen=self.late_reopen,
            credit_days=self.credit_days,
        )


class TextsSettings(_Section):
    """Where a company's own texts are, instead of ours."""

    directory: str | None = None

    @field_validator("directory")
    @classmethod
    def _exists(cls, directory: str | None, info: ValidationInfo[Surroundings]) -> str | None:
        if directory is not None and not (info.context.directory / directory).is_dir():
            raise ValueError(f"there is no directory {directory!r} beside this file; make it")
        return directory


class SettingsFile(_Section):
    """The file as a whole. Helpdesks are tables whose keys depend on their vendor."""

    database: str = f"{_SQLITE}points-bridge.db"
    secrets_directory: Annotated[str, Field(min_length=1)] = "secrets"
    listen: Listen = Listen()
    defaults: Defaults
    terms: TermsSettings = TermsSettings()
    texts: TextsSettings = TextsSettings()
    helpdesks: Annotated[dict[str, dict[str, Any]], Field(min_length=1)]

    @field_validator("database")
    @classmethod
    def _absolute(cls, url: str, info: ValidationInfo[Surroundings]) -> str:
        name = url.removeprefix(_SQLITE)
        if name in {url, "", ":memory:"} or "?" in name:
            raise ValueError(f"write {_SQLITE}FILE, and nothing more; only SQLite is supported")
        return f"{_SQLITE}{info.context.directory / name}"


def _as_status(status: str) -> Status:
    # Not `AfterValidator(Status)`: the signature of an enum differs between Python's versions.
    return Status(status)


def _known_vendor(vendor: str) -> str:
    if vendor not in VENDORS:
        known = ", ".join(sorted(VENDORS))
        raise ValueError(
            f"unknown vendor {vendor!r}{did_you_mean(vendor, VENDORS)}; known: {known}"
        )
    return vendor


class HelpdeskOptions(_Section):
    """The keys of a helpdesk that are the same for every vendor."""

    vendor: Annotated[str, AfterValidator(_known_vendor)]
    in_service_since: (
        Annotated[AwareDatetime, AfterValidator(lambda at: at.astimezone(UTC))] | None
    ) = None
    declined_status: Annotated[Literal["closed", "open"], AfterValidator(_as_status)] = "closed"
    held_status: Annotated[Literal["pending"], AfterValidator(_as_status)] | None = None
