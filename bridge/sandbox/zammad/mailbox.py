"""Mails that come in: which ticket one belongs to, who it is from, what it does there.

The rules are those of Zammad's parser and its filters, held against recordings 278 to 463. Not
spoken: the number of a ticket in an attachment, filters of an admin, and an agent's mail that
names a customer as its recipient.
"""

import re

from bridge.sandbox.zammad import mails, seed
from bridge.sandbox.zammad.access import Actor
from bridge.sandbox.zammad.articles import digest
from bridge.sandbox.zammad.desk import Desk, Incoming
from bridge.sandbox.zammad.directory import Directory
from bridge.sandbox.zammad.lifecycle import plain_subject
from bridge.sandbox.zammad.records import Record
from bridge.sandbox.zammad.store import Store

_REPLY_MARK = re.compile(r"^(..(\[\d+\])?:\s+)+")


class Mailbox:
    """Takes mails in.

    Args:
        store: the database.
        directory: makes strangers known.
        desk: stores what comes in.
    """

    def __init__(self, store: Store, directory: Directory, desk: Desk) -> None:
        self._store = store
        self._directory = directory
        self._desk = desk

    def receive(self, raw: bytes, group_id: int = 1, channel_id: int | None = None) -> int | None:
        """Take a mail in: an article of the ticket that it belongs to, or a new ticket.

        Args:
            raw: headers and body, in UTF-8.
            group_id: the group that the mailbox is of, for a new ticket.
            channel_id: the mailbox's own id, which a new ticket keeps in its preferences.

        Returns:
            The id of the ticket; None for a mail that is dropped, one of our own notifications.
        """
        mail, fqdn = mails.parse(raw), str(self._store.settings["fqdn"])
        if mail.is_own_notification(fqdn):
            return None
        with self._store.lock:
            automatic = mail.is_automatic(fqdn)
            ticket, subject = self._belongs_to(mail, automatic=automatic)
            actor = Actor(self._directory.sender(mail.address, mail.name), frozenset())
            marks = {"send-auto-response": not automatic, "is-auto-response": automatic}
            opens = not mail.is_out_of_office()
            sender_id = self._sender_id(actor)
            incoming = Incoming(mail, subject, sender_id, marks, channel_id, opens)
            if ticket is None:
                ticket = self._desk.create_by_mail(actor, incoming, group_id)
            else:
                self._desk.update_by_mail(actor, ticket, incoming)
            return int(ticket["id"])

    def _sender_id(self, actor: Actor) -> int:
        """Agent for agents and for the system's own address (recordings 380 to 404)."""
        own = actor.user["email"] == seed.MAILBOX
        return 1 if own or actor.is_agent else 2

    def _belongs_to(self, mail: mails.Mail, *, automatic: bool) -> tuple[Record | None, str]:
        """The ticket that a mail is added to, if any, and the subject that is left of it.

        A group may want a new ticket instead. A bounce is asked last, so that it goes back to its
        ticket all the same (recording 343).
        """
        ticket, subject = self._answered(mail, automatic=automatic)
        if ticket is not None and self._desk.refuses_follow_up(ticket):
            ticket, subject = None, plain_subject(subject) or ""
        if ticket is None:
            found = (self._article(message_id) for message_id in mail.returned())
            ticket = next((self._ticket_of(row) for row in found if row is not None), None)
        return ticket, subject

    def _answered(self, mail: mails.Mail, *, automatic: bool) -> tuple[Record | None, str]:
        """The ticket by its number, else by the mails that this one refers to.

        References count for automatic mails, or if an admin wants it so, or if the subject is that
        of the ticket's first article (recordings 424 to 441).
        """
        subject = mail.header("Subject")
        search_in = self._store.settings["postmaster_follow_up_search_in"]
        ticket = self._numbered(subject)
        if ticket is None and "body" in search_in:
            ticket = self._numbered(mail.body)
        if ticket is not None:
            return ticket, subject
        articles = [row for row in map(self._article, mail.references) if row is not None]
        if articles and (automatic or "references" in search_in):
            return self._ticket_of(articles[0]), subject
        for article in articles:
            subject = _REPLY_MARK.sub("", subject)
            first = self._store.articles(article["ticket_id"])[0]
            if first["subject"] == subject:
                return self._ticket_of(article), subject
        return None, subject

    def _numbered(self, text: str) -> Record | None:
        """The ticket whose number is in a text; a merged one stands for its target."""
        number = re.search(r"Ticket#(\d+)", text, re.IGNORECASE)
        ticket = self._store.first("Ticket", number=number[1]) if number else None
        while ticket is not None and ticket["state_id"] == seed.MERGED:
            rows = self._store.history[ticket["id"]]
            target_id = [row["id_to"] for row in rows if row["type"] == "merged_into"][-1]
            ticket = self._store.tables["Ticket"].get(target_id)
        return ticket

    def _article(self, message_id: str) -> Record | None:
        """The last article with a message id."""
        wanted = digest(message_id)
        rows = self._store.tables["TicketArticle"].values()
        found = [row for row in rows if row["message_id_md5"] == wanted]
        return found[-1] if found else None

    def _ticket_of(self, article: Record) -> Record:
        return self._store.get("Ticket", article["ticket_id"])
