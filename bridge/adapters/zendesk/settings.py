"""Zendesk's settings, and what is built of them."""

from dataclasses import replace
from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from bridge.adapters.provisioning import SecretPlace
from bridge.adapters.vendor import Name, Vendor, VendorSettings, revealed
from bridge.adapters.zendesk.access import ZendeskConfig, account_url
from bridge.adapters.zendesk.adapter import Zendesk
from bridge.adapters.zendesk.setup.provisioner import ZendeskSetup
from bridge.errors import SettingsError


def _address(text: str) -> str:
    try:
        return account_url(text)
    except SettingsError as error:
        raise ValueError(str(error)) from None


class ZendeskSettings(VendorSettings):
    """See `ZendeskConfig`. Each of Zendesk's two kinds of webhook has a signing secret of its own.

    Two secrets of the first kind are accepted while one replaces the other. The setup client is for
    the commands that set Zendesk up and check it; a server needs none.
    """

    kept_by_setup: ClassVar[frozenset[str]] = frozenset({"webhook_secret"})

    url: Annotated[Name, AfterValidator(_address)]
    """The subdomain, `"acme"`, or the whole address, `"https://acme.zendesk.com"`."""
    client_id: Name | None = None
    """The OAuth client that the bridge acts as, with the grant type client credentials."""
    client_secret: SecretStr | None = None
    """The secret of the OAuth client."""
    setup_client_id: Name | None = None
    """An OAuth client for `points-bridge setup` and `points-bridge doctor`, owned by an admin and
    allowed the scope `read write`. Set it, with its secret, only where and while you run them.
    Without it, the client that the bridge runs with is used."""
    setup_client_secret: SecretStr | None = None
    """The secret of the OAuth client `setup_client_id`."""
    email: Name | None = None
    """The address of the agent whose API token is used."""
    api_token: SecretStr | None = None
    """The agent's API token."""
    webhook_secret: SecretStr | None = None
    """The signing secret of the webhook that the triggers use. Zendesk makes it; `points-bridge
    setup` keeps it."""
    webhook_secret_previous: SecretStr | None = None
    """The one before, accepted as well while you change it."""
    event_webhook_secret: SecretStr | None = None
    """The signing secret of the webhook that is subscribed to events. Zendesk makes it;
    `points-bridge setup` keeps it."""
    zone_field: Name = "support_timezone"
    """The key of the organisation's field that names its time zone."""
    country_field: Name = "support_country"
    """The key of the organisation's field that names its country."""
    subdivision_field: Name = "support_subdivision"
    """The key of the organisation's field that names its state or province."""
    show_balance: bool = False
    """Whether organisations show their points, too. The client must then be an admin's (or have a
    role that may edit organisations), and be allowed the scope `organizations:write` as well."""
    deadline_seconds: Annotated[float, Field(ge=1, le=120)] = 20.0
    """Seconds that one call to Zendesk may take in all."""

    @model_validator(mode="after")
    def _one_credential(self) -> Self:
        client = bool(self.client_id) and bool(self.client_secret)
        token = bool(self.email) and bool(self.api_token)
        if client is token:
            raise ValueError(
                "needs client_id and the secret client_secret of an OAuth client, or (only until"
                " 2027-04-30) email and the secret api_token, and not both"
            )
        if bool(self.setup_client_id) is not bool(self.setup_client_secret):
            raise ValueError("setup_client_id and the secret setup_client_secret go together")
        return self


def _config(settings: ZendeskSettings) -> ZendeskConfig:
    return ZendeskConfig(
        url=settings.url,
        webhook_secrets=revealed(
            settings.webhook_secret,
            settings.webhook_secret_previous,
            settings.event_webhook_secret,
        ),
        client_id=settings.client_id,
        client_secret=next(iter(revealed(settings.client_secret)), None),
        email=settings.email,
        api_token=next(iter(revealed(settings.api_token)), None),
        zone_field=settings.zone_field,
        country_field=settings.country_field,
        subdivision_field=settings.subdivision_field,
        show_balance=settings.show_balance,
        deadline=settings.deadline_seconds,
    )


def _build(_name: str, settings: ZendeskSettings) -> Zendesk:
    return Zendesk(_config(settings))


def _setup(name: str, settings: ZendeskSettings, secrets: SecretPlace) -> ZendeskSetup:
    config = _config(settings)
    client = settings.setup_client_id
    secret = next(iter(revealed(settings.setup_client_secret)), None)
    own = replace(config, client_id=client, client_secret=secret) if client and secret else None
    return ZendeskSetup(name, config, secrets, own)


ZENDESK = Vendor(ZendeskSettings, _build, _setup)
