"""What a vendor brings besides its adapter: its settings, and how to build it from them."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Annotated, ClassVar, Generic, TypeVar, get_args
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    field_validator,
)

from bridge.adapters.base import Adapter
from bridge.adapters.provisioning import Provisioner, SecretPlace

SHORTEST_SECRET = 16
"""Characters that the secret of a webhook must have, so that nobody guesses it."""

_NO_PART_OF_AN_ADDRESS = re.compile(r"[?#\\\s\x00-\x1f\x7f]")
_RECEIVER = re.compile(r"/webhooks(/.*)?$")
#: What networks of one's own are called: RFC 6761, 6762 and 8375, and by custom.
_PRIVATE_NAMES = (".localhost", ".local", ".home.arpa", ".internal", ".lan")


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

    url: str
    """Where the helpdesk is; checked, and with its scheme."""

    kept_by_setup: ClassVar[frozenset[str]] = frozenset()
    """Secrets that `points-bridge setup` makes or learns, and keeps. Nothing else works before."""

    @field_validator("webhook_secret", "event_webhook_secret", check_fields=False)
    @classmethod
    def _hard_to_guess(cls, secret: SecretStr | None) -> SecretStr | None:
        """The one before may be short: it is on its way out. Of an empty one others complain."""
        if secret and 0 < len(secret) < SHORTEST_SECRET:
            raise ValueError(
                f"is shorter than {SHORTEST_SECRET} characters, and who guesses it can forge"
                " webhooks; unset it and run `points-bridge setup`, which keeps a long one, or"
                " take what `openssl rand -hex 32` prints, here and in the helpdesk"
            )
        return secret

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
    if "@" in parts.netloc or _NO_PART_OF_AN_ADDRESS.search(text):
        raise ValueError(f"holds more than an address; {remedy}")
    return text.rstrip("/")


def public_address(text: str) -> str:
    """How helpdesks reach the receiver: a `web_address`, to which `/webhooks/NAME` is added.

    Raises:
        ValueError: as `web_address`; or it has that already, or would carry deliveries unencrypted
            through a network that is not one's own.
    """
    url = web_address(text)
    parts = urlsplit(url)
    if _RECEIVER.search(parts.path):
        told = _RECEIVER.sub("", url)
        raise ValueError(f"holds the path of a webhook, which is added by itself; write {told}")
    if parts.scheme == "http" and not is_private(str(parts.hostname)):
        raise ValueError(
            "would let what customers write travel unencrypted; put a proxy with a certificate in"
            " front and write https:// (for a try, http:// with a private address)"
        )
    return url


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


def is_private(host: str) -> bool:
    """Whether that host can only be of a network of one's own, by its name or address alone."""
    try:
        return host == "localhost" or not ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith(_PRIVATE_NAMES)


def same_place(url: str) -> str:
    """What two urls of the same server have in common, however they are written."""
    parts = urlsplit(url)
    host = str(parts.hostname).rstrip(".")
    port = parts.port or {"http": 80}.get(parts.scheme, 443)
    return f"{'localhost' if is_loopback(host) else host}:{port}{parts.path.rstrip('/')}"


BaseUrl = Annotated[str, AfterValidator(_base_url)]
Name = Annotated[str, Field(min_length=1)]


def revealed(*secrets: SecretStr | None) -> tuple[str, ...]:
    """The secrets that are set, in clear."""
    return tuple(secret.get_secret_value() for secret in secrets if secret)
