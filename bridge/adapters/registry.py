"""The vendors by name: the one place, beside its own module, that a vendor is mentioned in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from types import MappingProxyType
from typing import Annotated, Any, Generic, TypeVar, get_args
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from bridge.adapters.base import Adapter
from bridge.adapters.zammad import Zammad, ZammadConfig


class VendorSettings(BaseModel):
    """What one helpdesk of a vendor needs. A `SecretStr` never comes from the settings file."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    @classmethod
    def secret_keys(cls) -> tuple[str, ...]:
        """The keys whose values come from the environment, or from files that it names."""
        return tuple(
            key
            for key, field in cls.model_fields.items()
            if SecretStr in (field.annotation, *get_args(field.annotation))
        )


S = TypeVar("S", bound=VendorSettings)


@dataclass(frozen=True, slots=True)
class Vendor(Generic[S]):
    """How a vendor is set up: its settings, and the adapter of the helpdesk of that name."""

    settings: type[S]
    build: Callable[[str, S], Adapter]


def _base_url(text: str) -> str:
    """Https, since the token travels with every call; http where it does not leave the machine."""
    remedy = "write https://host[:port][/path], without user, query or fragment"
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError(f"is not a URL; {remedy}") from None
    if parts.scheme not in {"http", "https"} or not host:
        raise ValueError(f"is not a web address; {remedy}")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError(f"holds more than an address; {remedy}")
    if parts.scheme == "http" and not _is_loopback(host):
        raise ValueError("would send the token unencrypted; write https://")
    return text.rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


BaseUrl = Annotated[str, AfterValidator(_base_url)]
Name = Annotated[str, Field(min_length=1)]


class ZammadSettings(VendorSettings):
    """See `ZammadConfig`. Two webhook secrets are accepted while one replaces the other."""

    url: BaseUrl
    token: SecretStr
    webhook_secret: SecretStr
    webhook_secret_previous: SecretStr | None = None
    zone_field: Name = "support_timezone"
    country_field: Name = "support_country"
    subdivision_field: Name = "support_subdivision"
    deadline_seconds: Annotated[float, Field(ge=1, le=120)] = 20.0


def _zammad(_name: str, settings: ZammadSettings) -> Zammad:
    secrets = (settings.webhook_secret, settings.webhook_secret_previous)
    return Zammad(
        ZammadConfig(
            url=settings.url,
            token=settings.token.get_secret_value(),
            webhook_secrets=tuple(secret.get_secret_value() for secret in secrets if secret),
            zone_field=settings.zone_field,
            country_field=settings.country_field,
            subdivision_field=settings.subdivision_field,
            deadline=settings.deadline_seconds,
        )
    )


VENDORS: Mapping[str, Vendor[Any]] = MappingProxyType(
    {
        "zammad": Vendor(ZammadSettings, _zammad),
    }
)
