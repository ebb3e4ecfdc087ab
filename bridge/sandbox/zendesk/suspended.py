"""Suspended tickets: mails that Zendesk sets aside, until somebody recovers or deletes them.

After the pages "Suspended tickets" and "Cause of suspension reference". What a recovered mail's
audit looks like in detail is not documented: the event's type is a guess.
"""

from datetime import timedelta

from bridge.sandbox.zendesk.access import Actor
from bridge.sandbox.zendesk.desk import Desk, via
from bridge.sandbox.zendesk.flags import marks
from bridge.sandbox.zendesk.records import Record
from bridge.sandbox.zendesk.store import MAILBOX, Store

KEPT = timedelta(days=14)
"""After this, a mail that nobody has looked at is gone."""

CAUSES = {
    # cause_id: name, what people read
    0: ("spam", "Detected as spam"),
    2: ("unverified", "Submitted by unverified user"),
    3: ("auto_mailer", "Automated response mail"),
    4: ("loop", "Detected as mail loop"),
    5: ("unknown_user_update", "Unknown user tried to update existing ticket"),
    6: ("other_user_update", "End user only allowed to update their own tickets"),
    7: ("auto_delivery_failure", "Automated response mail, delivery failed"),
    8: ("auto_vacation", "Automated response mail, out of office"),
    9: ("system_user", "Detected email as being from a system user"),
    20: ("unauthenticated_update", "Unauthenticated update"),
    21: ("logged_out", "User is logged out"),
    26: ("failed_authentication", "Failed email authentication"),
}

RECOVERED = "recovered_from_suspended_tickets"
"""The channel of what was recovered: number 21."""


class Suspended:
    """The queue of what was set aside.

    Args:
        store: the database.
        desk: makes tickets and comments of what is recovered.
    """

    def __init__(self, store: Store, desk: Desk) -> None:
        self._store = store
        self._desk = desk

    def add(
        self, sender: Record, subject: str, body: str, cause_id: int, ticket_id: int | None
    ) -> int:
        """Set a mail aside. Nothing is told to anybody. Returns its id.

        Args:
            sender: `id`, which may be None, `name` and `email`.
            subject: its subject.
            body: its text.
            cause_id: why, by its number.
            ticket_id: the ticket that it answers, if it does.
        """
        origin = {"address": sender["email"], "name": sender["name"]}
        row: Record = {"author": sender, "subject": subject, "content": body}
        row |= {"cause": CAUSES[cause_id][1], "cause_id": cause_id, "ticket_id": ticket_id}
        row |= {"recipient": MAILBOX, "brand_id": self._store.brand_id, "attachments": []}
        row |= {"error_messages": None, "message_id": f"<{self._store.next_ulid()}@mail.example>"}
        row |= {"via": via("email", origin=origin, to={"address": MAILBOX, "name": "Support"})}
        return int(self._store.insert("suspended_tickets", row)["id"])

    def rows(self) -> list[Record]:
        """What is there, oldest first; what is too old is forgotten."""
        table, limit = self._store.tables["suspended_tickets"], self._store.now() - KEPT
        for row in list(table.values()):
            if row["created_at"] <= limit:
                del table[row["id"]]
        return list(table.values())

    def get(self, row_id: int) -> Record:
        """One of them.

        Raises:
            ApiError: 404.
        """
        self.rows()
        return self._store.get("suspended_tickets", row_id)

    def delete(self, row_id: int) -> None:
        """Throw one away.

        Raises:
            ApiError: 404.
        """
        del self._store.tables["suspended_tickets"][self.get(row_id)["id"]]

    def recover(self, actor: Actor, row_id: int, *, keep_author: bool) -> Record:
        """Make a ticket of it, or a comment of the ticket that it answers. Returns the ticket.

        Args:
            actor: the agent who does it.
            row_id: which one.
            keep_author: whether its sender is the requester; else the agent is, "to prevent the
                ticket from being re-suspended".

        Raises:
            ApiError: 404; 422, the ticket is closed.
        """
        with self._store.lock:
            row = self.get(row_id)
            author = self._author(row) if keep_author else actor.user
            name = CAUSES[row["cause_id"]][0]
            about = {"cause_id": row["cause_id"], "cause_name": name}
            origin = via(RECOVERED, origin=row["via"]["source"]["from"])
            marked = marks(suspension=row["cause_id"])
            comment = {"body": row["content"], "author_id": author["id"]}
            ticket = self._store.tables["tickets"].get(row["ticket_id"] or 0)
            if ticket is None or ticket["status"] == "deleted":
                spec = {"subject": row["subject"], "requester_id": author["id"], "comment": comment}
                audit = self._desk.create(Actor(author), spec, origin, marked)
                ticket = self._store.ticket(audit["ticket_id"])
            else:
                audit = self._desk.update(
                    Actor(author), ticket, {"comment": comment}, origin, marked
                )
            recovery = {"id": self._store.next_id(), "type": "SuspendedTicketRecovery"}
            audit["events"].append({**recovery, **about, "recovered_by": actor.id})
            del self._store.tables["suspended_tickets"][row_id]
            return ticket

    def _author(self, row: Record) -> Record:
        sender = row["author"]
        known = self._store.first("users", email=sender["email"])
        return known or self._store.add_user(sender["name"] or sender["email"], sender["email"])
