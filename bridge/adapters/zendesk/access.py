"""How a Zendesk account is reached: its address, and the credential that every call carries."""

import re
import threading
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from ipaddress import ip_address
from urllib.parse import urlsplit

import requests
import structlog
from pydantic import BaseModel, Field

from bridge.adapters.http import Failure, GuardedSession, Sign, checked_base_url, decoded, signing
from bridge.adapters.zendesk.ticket import checked
from bridge.errors import BridgeError, HelpdeskRefused, SettingsError

log = structlog.get_logger(__name__)

API_TOKENS_END = "2027-04-30"
"""When Zendesk's last API tokens stop working ("Migrating from API tokens to OAuth")."""

SCOPE = "read tickets:write"
"""What the OAuth client must be allowed. Zendesk shows audits to the global `read` only."""

BALANCE_SCOPE = f"{SCOPE} organizations:write"
"""The same where organisations show their points."""

TOKEN_LIFETIME = 7_200
"""Seconds that a token is asked to live; Zendesk grants 300 to 172,800."""

Clock = Callable[[], float]
"""Monotonic seconds."""

_RENEW_EARLY = 60.0
_SUBDOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class ZendeskConfig:
    """One Zendesk account.

    `url` is its subdomain, or its whole address; http only where that does not leave the machine.
    Calls act as one agent with access to all tickets: the owner of an OAuth client (`client_id` and
    `client_secret`), or, until `API_TOKENS_END`, the user of `email` with an `api_token`. The three
    fields are keys of custom fields of the organisation (and of the user, for people without one).
    `show_balance`: whether organisations show their points, which takes an admin's rights.
    `deadline` in seconds, per call.
    """

    url: str
    webhook_secrets: tuple[str, ...] = field(repr=False)
    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    email: str | None = None
    api_token: str | None = field(default=None, repr=False)
    zone_field: str = "support_timezone"
    country_field: str = "support_country"
    subdivision_field: str = "support_subdivision"
    show_balance: bool = False
    deadline: float = 20.0


def runtime_scope(config: ZendeskConfig) -> str:
    """What the OAuth client that the bridge runs with must be allowed."""
    return BALANCE_SCOPE if config.show_balance else SCOPE


def account_url(text: str) -> str:
    """`https://host[:port]` of a subdomain, or of an address that is written out.

    Raises:
        SettingsError: it is neither, or would send the credential unencrypted to another machine.
    """
    url = f"https://{text}.zendesk.com" if _SUBDOMAIN.fullmatch(text) else checked_base_url(text)
    parts = urlsplit(url)
    if parts.path:
        raise SettingsError("Zendesk's url must be the subdomain, or https://host without a path")
    if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
        raise SettingsError("Zendesk's url would send the token unencrypted: write https://")
    return url


class ApiToken:
    """An agent's API token, the older way. It cannot be renewed."""

    def __init__(self, email: str, token: str) -> None:
        """Raises SettingsError if no header can carry it."""
        self.sign: Sign = signing(f"Basic {b64encode(f'{email}/token:{token}'.encode()).decode()}")
        log.warning("Zendesk ends API tokens; create an OAuth client instead", ends=API_TOKENS_END)

    def value(self) -> str:
        """Nothing that could be dropped."""
        return ""

    def drop(self, _value: str) -> bool:
        """Whether another attempt has a chance: it has none."""
        return False


class OAuthToken:
    """The present access token of an OAuth client, asked for when it is needed. Thread-safe.

    The client-credentials grant has no refresh token: a new token replaces one that ends.
    """

    def __init__(self, ask: Callable[[], "Grant"], clock: Clock) -> None:
        self._ask = ask
        self._clock = clock
        self._lock = threading.Lock()
        self._value = ""
        self._until = float("-inf")

    def sign(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Put the token on a request. Raises as `value`."""
        return signing(f"Bearer {self.value()}")(request)

    def value(self) -> str:
        """The token; a new one where there is none that lasts another minute.

        Raises:
            HelpdeskUnavailable: Zendesk cannot grant one now.
            HelpdeskRefused: it will not.
        """
        with self._lock:
            if self._clock() >= self._until:
                grant = self._ask()
                lifetime = grant.expires_in or TOKEN_LIFETIME
                self._value, self._until = grant.access_token, self._clock() + lifetime
                self._until -= _RENEW_EARLY
            return self._value

    def drop(self, value: str) -> bool:
        """Forget a token that Zendesk rejected, unless another thread has replaced it already.

        True: another attempt has a chance.
        """
        with self._lock:
            if self._value == value:
                self._until = float("-inf")
        return True


class Grant(BaseModel):
    """Zendesk's answer to a request for a token."""

    access_token: str = Field(min_length=1, repr=False)
    scope: str | None = None
    expires_in: float | None = None


def credential(config: ZendeskConfig, clock: Clock, scope: str) -> OAuthToken | ApiToken:
    """What signs the calls: an OAuth client where there is one, else an API token.

    `scope` is what an OAuth client's token is to be allowed; an API token may do all its user may.

    Raises:
        SettingsError: there is neither, or one that no header can carry.
    """
    if config.client_id and config.client_secret:
        return OAuthToken(partial(_ask, config, scope), clock)
    if config.email and config.api_token:
        return ApiToken(config.email, config.api_token)
    raise SettingsError("Zendesk needs an OAuth client: set client_id and client_secret")


def _ask(config: ZendeskConfig, scope: str) -> Grant:
    base_url = account_url(config.url)
    request = {
        "grant_type": "client_credentials",
        "client_id": config.client_id,
        "client_secret": config.client_secret,
        "scope": scope,
        "expires_in": TOKEN_LIFETIME,
    }
    with GuardedSession(
        base_url, sign=_unsigned, deadline=config.deadline, explain=partial(_explain, scope)
    ) as session:
        grant = checked(Grant, decoded(session.post(f"{base_url}/oauth/tokens", json=request)))
    granted = scope if grant.scope is None else grant.scope
    if missing := set(scope.split()) - set(granted.split()):
        # Zendesk leaves out what it does not know or allow, and then forbids every call.
        raise HelpdeskRefused(
            f"Zendesk did not grant {' '.join(sorted(missing))}: allow the OAuth client {scope!r}"
        )
    return grant


def _unsigned(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _explain(scope: str, failure: Failure) -> BridgeError | None:
    if failure.status in {400, 401, 403, 422}:
        return HelpdeskRefused(
            f"{failure.where}: answers {failure.status}; check client_id and client_secret, and"
            f" that the OAuth client may use client credentials and the scope {scope!r}",
            status=failure.status,
        )
    return None


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
