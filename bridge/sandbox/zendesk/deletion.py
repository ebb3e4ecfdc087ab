"""What becomes of organisations, people and deleted tickets that are gone for good."""

from datetime import timedelta

from bridge.sandbox.zendesk.access import Actor
from bridge.sandbox.zendesk.desk import SYSTEM, Desk
from bridge.sandbox.zendesk.records import Record, forbidden, invalid
from bridge.sandbox.zendesk.store import Store

PURGED_AFTER = timedelta(days=30)
"""After this in the list of deleted tickets, one is gone for good."""


class Deletions:
    """Removes records with what hangs on them; tickets are deleted at the desk.

    Args:
        store: the database.
        desk: changes the tickets.
    """

    def __init__(self, store: Store, desk: Desk) -> None:
        self._store = store
        self._desk = desk

    def organization(self, actor: Actor, organization: Record) -> None:
        """Take an organisation away from its people and tickets, closed ones too."""
        with self._store.lock:
            key = organization["id"]
            del self._store.tables["organizations"][key]
            for user in self._store.tables["users"].values():
                if user["organization_id"] == key:
                    user["organization_id"] = None
            for ticket in self._store.tables["tickets"].values():
                if ticket["organization_id"] == key:
                    self._desk.leave_organization(actor, ticket)

    def user(self, actor: Actor, user: Record) -> None:
        """Make a user inactive: the tickets stay.

        Raises:
            ApiError: 422, there are tickets of theirs that are not closed; 403, it is the caller.
        """
        tickets = self._store.tables["tickets"].values()
        busy = any(
            user["id"] in {row["requester_id"], row["assignee_id"]}
            for row in tickets
            if row["status"] not in {"closed", "deleted"}
        )
        if busy:
            raise invalid("base", "User has tickets that are not closed")
        if user["id"] == actor.id:
            raise forbidden()
        user |= {"active": False, "suspended": True}

    def purge(self) -> None:
        """Delete for good what was deleted long enough ago."""
        with self._store.lock:
            limit = self._store.now() - PURGED_AFTER
            for ticket in self._store.tables["tickets"].values():
                gone = ticket["status"] == "deleted" and not ticket.get("scrubbed")
                if gone and ticket["deleted_at"] <= limit:
                    self._desk.scrub(Actor(SYSTEM), ticket)
