"""Zammad's settings, and what is built of them."""

from typing import Annotated, ClassVar

from pydantic import Field, SecretStr

from bridge.adapters.provisioning import SecretPlace
from bridge.adapters.vendor import BaseUrl, Name, Vendor, VendorSettings, revealed
from bridge.adapters.zammad.adapter import Zammad, ZammadConfig
from bridge.adapters.zammad.setup.provisioner import ZammadSetup


class ZammadSettings(VendorSettings):
    """See `ZammadConfig`. Two webhook secrets are accepted while one replaces the other.

    The setup token and `native_slas` are for the commands that set Zammad up and check it; a server
    needs neither.
    """

    kept_by_setup: ClassVar[frozenset[str]] = frozenset({"webhook_secret"})

    url: BaseUrl
    token: SecretStr
    webhook_secret: SecretStr | None = None
    webhook_secret_previous: SecretStr | None = None
    setup_token: SecretStr | None = None
    zone_field: Name = "support_timezone"
    country_field: Name = "support_country"
    subdivision_field: Name = "support_subdivision"
    show_balance: bool = True
    native_slas: bool = False
    deadline_seconds: Annotated[float, Field(ge=1, le=120)] = 20.0


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
