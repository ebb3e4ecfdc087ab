"""Mails that come in: which ticket one belongs to, who it is from, what it does there.

The rules are those of Zammad's parser and its filters, held against recordings 278 to 463. Not
spoken: filters of an admin, headers of a trusted mailbox, senders by their `Reply-To`, and marks
that other programs' mails leave: Icinga, Jira, ServiceNow and their like.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from email.utils import getaddresses

from bridge.sandbox.zammad import mails, seed
from bridge.sandbox.zammad.access import Actor
from bridge.sandbox.zammad.articles import digest
from bridge.sandbox.zammad.desk import Desk, Incoming
from bridge.sandbox.zammad.directory import Directory
from bridge.sandbox.zammad.lifecycle import plain_subject
from bridge.sandbox.zammad.mime import utf8, without_tags
from bridge.sandbox.zammad.records import Record
from bridge.sandbox.zammad.store import SYSTEM, Store

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
            raw: headers and body.
            group_id: the group that the mailbox is of, for a new ticket.
            channel_id: the mailbox's own id, which a new ticket keeps in its preferences.

        Returns:
            The id of the ticket; None for a mail that is dropped: one of our own notifications, or
            one that nobody has sent.
        """
        mail, fqdn = mails.parse(raw), str(self._store.settings["fqdn"])
        if mail.is_own_notification(fqdn) or not mail.address:
            return None
        with self._store.lock:
            automatic = mail.is_automatic(fqdn)
            sender_id = self._sender_id(mail)
            customer = self._customer(mail, sender_id)
            self._meet(mail)
            actor = Actor(self._directory.sender(mail.address, mail.name), frozenset())
            ticket, subject = self._belongs_to(mail, automatic=automatic)
            self._mark_undeliverable(mail)
            marks = {"send-auto-response": not automatic, "is-auto-response": automatic}
            incoming = Incoming(mail, subject, sender_id, marks, channel_id)
            if ticket is None:
                ticket = self._desk.create_by_mail(actor, incoming, group_id, customer["id"])
                return int(ticket["id"])
            opens, internal = not mail.is_out_of_office(), self._is_internal(mail, ticket)
            incoming = replace(incoming, reopens=opens, internal=internal)
            self._desk.update_by_mail(actor, ticket, incoming)
            return int(ticket["id"])

    def _sender_id(self, mail: mails.Mail) -> int:
        """Agent for agents and for the system's own address (recordings 380 to 404).

        From Zammad's code: a mail without a recipient, as of a blind copy, is nobody's answer.
        """
        if not mail.people("To"):
            return 2
        user = self._store.first("User", email=mail.address)
        agent = user is not None and Actor(user, frozenset()).is_agent
        return 1 if agent or seed.MAILBOX in {at for _, at in mail.people("From")} else 2

    def _customer(self, mail: mails.Mail, sender_id: int) -> Record:
        """Whose a new ticket is: the sender's, but of an agent's mail its first recipient's."""
        search = self._store.settings["postmaster_sender_is_agent_search_for_customer"]
        found = [pair for pair in mail.people("To") if pair[1] != seed.MAILBOX]
        if search and sender_id == 1 and found:
            name, address = found[0]
            return self._directory.sender(address, name)
        return self._directory.sender(mail.address, mail.name)

    def _meet(self, mail: mails.Mail) -> None:
        """Everybody whom a mail is sent to becomes a user, forty at most; our own address not."""
        people = [pair for name in ("To", "Cc") for pair in mail.people(name)]
        for name, address in people[:40]:
            if address != seed.MAILBOX:
                self._directory.sender(address, name)

    def _mark_undeliverable(self, mail: mails.Mail) -> None:
        """Remember who cannot be reached any more (recording 327)."""
        gone = mail.undeliverable()
        articles = [row for row in map(self._article, mail.returned()) if row is not None]
        if not gone or not articles:
            return
        line = articles[0]["cc"] or articles[0]["to"] or ""
        named = [at.lower() for _, at in getaddresses([line]) if at]
        mark = {"mail_delivery_failed": True, "mail_delivery_failed_data": self._store.now()}
        for address in {gone, *(named if len(named) == 1 else ())}:
            user = self._store.first("User", email=address)
            if user is not None:
                preferences = user["preferences"] | mark
                self._store.change(user, {"preferences": preferences}, SYSTEM)

    def _is_internal(self, mail: mails.Mail, ticket: Record) -> bool:
        """Whether it answers an internal mail: the one that it names, else the last to its sender.

        From Zammad's code: the customer's answer is hidden from the customer then.
        """
        answered, rows = mail.header("In-Reply-To"), self._store.articles(ticket["id"])
        if answered:
            wanted = digest(answered)
            return any(row["internal"] for row in rows if row["message_id_md5"] == wanted)
        told = [row for row in rows if mail.address in str(row["to"] or "").lower()]
        return bool(told) and bool(told[-1]["internal"])

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
            html = mail.content_type == "text/html"
            ticket = self._numbered(without_tags(mail.body) if html else mail.body)
        if ticket is None and "attachment" in search_in:
            ticket = self._numbered(" ".join(_texts(mail)))
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
        """The first ticket whose number is in a text; a merged one stands for its target."""
        numbers = re.findall(r"(?<!\w)Ticket#\s{0,2}(\d{2,48})\b", text, re.IGNORECASE)
        found = (self._store.first("Ticket", number=number) for number in numbers)
        ticket = next(filter(None, found), None)
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


def _texts(mail: mails.Mail) -> Iterator[str]:
    """The texts among the files of a mail."""
    for attachment in mail.attachments:
        text, kind = utf8(attachment.content), str(attachment.preferences.get("Mime-Type"))
        if kind in {"text/plain", "text/html"}:
            yield without_tags(text) if kind == "text/html" else text
