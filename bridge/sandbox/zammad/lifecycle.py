"""What Zammad derives on its own when a ticket or an article is saved. Pure: no store, no clock."""

import re
from datetime import datetime, timedelta

from bridge.sandbox.zammad import seed
from bridge.sandbox.zammad.records import ApiError, Record, opaque
from bridge.sandbox.zammad.store import SYSTEM

FIELDS = (
    *("id", "group_id", "priority_id", "state_id", "organization_id", "number", "title"),
    *("owner_id", "customer_id", "note"),
    *("first_response_at", "first_response_escalation_at"),
    *("first_response_in_min", "first_response_diff_in_min"),
    *("close_at", "close_escalation_at", "close_in_min", "close_diff_in_min"),
    *("update_escalation_at", "update_in_min", "update_diff_in_min"),
    *("last_close_at", "last_contact_at", "last_contact_agent_at", "last_contact_customer_at"),
    *("last_owner_update_at", "create_article_type_id", "create_article_sender_id"),
    *("article_count", "escalation_at", "pending_time", "type", "time_unit", "preferences"),
)
"""A ticket's own columns, in the order of the table, which is that of its history rows."""

WRITABLE_IDS = ("group_id", "priority_id", "state_id", "organization_id", "owner_id", "customer_id")
WRITABLE_TIMES = (
    *("first_response_at", "close_at", "last_close_at", "pending_time"),
    *("last_contact_at", "last_contact_agent_at", "last_contact_customer_at"),
)
WRITABLE_VALUES = ("title", "note", "type", "time_unit", "article_count")
"""What a caller may set, close times and counts among them (recording 191)."""


def consequences(before: Record, after: Record, state_type: str, now: datetime) -> None:
    """Fill in what follows from the change of a ticket from `before` to `after`.

    Args:
        before: the stored ticket; empty for a new one.
        after: the ticket as it will be stored; changed in place.
        state_type: the type of the state in `after`.
        now: the time of the change.

    Raises:
        ApiError: 422, a pending state without a time (recording 152).
    """
    if after["pending_time"] is not None:
        after["pending_time"] = after["pending_time"].replace(second=0, microsecond=0)
    moved = before.get("state_id") != after["state_id"]
    pending = state_type.startswith("pending")
    if moved and not pending:
        after["pending_time"] = None
    if pending and after["pending_time"] is None:
        raise opaque(422)
    if state_type == "closed":
        if moved or after["last_close_at"] is None:
            after["last_close_at"] = now
        after["close_at"] = after["close_at"] or now
    _owner_time(before, after, state_type, now)


def _owner_time(before: Record, after: Record, state_type: str, now: datetime) -> None:
    """`last_owner_update_at`: set by work on the ticket, cleared when there is none to do."""
    reasons = ("owner_id", "group_id", "state_id", "last_contact_agent_at")
    changed = {key for key in reasons if before.get(key) != after[key]}
    if not changed:
        return
    nobody = "owner_id" in changed and after["owner_id"] == SYSTEM
    idle = "state_id" in changed and state_type not in {"new", "open"}
    after["last_owner_update_at"] = None if nobody or idle or "group_id" in changed else now


def contact(ticket: Record, article: Record, articles: list[Record]) -> Record:
    """The fields of a ticket that a new article changes.

    The source is Zammad's concern `has_ticket_contact_attributes_impact`: System articles do not
    count, and only a public Agent article of a communicating type is a first response.

    Args:
        ticket: the ticket before.
        article: the new article.
        articles: all articles of the ticket, the new one included.
    """
    sender = seed.SENDERS[article["sender_id"]]
    count = sum(row["sender_id"] != 3 for row in articles)
    changes: Record = {} if count == 0 else {"article_count": count}
    if len(articles) == 1:
        changes["create_article_type_id"] = article["type_id"]
        changes["create_article_sender_id"] = article["sender_id"]
    if not is_communication(article) or sender == "System":
        return changes
    moment = article["created_at"]
    if sender == "Agent":
        changes |= {"last_contact_at": moment, "last_contact_agent_at": moment}
        if ticket["first_response_at"] is None:
            changes["first_response_at"] = moment
    elif _answers_an_agent(ticket):
        changes |= {"last_contact_at": moment, "last_contact_customer_at": moment}
    return changes


def _answers_an_agent(ticket: Record) -> bool:
    """A customer who writes again without an answer keeps the time of the first message."""
    customer, agent = ticket["last_contact_customer_at"], ticket["last_contact_agent_at"]
    return customer is None or (agent is not None and agent >= customer)


def is_communication(article: Record) -> bool:
    """Whether the article is a public message of a communicating type; a note is not."""
    return not article["internal"] and seed.ARTICLE_TYPES[article["type_id"]] in seed.COMMUNICATION


def opens(ticket: Record, article: Record) -> bool:
    """An agent's message makes a new ticket open (history row 70 of recording 274)."""
    by_agent = seed.SENDERS[article["sender_id"]] == "Agent"
    return ticket["state_id"] == seed.NEW and by_agent and is_communication(article)


def refuses_follow_up(ticket: Record, group: Record, state_type: str, now: datetime) -> bool:
    """Whether the group wants a new ticket in place of this one, counted from the last closure.

    Blank days, or none, are the strictest rule of all (recordings 447, 463).
    """
    rule, closed_at = group["follow_up_possible"], ticket["last_close_at"]
    if state_type != "closed" or rule == "yes":
        return False
    if rule == "new_ticket":
        return True
    days = group["reopen_time_in_days"] or 0
    return days <= 0 or closed_at is None or bool(now - closed_at > timedelta(days=days))


def plain_subject(subject: str | None) -> str | None:
    """A subject without `Re:` and without the mark of a ticket."""
    if subject is None:
        return None
    unmarked = re.sub(r"\[Ticket#\d+\]", "", subject).strip()
    return re.sub(r"^(\s*(re|aw|fwd?):\s*)+", "", unmarked, flags=re.IGNORECASE)


def too_late() -> ApiError:
    """The answer to a customer who re-opens after the group's limit (recording 242)."""
    return ApiError(422, "Cannot follow-up on a closed ticket. Please create a new ticket.")
