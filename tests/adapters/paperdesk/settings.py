"""Paperdesk's settings."""

from pydantic import SecretStr

from bridge.adapters.vendor import BaseUrl, VendorSettings


class PaperdeskSettings(VendorSettings):
    """Two webhook secrets are accepted while one replaces the other."""

    url: BaseUrl
    token: SecretStr
    webhook_secret: SecretStr | None = None
    webhook_secret_previous: SecretStr | None = None
