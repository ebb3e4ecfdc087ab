"""Who calls the API, and what they may do."""

from base64 import b64decode
from binascii import Error as Base64Error
from dataclasses import dataclass

from bridge.sandbox.zammad import seed
from bridge.sandbox.zammad.records import ApiError, Record
from bridge.sandbox.zammad.store import Store


@dataclass(frozen=True, slots=True, eq=False)
class Actor:
    """A user, with the permissions of the credentials in use."""

    user: Record
    granted: frozenset[str]
    by_token: bool = False

    @property
    def id(self) -> int:
        """The user's id."""
        return int(self.user["id"])

    @property
    def is_agent(self) -> bool:
        """Whether the user works on tickets, rather than asks."""
        return 2 in self.user["role_ids"]

    def may(self, *permissions: str) -> bool:
        """Whether any of the permissions is granted; `admin` grants `admin.webhook`."""
        return any(_covers(self.granted, permission) for permission in permissions)

    def require(self, *permissions: str) -> None:
        """Insist on any of the permissions.

        Raises:
            ApiError: 403, as recordings 061 and 142.
        """
        if not self.may(*permissions):
            raise ApiError(403, f"Not authorized ({'token' if self.by_token else 'user'})!")

    def works_in(self, group_id: int) -> bool:
        """Whether the user is an agent with full access to the group."""
        return self.is_agent and "full" in self.user["group_ids"].get(str(group_id), ())


class Access:
    """Tokens, passwords, and the rules of who sees a ticket."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._tokens: dict[str, tuple[int, frozenset[str]]] = {}
        self.passwords: dict[int, str] = {}

    def add_token(self, token: str, login: str, *permissions: str) -> None:
        """Let `token` act for the user, with these permissions as far as the user has them."""
        self._tokens[token] = (self.actor(login).id, frozenset(permissions))

    def actor(self, login: str) -> Actor:
        """The user with that login, with everything that the user's roles allow.

        Raises:
            ValueError: there is no such user.
        """
        user = self._store.first("User", login=login)
        if user is None:
            raise ValueError(f"no user with the login {login!r}")
        return Actor(user, _role_permissions(user))

    def authenticate(self, authorization: str | None, on_behalf_of: str | None = None) -> Actor:
        """The actor behind an `Authorization` header; `From` lets an admin act for a user.

        Raises:
            ApiError: 403 without credentials, 401 with wrong ones (recordings 140, 141, 143).
        """
        scheme, _, credentials = (authorization or "").partition(" ")
        if scheme == "Token":
            actor = self._by_token(credentials.removeprefix("token="))
        elif scheme == "Basic":
            actor = self._by_password(credentials)
        else:
            raise ApiError(403, "Authentication required")
        if on_behalf_of is None:
            return actor
        actor.require("admin.user")
        return self.actor(on_behalf_of)

    def _by_token(self, token: str) -> Actor:
        if token not in self._tokens:
            raise ApiError(401, "Can't find User for Token")
        user_id, permissions = self._tokens[token]
        user = self._store.get("User", user_id)
        allowed = _role_permissions(user)
        granted = frozenset(name for name in permissions if _covers(allowed, name))
        return Actor(user, granted, by_token=True)

    def _by_password(self, credentials: str) -> Actor:
        try:
            login, _, password = b64decode(credentials).decode().partition(":")
        except (Base64Error, UnicodeDecodeError):
            login, password = "", ""
        user = self._store.first("User", login=login)
        if user is None or not password or self.passwords.get(user["id"]) != password:
            raise ApiError(401, "Invalid BasicAuth credentials")
        return Actor(user, _role_permissions(user))

    def may_see(self, actor: Actor, ticket: Record) -> bool:
        """An agent sees the tickets of the groups, a customer the own and the organisation's."""
        if actor.is_agent:
            return actor.works_in(ticket["group_id"])
        if ticket["customer_id"] == actor.id:
            return True
        organization_id = ticket["organization_id"]
        mine = {actor.user["organization_id"], *actor.user["organization_ids"]}
        if organization_id is None or organization_id not in mine:
            return False
        return bool(self._store.get("Organization", organization_id)["shared"])

    def ticket(self, actor: Actor, ticket_id: int) -> Record:
        """A ticket that the actor may see.

        Raises:
            ApiError: 404 or 403, as recordings 139 and 144.
        """
        actor.require("ticket.agent", "ticket.customer")
        ticket = self._store.get("Ticket", ticket_id)
        if not self.may_see(actor, ticket):
            raise ApiError(403, "Not authorized")
        return ticket


def _covers(granted: frozenset[str], permission: str) -> bool:
    return permission in granted or permission.partition(".")[0] in granted


def _role_permissions(user: Record) -> frozenset[str]:
    return frozenset().union(*(seed.PERMISSIONS[role] for role in user["role_ids"]))
