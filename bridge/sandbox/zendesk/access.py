"""Who calls the API, and what they may do: OAuth clients and tokens, and the older API tokens."""

from base64 import b64decode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from secrets import token_hex

from bridge.sandbox.zendesk.records import ApiError, Record, forbidden, refused
from bridge.sandbox.zendesk.store import Store

TOKEN_LIFETIME = timedelta(minutes=30)
"""Of an access token whose request names none."""

SHORTEST, LONGEST = 300, 172_800
"""Seconds that a request may name as `expires_in`."""

API_TOKENS_END = datetime(2027, 4, 30, tzinfo=UTC)
"""No API token opens anything from then on (Zendesk: "Migrating from API tokens to OAuth")."""

_RESOURCES = ("tickets", "users", "organizations", "triggers", "webhooks", "auditlogs")
SCOPES = frozenset(
    {"read", "write"} | {f"{name}:{right}" for name in _RESOURCES for right in ("read", "write")}
)


@dataclass(frozen=True, slots=True, eq=False)
class Actor:
    """A user, with the scopes of the token in use; None where nothing limits them."""

    user: Record
    scopes: frozenset[str] | None = None

    @property
    def id(self) -> int:
        """The user's id."""
        return int(self.user["id"])

    @property
    def is_agent(self) -> bool:
        """Whether the user works on tickets, rather than asks; an admin does too."""
        return self.user["role"] in {"agent", "admin"}

    def require(self, right: str, resource: str = "", *, admin: bool = False) -> None:
        """Insist on a scope and a role.

        Args:
            right: `read` or `write`; that scope alone is always enough.
            resource: the resource whose own scope is enough as well; none for many endpoints.
            admin: whether agents are not enough.

        Raises:
            ApiError: 403.
        """
        enough = ((f"{resource}:{right}",) if resource else ()) + (right,)
        if self.scopes is not None and self.scopes.isdisjoint(enough):
            missing = f"You are missing the following required scopes: {', '.join(enough)}"
            raise refused(403, "Forbidden", missing)
        if not self.is_agent or (admin and self.user["role"] != "admin"):
            raise forbidden()


@dataclass(frozen=True, slots=True)
class _Client:
    secret: str = field(repr=False)
    owner: Record
    allowed: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Token:
    actor: Actor
    expires_at: datetime


class Access:
    """The account's OAuth clients and the tokens that are in use.

    Attributes:
        tells_expiry: whether an answer says how long a token lives without being asked for it.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._clients: dict[str, _Client] = {}
        self._tokens: dict[str, _Token] = {}
        self._api_tokens: set[str] = set()
        self.tells_expiry = True

    def add_client(self, name: str, secret: str, owner: str, scopes: Iterable[str]) -> None:
        """Register an OAuth client that acts as `owner`, with no more than these scopes."""
        client = _Client(secret, self._store.user(owner), frozenset(scopes))
        self._clients[name] = client

    def add_api_token(self, token: str) -> None:
        """Let a token act, the older way, for whichever user the call names."""
        self._api_tokens.add(token)

    def revoke(self, token: str | None = None) -> None:
        """Revoke one access token, or all of them."""
        with self._store.lock:
            if token is None:
                self._tokens.clear()
            else:
                self._tokens.pop(token, None)

    def grant(self, request: Mapping[str, object]) -> Record:
        """Answer POST /oauth/tokens with the client-credentials grant.

        A scope that does not exist, or that the client may not have, is silently not granted.

        Raises:
            ApiError: 400, or 401 for a client that is not who it says.
        """
        if request.get("grant_type") != "client_credentials":
            raise _refused_grant(400, "unsupported_grant_type", "The grant type is not supported.")
        client = self._clients.get(str(request.get("client_id")))
        if client is None or client.secret != request.get("client_secret"):
            reason = "Client authentication failed due to unknown client, no client authentication"
            raise _refused_grant(401, "invalid_client", f"{reason} included, or a wrong one.")
        seconds = request.get("expires_in", int(TOKEN_LIFETIME.total_seconds()))
        if not isinstance(seconds, int) or not SHORTEST <= seconds <= LONGEST:
            reason = f"expires_in must be between {SHORTEST} and {LONGEST}"
            raise _refused_grant(400, "invalid_request", reason)
        wanted = str(request.get("scope", "read")).split()
        granted = [scope for scope in wanted if scope in SCOPES & client.allowed]
        token = token_hex(32)
        expires_at = self._store.now() + timedelta(seconds=seconds)
        self._tokens[token] = _Token(Actor(client.owner, frozenset(granted)), expires_at)
        granted_text = " ".join(granted)
        answer = {"access_token": token, "token_type": "bearer", "scope": granted_text}
        told = self.tells_expiry or "expires_in" in request
        return {**answer, "expires_in": seconds} if told else answer

    def actor(self, email: str) -> Actor:
        """The user with that address, as somebody who is signed in.

        Raises:
            ValueError: there is none.
        """
        return Actor(self._store.user(email))

    def authenticate(self, authorization: str | None) -> Actor | None:
        """The actor behind an `Authorization` header; None where there is no header.

        Raises:
            ApiError: 401, and the two ways of failing look different.
        """
        scheme, _, credentials = (authorization or "").partition(" ")
        if not scheme:
            return None
        if scheme.lower() == "bearer":
            return self._by_access_token(credentials)
        return self._by_api_token(credentials)

    def _by_access_token(self, text: str) -> Actor:
        token = self._tokens.get(text)
        if token is None or token.expires_at <= self._store.now():
            reason = "The access token provided is expired, revoked, malformed or invalid"
            raise _refused_grant(401, "invalid_token", f"{reason} for other reasons.")
        return token.actor

    def _by_api_token(self, credentials: str) -> Actor:
        try:
            login, _, token = b64decode(credentials).decode().partition(":")
        except ValueError:
            login, token = "", ""
        email, _, kind = login.rpartition("/")
        user = self._store.first("users", email=email.lower())
        known = token in self._api_tokens and self._store.now() < API_TOKENS_END
        if kind != "token" or user is None or not known:
            raise unauthenticated()
        return Actor(user)


def unauthenticated() -> ApiError:
    """No credentials, or an API token that is wrong."""
    challenge = {"WWW-Authenticate": 'Basic realm="Web Password"'}
    return ApiError(401, {"error": "Couldn't authenticate you"}, challenge)


def _refused_grant(status: int, error: str, description: str) -> ApiError:
    """The shape of OAuth's own errors."""
    return ApiError(status, {"error": error, "error_description": description})
