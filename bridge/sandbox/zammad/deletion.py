"""What is gone for good: tickets, people, organisations, and what becomes of what named them.

From Zammad's code; of a ticket alone it was recorded (137, 138). No webhook tells of any of it,
but tickets that change hands on the way fire as on any change.
"""

from bridge.sandbox.zammad.desk import Desk
from bridge.sandbox.zammad.directory import Directory
from bridge.sandbox.zammad.records import ApiError, Record
from bridge.sandbox.zammad.store import SYSTEM, Store

_SIGNERS = ("created_by_id", "updated_by_id", "owner_id", "origin_by_id")


class Deletions:
    """Removes records with all that hangs on them.

    Args:
        store: the database.
        directory: knows where people belong.
        desk: moves the tickets that stay.
    """

    def __init__(self, store: Store, directory: Directory, desk: Desk) -> None:
        self._store = store
        self._directory = directory
        self._desk = desk

    def ticket(self, ticket: Record) -> None:
        """Remove a ticket with its articles, links and history. A mail with its number is new."""
        store, ticket_id = self._store, ticket["id"]
        with store.lock:
            for article in store.articles(ticket_id):
                for row in store.attachments.pop(article["id"], ()):
                    store.files.pop(row["id"], None)
                store.raw_mails.pop(article["id"], None)
                del store.tables["TicketArticle"][article["id"]]
            store.links = [link for link in store.links if ticket_id not in link[1:]]
            store.history.pop(ticket_id, None)
            del store.tables["Ticket"][ticket_id]

    def person(self, user: Record) -> None:
        """Remove a person with all own tickets; what else they did is user 1's from then on.

        So the history of another one's ticket does not know any more who it was.
        """
        store, user_id = self._store, user["id"]
        with store.lock:
            for ticket in self._tickets("customer_id", user_id):
                self.ticket(ticket)
            rows = [row for table in store.tables.values() for row in table.values()]
            rows += [row for history in store.history.values() for row in history]
            for row in rows:
                row.update({key: SYSTEM for key in _SIGNERS if row.get(key) == user_id})
            del store.tables["User"][user_id]

    def organization(self, organization: Record, by: int, *, with_members: bool = False) -> None:
        """Remove an organisation; its people and tickets stay without one, unless they go along.

        Args:
            organization: it.
            by: the user in whose name the tickets change that do not follow their person.
            with_members: whether its members go, and every ticket of theirs and of its own.
        """
        store, key = self._store, organization["id"]
        users = store.tables["User"].values()
        with store.lock:
            members = [user for user in users if user["organization_id"] == key]
            for member in members:
                if with_members:
                    self.person(member)
                    continue
                self._directory.update_user(member, {"organization_id": None}, by)
                self._desk.follow_person(member, key)
            for ticket in self._tickets("organization_id", key):
                if with_members:
                    self.ticket(ticket)
                else:
                    self._desk.leave_organization(ticket, by)
            for user in users:
                user["organization_ids"] = [row for row in user["organization_ids"] if row != key]
            del store.tables["Organization"][key]

    def refuse_if_referred_to(self, organization: Record) -> None:
        """The API deletes only what nothing names.

        Raises:
            ApiError: 422.
        """
        key = organization["id"]
        users = self._store.tables["User"].values()
        named = any(key in {row["organization_id"], *row["organization_ids"]} for row in users)
        if named or self._tickets("organization_id", key):
            raise ApiError(422, "Can't delete, object has references.")

    def _tickets(self, column: str, value: int) -> list[Record]:
        return [row for row in self._store.tables["Ticket"].values() if row[column] == value]
