"""Zammad's settings, and what is built of them."""

import re
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, SecretStr

from bridge.adapters.provisioning import SecretPlace
from bridge.adapters.vendor import BaseUrl, Name, Vendor, VendorSettings, revealed
from bridge.adapters.zammad.adapter import Zammad, ZammadConfig
from bridge.adapters.zammad.setup.provisioner import ZammadSetup

_API = re.compile(r"/api(/v1)?$")


def _without_api(url: str) -> str:
    if _API.search(url):
        raise ValueError(
            f"holds the path of Zammad's API, which is added by itself; write {_API.sub('', url)}"
        )
    return url


class ZammadSettings(VendorSettings):
    """See `ZammadConfig`. Two webhook secrets are accepted while one replaces the other.

    The setup token and `native_slas` are for the commands that set Zammad up and check it; a server
    needs neither.
    """

    kept_by_setup: ClassVar[frozenset[str]] = frozenset({"webhook_secret"})

    url: Annotated[BaseUrl, AfterValidator(_without_api)]
    """Where Zammad is: `"https://helpdesk.example.com"`, without `/api/v1`. Plain http only on the
    same machine."""
    token: SecretStr
    """An access token with the permission `ticket.agent`."""
    webhook_secret: SecretStr | None = None
    """The signature token of Zammad's webhook. Where there is none, `points-bridge setup` invents
    one and keeps it."""
    webhook_secret_previous: SecretStr | None = None
    """The one before, accepted as well while you change it."""
    setup_token: SecretStr | None = None
    """An access token for `points-bridge setup` and `points-bridge doctor`, with the permissions
    `ticket.agent`, `admin.object`, `admin.webhook`, `admin.trigger`, and `admin.overview`,
    `admin.core_workflow`, `admin.group`, `admin.calendar` and `admin.sla` for what is optional. Set
    it only where and while you run them. Without it, `token` is used."""
    zone_field: Name = "support_timezone"
    """The organisation's attribute that names its time zone."""
    country_field: Name = "support_country"
    """The organisation's attribute that names its country."""
    subdivision_field: Name = "support_subdivision"
    """The organisation's attribute that names its state or province."""
    show_balance: bool = True
    """Whether organisations show their points, beside the tickets."""
    native_slas: bool = False
    """Whether `points-bridge setup` gives Zammad calendars and SLAs of its own, so that agents see
    [Zammad's own badge](zammad.md#zammads-own-badge). Set back to `false`, it takes them away."""
    deadline_seconds: Annotated[float, Field(ge=1, le=120)] = 20.0
    """Seconds that one call to Zammad may take in all."""


def _config(settings: ZammadSettings) -> ZammadConfig:
    return ZammadConfig(
        url=settings.url,
        token=settings.token.get_secret_value(),
        webhook_secrets=revealed(settings.webhook_secret, settings.webhook_secret_previous),
        zone_field=settings.zone_field,
        country_field=settings.country_field,
        subdivision_field=settings.subdivision_field,
        show_balance=settings.show_balance,
        deadline=settings.deadline_seconds,
    )


def _build(_name: str, settings: ZammadSettings) -> Zammad:
    return Zammad(_config(settings))


def _setup(name: str, settings: ZammadSettings, secrets: SecretPlace) -> ZammadSetup:
    token = settings.setup_token
    own = token.get_secret_value() if token else None
    native = settings.native_slas
    return ZammadSetup(name, _config(settings), secrets, own, native_slas=native)


ZAMMAD = Vendor(ZammadSettings, _build, _setup)
