"""What a vendor brings besides its adapter: its settings, and how to build it from them."""

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Annotated, ClassVar, Generic, TypeVar, get_args
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from bridge.adapters.base import Adapter
from bridge.adapters.provisioning import Provisioner, SecretPlace


class VendorSettings(BaseModel):
    """What one helpdesk of a vendor needs. A `SecretStr` never comes from the settings file.

    The text below each key is that of docs/settings.md.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
    )

    kept_by_setup: ClassVar[frozenset[str]] = frozenset()
    """Secrets that `points-bridge setup` makes or learns, and keeps. Nothing else works before."""

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
    """A vendor's settings, and what is built of them for the helpdesk of that name.

    `provisioner` None: this vendor's helpdesks are set up by hand. It is also given a place for the
    secrets that come of the set-up.
    """

    settings: type[S]
    build: Callable[[str, S], Adapter]
    provisioner: Callable[[str, S, SecretPlace], Provisioner] | None = None


def web_address(text: str) -> str:
    """An http or https address of a host, without a slash at its end.

    Raises:
        ValueError: it is none, or holds a user, a query or a fragment; says what to write.
    """
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
    return text.rstrip("/")


def _base_url(text: str) -> str:
    """Https, since the token travels with every call; http where it does not leave the machine."""
    url = web_address(text)
    parts = urlsplit(url)
    if parts.scheme == "http" and not is_loopback(str(parts.hostname)):
        raise ValueError("would send the token unencrypted; write https://")
    return url


def is_loopback(host: str) -> bool:
    """Whether that host is this machine, by its name or address alone."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


BaseUrl = Annotated[str, AfterValidator(_base_url)]
Name = Annotated[str, Field(min_length=1)]


def revealed(*secrets: SecretStr | None) -> tuple[str, ...]:
    """The secrets that are set, in clear."""
    return tuple(secret.get_secret_value() for secret in secrets if secret)
