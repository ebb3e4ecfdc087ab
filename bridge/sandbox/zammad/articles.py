"""What an article says about itself: its kind, who it is from, and its mail's head and text."""

import hashlib
import re
from email.utils import format_datetime
from uuid import uuid4

from bridge.sandbox.zammad import lifecycle, mails, seed
from bridge.sandbox.zammad.access import Actor
from bridge.sandbox.zammad.records import Record, opaque
from bridge.sandbox.zammad.store import SYSTEM, Store

_TEXTS = ("subject", "reply_to", "in_reply_to", "references", "body", "to", "cc")


class Articles:
    """Fills in what a request leaves out of an article.

    Args:
        store: the database.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def check_address(self, ticket: Record, spec: object) -> None:
        """No mail goes out without a sending address.

        Raises:
            ApiError: 500, although nothing is broken.
        """
        if not isinstance(spec, dict):
            return
        kinds = {spec.get("type"), seed.ARTICLE_TYPES.get(spec.get("type_id") or 0)}
        if "email" not in kinds:
            return
        if self._store.get("Group", ticket["group_id"])["email_address_id"] is None:
            raise opaque(500)

    def written(self, ticket: Record, actor: Actor, spec: Record) -> Record:
        """The fields of an article that somebody writes in Zammad or through its API."""
        type_id, sender_id = _kind(actor, spec)
        origin_by = spec.get("origin_by_id")
        if sender_id == 2 and actor.is_agent:
            origin_by = origin_by or ticket["customer_id"]
        fields: Record = {"ticket_id": ticket["id"], "type_id": type_id, "sender_id": sender_id}
        fields |= {key: spec.get(key) for key in _TEXTS}
        fields |= {
            "message_id": spec.get("message_id"),
            "message_id_md5": None,
            "content_type": spec.get("content_type", "text/plain"),
            "internal": str(spec.get("internal", False)).lower() == "true" and actor.is_agent,
            "preferences": dict(spec.get("preferences") or {}),
            "origin_by_id": origin_by,
        }
        author = self._store.get("User", origin_by or actor.id)
        fields["from"] = f"{author['firstname']} {author['lastname']}"
        if not Actor(author, frozenset()).is_agent and author["id"] != SYSTEM:
            fields["from"] = f"{full_name(author)} <{author['email']}>"
        if seed.ARTICLE_TYPES[type_id] == "email":
            fields |= self._mail_fields(ticket, actor, fields)
        return with_digest(fields)

    def received(self, ticket: Record, mail: mails.Mail, spec: Record) -> Record:
        """The fields of a mail that came in; `spec` has the sender and the marks of the parser.

        What it refers to is in no field of it: only its raw text tells (recordings 424, 426).
        """
        fields: Record = {"ticket_id": ticket["id"], "type_id": 1, "sender_id": spec["sender_id"]}
        fields |= dict.fromkeys(_TEXTS)
        fields |= {
            "subject": spec["subject"] if "Subject" in mail.head.head else None,
            "body": mail.body,
            "to": _recipients(mail, "To"),
            "cc": _recipients(mail, "Cc"),
            "reply_to": mail.header("Reply-To") or None,
            "message_id": mail.message_id,
            "message_id_md5": None,
            "content_type": mail.content_type,
            "internal": spec["internal"],
            "preferences": spec["preferences"],
            "origin_by_id": None,
            "from": mail.header("From"),
        }
        return with_digest(fields)

    def sent(self, ticket: Record, article: Record) -> bytes:
        """The mail that an article goes out as: the ticket's number is in its subject alone."""
        others = self._store.articles(ticket["id"])
        ids = [row["message_id"] for row in others if row["message_id"] and row is not article]
        head = {"Date": format_datetime(article["created_at"]), "Message-ID": article["message_id"]}
        head |= {"References": "\r\n ".join(ids)} if ids else {}
        subject = f"{article['subject'] or ticket['title']} [Ticket#{ticket['number']}]"
        name, _, address = article["from"].rpartition(" <")
        sender = (name, address.rstrip(">"))
        return mails.compose(sender, article["to"] or "", subject, article["body"] or "", head)

    def _mail_fields(self, ticket: Record, actor: Actor, fields: Record) -> Record:
        """What Zammad adds to a mail that it will send (recordings 068, 571, 584)."""
        settings = self._store.settings
        stamp = f"{self._store.now():%Y%m%d%H%M%S}"
        author = "" if actor.id == SYSTEM else f"{fields['from']} via "
        fresh = f"<{stamp}.{ticket['id']}.{uuid4()}@{settings['fqdn']}>"
        return {
            "from": f"{author}{settings['mailbox']}",
            "subject": lifecycle.plain_subject(fields["subject"]),
            "message_id": fields["message_id"] or fresh,
            "preferences": {"email_address_id": 1} | fields["preferences"],
        }


def _recipients(mail: mails.Mail, name: str) -> str | None:
    """A line of recipients; one without an address counts as empty."""
    line = mail.head.header(name)
    return line if line is None or re.search(r".@.", line) else ""


def performed_note(options: Record, origin: str) -> Record:
    """The note that a trigger or a macro writes, of which agents are told."""
    spec: Record = {"type": "note", "sender": "System", "content_type": "text/html"}
    spec |= {key: options.get(key) for key in ("body", "subject", "internal")}
    return spec | {"preferences": {"perform_origin": origin, "notification": True}}


def with_digest(fields: Record) -> Record:
    """The fields with the digest by which Zammad finds the article of a message id."""
    if fields["message_id"] is None:
        return fields
    return fields | {"message_id_md5": digest(fields["message_id"])}


def digest(message_id: str) -> str:
    """What Zammad stores to find a message id."""
    return hashlib.md5(message_id.encode(), usedforsecurity=False).hexdigest()


def full_name(user: Record) -> str:
    """First and last name of a user."""
    return f"{user.get('firstname', '')} {user.get('lastname', '')}".strip()


def _kind(actor: Actor, spec: Record) -> tuple[int, int]:
    """Type and sender, by name or id; a customer always writes as Customer."""
    types = {name: key for key, name in seed.ARTICLE_TYPES.items()}
    senders = {name: key for key, name in seed.SENDERS.items()}
    type_id = int(types.get(spec.get("type", "")) or spec.get("type_id") or types["note"])
    if not actor.is_agent and actor.id != SYSTEM:
        return type_id, senders["Customer"]
    sender_id = senders.get(spec.get("sender", "")) or spec.get("sender_id") or senders["Agent"]
    return type_id, int(sender_id)
