"""The tables of the settings file, as pydantic models. They name the keys, defaults and limits."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
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
from bridge.adapters.vendor import public_address
from bridge.errors import SettingsError, did_you_mean
from bridge.policy.calendars import country_code, subdivision_code
from bridge.policy.hours import HOUR
from bridge.policy.places import Address
from bridge.policy.service_hours import Hours
from bridge.policy.terms import LONGEST_PROMISE, SHORTEST_PROMISE, Terms
from bridge.policy.zones import load_zone

_SQLITE = "sqlite:///"
_TERMS = Terms()
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What validators need beside the value: where the file is, and the languages with texts."""

    directory: Path
    languages: frozenset[str]


class _Section(BaseModel):
    """A table of the file: the text below each of its keys is that of docs/settings.md."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        validate_default=True,
        use_attribute_docstrings=True,
    )


@contextmanager
def _as_value_error() -> Generator[None]:
    """Pydantic gathers ValueErrors; anything else would end the validation."""
    try:
        yield
    except SettingsError as error:
        raise ValueError(str(error)) from None


class Listen(_Section):
    """Where webhooks are received.

    `public_url` may be plain http in a network of one's own: deliveries are signed, but not secret
    then.
    """

    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    """The address that webhooks are received on. The image listens on all of its own instead, at
    port 8080."""
    port: Annotated[int, Field(ge=1, le=65535)] = 8080
    """The TCP port."""
    public_url: Annotated[str, AfterValidator(public_address)] | None = None
    """How helpdesks reach this receiver: `"https://points.example.com"`, without `/webhooks/...`.
    `points-bridge setup` tells it to them, and `points-bridge doctor` looks from there. Plain http
    only to private addresses and names."""


Texts = Annotated[tuple[str, ...], Field(strict=False)]


class Defaults(_Section):
    """What holds for a customer whose account and whose helpdesk record say nothing else."""

    zone: str
    """The time zone that business hours and expiry days are counted in: an IANA name such as
    `"Europe/Berlin"`."""
    country: str | None = None
    """Whose public holidays close support, where the zone does not tell: an ISO 3166 code or a
    name."""
    subdivision: str | None = None
    """The state or province, where holidays differ within the country: `"BY"` or `"Bayern"`."""
    hours: str = "Mon-Fri 09:00-17:00"
    """When support is open: days with their hours, such as
    `"Mon-Thu 08:00-18:00, Fri 09:00-12:00 13:00-15:00"`, or `"24/7"`, which no holiday closes."""
    holidays: Texts = ()
    """The categories of holidays that close support, such as `["public", "bank"]`. Where there are
    none, those on which the country's offices are shut."""
    closed: Texts = ()
    """Dates that are closed beside the holidays: `["2026-12-24"]`."""
    worked: Texts = ()
    """Dates that are worked although they are holidays."""
    open: Texts = ()
    """Dates with hours of their own: `["2026-12-31 09:00-12:00"]`."""
    language: str = "en"
    """The language of notes and replies: `"en"`, `"de"`, or one of your own texts."""

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

    @field_validator("hours", "holidays", "closed", "worked", "open")
    @classmethod
    def _legible(cls, said: Any, info: ValidationInfo) -> Any:
        with _as_value_error():
            _hours({str(info.field_name): said})
        return said

    @field_validator("language")
    @classmethod
    def _has_texts(cls, language: str, info: ValidationInfo[Surroundings]) -> str:
        known = info.context.languages
        if language not in known:
            raise ValueError(
                f"there are no texts in {language!r}, only in: {', '.join(sorted(known))}"
            )
        return language

    @property
    def address(self) -> Address:
        """Where customers are of whom nothing else is known."""
        return Address(self.zone, self.country, self.subdivision)

    def service_hours(self) -> Hours:
        """What is said here of when support is open."""
        return _hours({key: getattr(self, key) for key in _HOURS})


#: What says when support is open: the keys here, and those of `Hours.from_dict`.
_HOURS = {
    "hours": "hours",
    "holidays": "holiday_categories",
    "closed": "closed",
    "worked": "worked",
    "open": "open",
}


def _hours(said: Mapping[str, Any]) -> Hours:
    return Hours.from_dict({_HOURS[key]: value for key, value in said.items() if value})


Days = Annotated[int, Field(ge=0, le=3660)]
PromisedHours = Annotated[float, Field(ge=SHORTEST_PROMISE / HOUR, le=LONGEST_PROMISE // HOUR)]


class TermsSettings(_Section):
    """The numbers of the support terms."""

    price: Annotated[int, Field(ge=1, le=1_000_000)] = _TERMS.price
    """Points that one incident costs."""
    look_back_hours: Annotated[int, Field(ge=0, le=72)] = _TERMS.look_back // _HOUR
    """A first decision counts the points that were valid when the ticket was created, at most so
    many hours back."""
    hold_days: Annotated[Days, Field(ge=1)] = _TERMS.hold_days
    """A ticket held for want of points is declined on this day."""
    hold_reminder_days: Annotated[tuple[Days, ...], Field(strict=False)] = _TERMS.hold_reminder_days
    """The days on which the requester of a held ticket is reminded."""
    response_hours: PromisedHours = _TERMS.response_seconds / HOUR
    """Business hours within which a first response is promised."""
    at_risk_minutes: Annotated[int, Field(ge=0)] = _TERMS.at_risk_seconds // 60
    """A promise is at risk so many business minutes before it is broken."""
    reopen_days: Days = _TERMS.reopen_days
    """Days from the first closure in which a re-open is free."""
    late_reopen: Literal["gate", "refuse"] = _TERMS.late_reopen
    """A later re-open is gated like a new ticket (`"gate"`) or closed again with a reply
    (`"refuse"`)."""
    credit_days: Days = _TERMS.credit_days
    """Credited points live at least so many days from the credit."""

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
            response_seconds=round(self.response_hours * HOUR),
            at_risk_seconds=self.at_risk_minutes * 60,
            reopen_days=self.reopen_days,
            late_reopen=self.late_reopen,
            credit_days=self.credit_days,
        )


def _legible_text(text: str) -> str:
    if not text.strip() or not text.replace("\n", " ").isprintable():
        raise ValueError("must be a text that people can read; write a sentence, or leave it out")
    return text.strip()


def _link(text: str) -> str:
    scheme, _, rest = text.partition(":")
    if scheme not in {"https", "http", "mailto"} or not rest.strip("/") or " " in text:
        raise ValueError("is no link; write https://..., or mailto:...")
    return text


BuyText = Annotated[str, AfterValidator(_legible_text)] | None
BuyLink = Annotated[str, AfterValidator(_link)] | None


class TextsSettings(_Section):
    """A company's own texts, instead of ours, and what ours say of it."""

    directory: str | None = None
    """A directory with your own texts, one `<language>.toml` each. What it lacks in `en` and `de`
    is taken from the texts that come along."""

    buy_text: BuyText = None
    """How and where points are bought: a sentence for the requesters of held tickets. With
    `buy_link` the link follows it."""
    buy_link: BuyLink = None
    """Where points are bought: `"https://shop.example.com/points"`. Without either, requesters are
    told to turn to their usual contact."""

    @field_validator("directory")
    @classmethod
    def _exists(cls, directory: str | None, info: ValidationInfo[Surroundings]) -> str | None:
        if directory is not None and not (info.context.directory / directory).is_dir():
            raise ValueError(f"there is no directory {directory!r} beside this file; make it")
        return directory


class SettingsFile(_Section):
    """The file as a whole. Helpdesks are tables whose keys depend on their vendor."""

    database: str = f"{_SQLITE}points-bridge.db"
    """The ledger: `sqlite:///FILE`, or `sqlite:////full/path`."""
    secrets_directory: Annotated[str, Field(min_length=1)] = "secrets"
    """Where secrets are looked for that the environment does not hold, and where `points-bridge
    setup` keeps those that come of a set-up. It may be missing."""
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


def _in_utc(at: datetime) -> datetime:
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise ValueError("is at the end of all calendars; name a day of this century") from None


def _known_vendor(vendor: str) -> str:
    if vendor not in VENDORS:
        known = ", ".join(sorted(VENDORS))
        raise ValueError(
            f"unknown vendor {vendor!r}{did_you_mean(vendor, VENDORS)}; known: {known}"
        )
    return vendor


class HelpdeskOptions(_Section):
    """The keys of a helpdesk that are the same for every vendor."""

    vendor: Annotated[
        str, AfterValidator(_known_vendor), Field(json_schema_extra={"enum": sorted(VENDORS)})
    ]
    """The kind of helpdesk."""
    in_service_since: Annotated[AwareDatetime, AfterValidator(_in_utc)] | None = None
    """Tickets created before this instant are left alone. Without it, the instant of the first
    `points-bridge setup` or `serve`, which is kept. `setup` and `doctor` say how many open tickets
    it takes in; one that lies in the past must be confirmed."""
    declined_status: Literal["closed", "open"] = "closed"
    """What becomes of a declined ticket: `"closed"`, or `"open"` to leave it to the agents."""
    held_status: Literal["pending"] | None = None
    """`"pending"` sets a held ticket to pending until its hold ends. Without it, the status stays
    as it is."""
    announce_release: bool = True
    """Whether the requester of a held ticket is told publicly that points have come and work
    begins. With `false`, only agents are, by an internal note."""
    buy_text: BuyText = None
    """As in `[texts]`, for the requesters of this helpdesk. Where one of the two is here, neither
    is taken from there."""
    buy_link: BuyLink = None
    """As in `[texts]`, for the requesters of this helpdesk."""
