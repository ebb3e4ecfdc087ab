"""The database of the stand-in: tables of records by id, the time, and who is there at first."""

import threading
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime

from bridge.sandbox.deliveries import Clock
from bridge.sandbox.zendesk.records import Record, not_found, ulid

ACCOUNT_ID = 21_000_001
ADMIN = "admin@support.example"
BRIDGE = "points-bridge@support.example"
AGENT = "agent@support.example"
MAILBOX = "support@support.example"
ZONE = "Europe/Berlin"
"""The account's own time zone, which is also everybody's who has not chosen another one."""

_FIRST_ID, _ID_STEP = 6_130_830_344_474, 128
"""Ids of everything but tickets, as recorded: they do not fit into 32 bits."""


class Store:
    """Every table by its name in the API. Hold `lock` while reading or writing.

    Args:
        clock: the present, as an aware datetime; a demo may move it.
    """

    def __init__(self, clock: Clock) -> None:
        self.lock = threading.RLock()
        self.clock = clock
        self._last_id = _FIRST_ID
        self._last_ticket_id = 0
        self.tables: defaultdict[str, dict[int, Record]] = defaultdict(dict)
        self.group_id: int = self.insert("groups", {"name": "Support", "deleted": False})["id"]
        self.brand_id = self.next_id()
        self.form_id = self.next_id()
        for name, email, role in (
            ("Ada Admin", ADMIN, "admin"),
            ("Points Bridge", BRIDGE, "admin"),
            ("Anna Agent", AGENT, "agent"),
        ):
            self.add_user(name, email, role)

    def now(self) -> datetime:
        """The present in UTC, cut to Zendesk's seconds."""
        return self.clock().astimezone(UTC).replace(microsecond=0)

    def next_id(self) -> int:
        """An id that no record has."""
        self._last_id += _ID_STEP
        return self._last_id

    def next_ulid(self) -> str:
        """An id as webhooks have it."""
        return ulid(self.clock(), self.next_id())

    def insert(self, table: str, fields: Mapping[str, object]) -> Record:
        """Store a new record with the next id and the present as its times."""
        now = self.now()
        if table == "tickets":
            self._last_ticket_id += 1
            row_id = self._last_ticket_id
        else:
            row_id = self.next_id()
        row: Record = {"id": row_id, **fields, "created_at": now, "updated_at": now}
        self.tables[table][row_id] = row
        return row

    def get(self, table: str, row_id: object) -> Record:
        """The record with that id.

        Raises:
            ApiError: 404.
        """
        row = self.tables[table].get(row_id) if isinstance(row_id, int) else None
        if row is None:
            raise not_found()
        return row

    def first(self, table: str, **wanted: object) -> Record | None:
        """The first record with all of these values, or None."""
        for row in self.tables[table].values():
            if all(row.get(key) == value for key, value in wanted.items()):
                return row
        return None

    def add_user(
        self, name: str, email: str | None, role: str = "end-user", organization: int | None = None
    ) -> Record:
        """Store a user; one without an organisation gets that of the address's domain."""
        address = None if email is None else email.lower()
        if organization is None and address is not None:
            organization = self._organization_of(address.rpartition("@")[2])
        person = {"name": name, "email": address, "role": role, "organization_id": organization}
        place = {"iana_time_zone": ZONE, "time_zone": "Berlin"}
        return self.insert("users", {**person, **place, "suspended": False, "user_fields": {}})

    def user(self, email: str) -> Record:
        """The user with that address.

        Raises:
            ValueError: there is none.
        """
        row = self.first("users", email=email.lower())
        if row is None:
            raise ValueError(f"no user with the address {email!r}")
        return row

    def ticket(self, ticket_id: object) -> Record:
        """A ticket that is not deleted.

        Raises:
            ApiError: 404.
        """
        ticket = self.get("tickets", ticket_id)
        if ticket["status"] == "deleted":
            raise not_found()
        return ticket

    def of_ticket(self, table: str, ticket_id: int) -> list[Record]:
        """The comments or audits of a ticket, oldest first."""
        return [row for row in self.tables[table].values() if row["ticket_id"] == ticket_id]

    def _organization_of(self, domain: str) -> int | None:
        for row in self.tables["organizations"].values():
            if domain in row["domain_names"]:
                return int(row["id"])
        return None
