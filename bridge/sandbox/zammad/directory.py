"""Users, organisations and groups."""

import re
from collections.abc import Iterable, Mapping

from bridge.sandbox.zammad import seed
from bridge.sandbox.zammad.attributes import ObjectManager
from bridge.sandbox.zammad.records import ApiError, Record
from bridge.sandbox.zammad.store import SYSTEM, Store

_GROUP_COLUMNS = ("name", "note", "active", "email_address_id")
_FOLLOW_UP = ("follow_up_possible", "reopen_time_in_days", "follow_up_assignment")
_DERIVED = frozenset({"id", "login", "preferences", "authorization_ids", "overview_sorting_ids"})


class Directory:
    """The people and companies that the tickets refer to."""

    def __init__(self, store: Store, attributes: ObjectManager) -> None:
        self._store = store
        self._attributes = attributes

    def create_user(self, spec: Record, by: int) -> Record:
        """Add a user; roles and organisation by name or id, customer by default.

        Raises:
            ApiError: 422, the address is taken (recording 011), or a name is unknown.
        """
        email = str(spec.get("email") or "").lower()
        if email and self._store.first("User", email=email):
            raise ApiError(422, f"Email address '{email}' is already used for another user.")
        fields = seed.user(spec.get("firstname") or "", spec.get("lastname") or "", email)
        writable = fields.keys() - _DERIVED
        fields |= {key: spec[key] for key in writable if spec.get(key) is not None}
        fields |= {"email": email, "login": spec.get("login") or email}
        if spec.get("organization"):
            fields["organization_id"] = self._named("organization", spec["organization"])
        if spec.get("roles"):
            fields["role_ids"] = [self._named("role", name) for name in spec["roles"]]
        if fields["organization_id"] is None:
            fields["organization_id"] = self._by_domain(email)
        if 2 in fields["role_ids"]:
            fields["preferences"] = {"notification_config": seed.notification_config()}
        return self._store.insert("User", fields | self._custom("User", spec), by)

    def update_user(self, user: Record, spec: Record, by: int) -> None:
        """Change a user, the organisations among the rest; the tickets are the caller's to move.

        Raises:
            ApiError: 422, a name is unknown, a value is refused, or there are secondary
                organisations without a primary one.
        """
        columns = seed.user("", "", "").keys() - (_DERIVED - {"preferences"})
        fields = _known(columns, spec) | self._attributes.cast("User", spec)
        if spec.get("organization"):
            fields["organization_id"] = self._named("organization", spec["organization"])
        after = user | fields
        if after["organization_ids"] and after["organization_id"] is None:
            reason = "Secondary organizations are only allowed when the primary organization is "
            raise ApiError(422, f"{reason}given.")
        self._store.change(user, fields, by)

    def sender(self, email: str, name: str = "") -> Record:
        """The user with that address; a stranger becomes a customer, as with a mail.

        One without a name gets that of the mail.
        """
        user = self._store.first("User", email=email.lower())
        firstname, lastname = _names(name, email)
        spec = {"firstname": firstname, "lastname": lastname, "email": email}
        if user is not None:
            if name and not user["firstname"] and not user["lastname"]:
                user |= {"firstname": firstname, "lastname": lastname}
            return user
        user = self.create_user(spec, SYSTEM)
        user["created_by_id"] = user["id"]
        return user

    def create_organization(self, spec: Record, by: int) -> Record:
        """Add an organisation.

        Raises:
            ApiError: 422, the name is taken (recording 012), or a value is refused.
        """
        fields = seed.organization(str(spec.get("name") or ""))
        fields |= _known(fields, spec)
        self._check_organization(fields, None)
        return self._store.insert("Organization", fields | self._custom("Organization", spec), by)

    def update_organization(self, organization: Record, spec: Record, by: int) -> None:
        """Change an organisation; unknown keys are ignored.

        Raises:
            ApiError: 422, the name is taken, or a value is refused.
        """
        fields = _known(seed.organization(""), spec)
        fields |= self._attributes.cast("Organization", spec)
        self._check_organization(organization | fields, organization["id"])
        self._store.change(organization, fields, by)

    def _check_organization(self, fields: Record, own_id: int | None) -> None:
        other = self._store.first("Organization", name=fields["name"])
        if other is not None and other["id"] != own_id:
            raise ApiError(422, "This object already exists.")
        if fields["domain_assignment"] and not fields["domain"]:
            raise ApiError(422, "Domain required when Domain Based Assignment is enabled")

    def update_group(self, group: Record, spec: Record, by: int) -> None:
        """Change a group, its rule for follow-ups among the rest (recording 236)."""
        self._store.change(group, _known((*_GROUP_COLUMNS, *_FOLLOW_UP), spec), by)

    def search(self, table: str, query: str, limit: int) -> list[Record]:
        """Records with the query in a name, login or address, as Zammad finds them by SQL."""
        columns = ("name", "login", "firstname", "lastname", "email", "domain")
        found = [
            row
            for row in self._store.tables[table].values()
            if any(query.lower() in str(row.get(column, "")).lower() for column in columns)
        ]
        return found[:limit]

    def _custom(self, table: str, spec: Record) -> Record:
        return self._attributes.defaults(table) | self._attributes.cast(table, spec)

    def _named(self, kind: str, name: object) -> int:
        row = self._store.first(kind.capitalize(), name=name)
        if row is None:
            raise ApiError(422, f"No lookup value found for '{kind}': \"{name}\"")
        return int(row["id"])

    def _by_domain(self, email: str) -> int | None:
        """The organisation that takes everybody with this domain (recording 113)."""
        domain = email.rpartition("@")[2]
        if not domain:
            return None
        row = self._store.first("Organization", domain=domain, domain_assignment=True)
        return None if row is None else int(row["id"])


def _names(name: str, email: str) -> tuple[str, str]:
    """First and last name, guessed from one line, or from an address with a full stop in it."""
    last, comma, first = name.partition(", ")
    parts = re.match(r"((?:(?:Dr|Prof)\.\s)?.+?)\s(.+)$", name, re.IGNORECASE)
    parts = parts if name else re.match(r"(.+?)\.(.+?)@", email)
    found = (parts[1], parts[2]) if parts else (name, "")
    if comma and (first or last):
        found = first.strip(), last.strip()
    first, last = (
        part.capitalize() if part.isascii() and part.isalpha() and _one_case(part) else part
        for part in found
    )
    return first, last


def _one_case(name: str) -> bool:
    return name in {name.lower(), name.upper()}


def _known(columns: Iterable[str], spec: Mapping[str, object]) -> Record:
    return {key: spec[key] for key in columns if key in spec}
