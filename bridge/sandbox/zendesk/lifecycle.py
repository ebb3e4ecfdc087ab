"""What Zendesk derives on its own when a ticket is saved. Pure: no store, no clock.

The source is Zendesk's page "About native system ticket rules", quoted where a rule is written.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from html import escape, unescape

from bridge.sandbox.zendesk.records import ApiError, Record, as_id, as_moment, invalid, refused

STATUSES = ("new", "open", "pending", "hold", "solved", "closed")
PRIORITIES = ("low", "normal", "high", "urgent")
TYPES = ("problem", "incident", "question", "task")

_CHOICES = {"status": STATUSES, "priority": PRIORITIES, "type": TYPES}
_TEXTS = ("subject", "external_id")
_IDS = (
    *("requester_id", "assignee_id", "group_id", "organization_id"),
    *("problem_id", "ticket_form_id", "brand_id", "custom_status_id"),
)
_OF_CLOSED = frozenset({"tags", "subject", "priority"})

AUDITED = (
    *("subject", "requester_id", "assignee_id", "group_id", "organization_id", "priority"),
    *("type", "status", "custom_status_id", "tags", "problem_id", "brand_id", "ticket_form_id"),
)
"""The columns that an audit tells about, beside the custom fields."""


def columns(body: Mapping[str, object]) -> Record:
    """The columns that a request sets, custom fields aside; unknown keys are ignored.

    Raises:
        ApiError: 422, a value that is not a choice.
    """
    wanted: Record = {}
    for name, choices in _CHOICES.items():
        if name in body:
            wanted[name] = body[name]
            if body[name] not in choices and (body[name] is not None or name == "status"):
                text = f"{name.capitalize()}: {body[name]} is not valid"
                raise invalid(name, text, "InvalidValue")
    wanted |= {name: body[name] for name in _TEXTS if name in body}
    wanted |= {name: as_id(body[name]) for name in _IDS if name in body}
    tags = body.get("tags")
    if isinstance(tags, list):
        wanted["tags"] = sorted({str(tag).lower() for tag in tags})
    return wanted


def refuse_closed(ticket: Record, wanted: Mapping[str, object], *, commented: bool) -> None:
    """Keep what is closed: "Only the tags, subject, and priority fields can be edited".

    Raises:
        ApiError: 422.
    """
    if ticket["status"] == "closed" and (commented or not _OF_CLOSED.issuperset(wanted)):
        raise invalid("status", "Status: closed prevents ticket update")


def refuse_stale(ticket: Record, body: Mapping[str, object]) -> None:
    """Protect against a collision, if the request asks for it.

    Stamps have whole seconds: two updates in one second look the same.

    Raises:
        ApiError: 409.
    """
    if not body.get("safe_update"):
        return
    seen = as_moment(body.get("updated_stamp"))
    if seen is None or seen < ticket["updated_at"]:
        reason = "Safe Update prevented the update due to outdated ticket data. "
        advice = "Please fetch the latest ticket data and try again."
        raise refused(409, "UpdateConflict", reason + advice)


def consequences(
    before: Mapping[str, object],
    wanted: Record,
    actor: Record,
    *,
    commented: bool,
    auto_assign: bool,
) -> Record:
    """The change with all that follows from it.

    Args:
        before: the stored ticket; empty for a new one.
        wanted: the columns that somebody sets.
        actor: the user who does it.
        commented: whether the change comes with a comment.
        auto_assign: the account's setting "auto assign tickets upon solve".

    Raises:
        ApiError: 422.
    """
    after = dict(wanted)
    status = after.get("status", before.get("status", "new"))
    if "status" in wanted and status == "new" and before.get("status", "new") != "new":
        raise invalid("status", "Status: can not be set to new again")
    by_customer = actor["role"] == "end-user"
    if commented and by_customer and status in {"pending", "hold", "solved"}:
        # "If an end user comments on a ticket with a status set to Pending, Solved, or On-hold,
        # the ticket status is changed to Open."
        status = "open"
    assignee = after.get("assignee_id", before.get("assignee_id"))
    if status in {"solved", "closed"} and assignee is None and actor["role"] != "system":
        # "A ticket's status can't be set to Solved by an end user or agent without an assignee."
        if not auto_assign or by_customer:
            raise invalid("base", "Assignee: is required when solving a ticket", "BlankValue")
        assignee = after["assignee_id"] = actor["id"]
    if status == "new" and assignee is not None:
        # "When a New ticket is assigned to an agent, the ticket status automatically changes to
        # Open."
        status = "open"
    return after | {"status": status}


def new_metrics(ticket_id: int, now: datetime) -> Record:
    """The metric set of a ticket that nothing has happened to."""
    moments = ("solved_at", "initially_assigned_at", "assigned_at", "assignee_updated_at")
    metrics: Record = {"ticket_id": ticket_id, "created_at": now, "updated_at": now}
    metrics |= dict.fromkeys(moments)
    metrics |= {"requester_updated_at": now, "status_updated_at": now}
    metrics |= {"latest_comment_added_at": now, "reopens": 0, "replies": 0}
    return metrics | {"reply_time_in_minutes": {"calendar": None, "business": None}}


def measure(
    metrics: Record, before: Mapping[str, object], ticket: Record, comment: Record | None
) -> None:
    """Bring a metric set up to date with a change.

    Args:
        metrics: changed in place.
        before: the ticket before; empty for a new one.
        ticket: the ticket after, with the time of the change as `updated_at`.
        comment: the change's comment with its author's role.
    """
    now = ticket["updated_at"]
    metrics["updated_at"] = now
    if before.get("status") != ticket["status"]:
        metrics["status_updated_at"] = now
        done = ticket["status"] in {"solved", "closed"}
        was_done = before.get("status") in {"solved", "closed"}
        if done and not was_done:
            metrics["solved_at"] = now
        metrics["reopens"] += was_done and not done
    if ticket["assignee_id"] not in {None, before.get("assignee_id")}:
        metrics |= {"assigned_at": now, "assignee_updated_at": now}
        metrics["initially_assigned_at"] = metrics["initially_assigned_at"] or now
    if comment is not None:
        metrics["latest_comment_added_at"] = now
        if before and comment["public"] and comment["role"] != "end-user":
            _count_reply(metrics, now)


def _count_reply(metrics: Record, now: datetime) -> None:
    metrics["replies"] += 1
    if metrics["replies"] == 1:
        minutes = int((now - metrics["created_at"]).total_seconds() // 60)
        metrics["reply_time_in_minutes"] = {"calendar": minutes, "business": minutes}


def follow_up(parent: Record, wanted: Record, *, tagged: bool) -> Record:
    """The columns of a follow-up: those of its request, then those that it inherits.

    "Follow-up tickets inherit the tags from the parent ticket upon creation, with one exception":
    tags in the request replace them. Custom fields are copied as well.
    """
    inherited = {name: value for name, value in parent.items() if name.startswith("custom_fields_")}
    if not tagged:
        inherited["tags"] = list(parent["tags"])
    return inherited | wanted


def with_text(comment: Record) -> Record:
    """A comment with its text as `body`, also where it was sent as `html_body`."""
    markup = comment.get("html_body")
    if not isinstance(markup, str):
        return comment
    lines = re.sub(r"<br ?/?>", "\n", re.sub(r"</p> *<p>", "\n\n", markup))
    return comment | {"body": unescape(re.sub(r"<[^>]*>", "", lines))}


def shown(text: str, markup: object) -> str:
    """What a comment looks like: a text is Markdown, of which bold and links are spoken here.

    Zendesk: "Markdown formatting is supported in body but not in html_body."
    """
    if isinstance(markup, str):
        return markup
    bold = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", escape(text))
    return re.sub(r"\[(.+?)\]\((.+?)\)", r'<a href="\2">\1</a>', bold)


def not_blank(text: object, what: str) -> ApiError | None:
    """What is wrong with a text that must be there; None if nothing is."""
    if isinstance(text, str) and text.strip():
        return None
    return invalid("base", f"{what}: cannot be blank", "BlankValue")
