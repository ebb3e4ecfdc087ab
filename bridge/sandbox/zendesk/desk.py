"""The ticket desk: create, change, comment, merge and delete tickets, and say what happened."""

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta

from bridge.sandbox.zendesk import lifecycle
from bridge.sandbox.zendesk.access import Actor
from bridge.sandbox.zendesk.conditions import Event
from bridge.sandbox.zendesk.fields import TicketFields
from bridge.sandbox.zendesk.flags import on_behalf
from bridge.sandbox.zendesk.placeholders import rendered
from bridge.sandbox.zendesk.records import Record, as_id, invalid, not_found
from bridge.sandbox.zendesk.statuses import Statuses
from bridge.sandbox.zendesk.store import Store

SYSTEM: Record = {"id": -1, "name": "Zendesk", "email": None, "role": "system"}
"""In whose name rules act."""

LONGEST_COMMENT = 65_536
"""Bytes. What is longer is cut without a word."""

_EMPTY: Record = {
    **dict.fromkeys(("external_id", "type", "priority", "subject", "assignee_id", "group_id")),
    **dict.fromkeys(("organization_id", "problem_id", "recipient", "due_at")),
}


def via(
    channel: str, rel: str | None = None, *, origin: Record | None = None, to: Record | None = None
) -> Record:
    """How a ticket, comment or audit came about; `origin` is its `from`."""
    return {"channel": channel, "source": {"from": origin or {}, "to": to or {}, "rel": rel}}


class Desk:
    """Every change of a ticket. Each public call is one transaction and fires its event.

    Args:
        store: the database.
        fields: the custom fields of tickets.
        statuses: the custom statuses.
        fire: told about each change, after it is stored.

    Attributes:
        auto_assign_on_solve: the account's setting "auto assign tickets upon solve". Off, a ticket
            needs an assignee before it can be solved.
    """

    def __init__(
        self,
        store: Store,
        fields: TicketFields,
        statuses: Statuses,
        fire: Callable[[Event], None],
    ) -> None:
        self._store = store
        self._fields = fields
        self._statuses = statuses
        self._fire = fire
        self.auto_assign_on_solve = False

    def create(
        self, actor: Actor, body: Record, origin: Record, marks: Record | None = None
    ) -> Record:
        """Create a ticket with its first comment, as POST /tickets does. Returns the audit.

        Args:
            actor: who creates it: the requester, unless the request names another one.
            body: the request's `ticket`.
            origin: the channel.
            marks: what Zendesk doubts about it, see `flags`.

        Raises:
            ApiError: 422.
        """
        with self._store.lock:
            comment = lifecycle.with_text(body.get("comment") or {})
            if problem := lifecycle.not_blank(comment.get("body"), "Description"):
                raise problem
            parent = self._parent(body)
            if parent is not None:
                past = {"ticket_id": parent["id"], "subject": parent["subject"]}
                origin = via(origin["channel"], "follow_up", origin=past)
            wanted = self._with_consequences({}, self._opening(actor, body, parent), actor.user)
            fixed: Record = {"via": origin, "submitter_id": actor.id, "followup_ids": []}
            fixed |= {"description": comment["body"], "is_public": comment.get("public", True)}
            fixed |= {"brand_id": self._store.brand_id, "ticket_form_id": self._store.form_id}
            ticket = self._store.insert("tickets", _EMPTY | {"tags": []} | fixed | wanted)
            metrics = lifecycle.new_metrics(ticket["id"], ticket["created_at"])
            metrics["id"] = self._store.next_id()
            self._store.tables["metric_sets"][ticket["id"]] = metrics
            if parent is not None:
                parent["followup_ids"].append(ticket["id"])
            event = Event("Create", ticket, {}, actor.user, origin, marks=marks or {})
            return self._record(event, comment, body)

    def update(
        self,
        actor: Actor,
        ticket: Record,
        body: Record,
        origin: Record,
        marks: Record | None = None,
    ) -> Record:
        """Change fields and status and add a comment in one go, as PUT /tickets/{id} does.

        A change that changes nothing leaves no trace.

        Returns:
            The audit, which is not stored where nothing was changed.

        Raises:
            ApiError: 409, somebody else was faster; 422.
        """
        with self._store.lock:
            comment = lifecycle.with_text(body.get("comment") or {}) or None
            wanted = self._wanted(body)
            lifecycle.refuse_stale(ticket, body)
            lifecycle.refuse_closed(ticket, wanted, commented=comment is not None)
            problem = comment and lifecycle.not_blank(comment.get("body"), "Comment")
            if problem:
                raise problem
            event = self._apply(ticket, wanted, actor.user, origin, commented=comment is not None)
            event.marks = marks or {}
            return self._record(event, comment, body)

    def apply_rule(self, event: Event, wanted: Record, rule: Record) -> None:
        """A trigger's own change: it joins the audit of the update that it acted on."""
        origin = via("rule", "trigger", origin={"id": rule["id"], "title": rule["title"]})
        mine = self._apply(event.ticket, wanted, SYSTEM, origin)
        if event.audit is not None:
            event.audit["events"] += [row | {"via": origin} for row in self._changes(mine)]

    def merge(
        self, actor: Actor, target: Record, sources: Iterable[Record], texts: Record, origin: Record
    ) -> None:
        """Close each source and tell the target about it. Triggers run on neither.

        Whether real ones run is not documented; that they do not is the harder case.

        Args:
            actor: who merges.
            target: the ticket that lives on.
            sources: the tickets that are closed for good.
            texts: `source_comment`, `target_comment` and whether they are public, all optional.
            origin: the channel.

        Raises:
            ApiError: 422, one of them is closed, or is merged into itself.
        """
        with self._store.lock:
            rows = list(sources)
            if target in rows or any(row["status"] == "closed" for row in [target, *rows]):
                raise invalid("base", "Tickets cannot be merged")
            if not all(row["is_public"] for row in [target, *rows]):
                # Zendesk: comments are private where any of the tickets is.
                texts = {name: text for name, text in texts.items() if "_is_public" not in name}
            for source in rows:
                wanted = {"status": "closed", "tags": sorted({*source["tags"], "closed_by_merge"})}
                ended = via(origin["channel"], "merge")
                event = self._apply(source, wanted, SYSTEM, ended)
                event.kind, event.actor = "System", actor.user
                event.news = (("merged", {"target_ticket_id": str(target["id"])}),)
                self._record(event, _said(texts, "source"), {})
                past = {"ticket_id": source["id"], "subject": source["subject"]}
                joined = via(origin["channel"], "merge", origin=past)
                event = Event("System", target, dict(target), actor.user, joined)
                self._record(event, _said(texts, "target"), {})

    def delete(self, actor: Actor, ticket: Record, news: str = "soft_deleted") -> None:
        """Delete a ticket, so that it can be restored. Triggers do not run."""
        with self._store.lock:
            before = dict(ticket)
            ticket |= {"status": "deleted", "previous_state": before["status"]}
            ticket |= {"deleted_at": self._store.now(), "deleted_by": actor.id}
            self._tell(actor, ticket, before, news)

    def restore(self, actor: Actor, ticket_id: int) -> None:
        """Bring a deleted ticket back, in the status that it had.

        Raises:
            ApiError: 404.
        """
        with self._store.lock:
            ticket = self._store.get("tickets", ticket_id)
            if ticket["status"] != "deleted" or ticket.get("scrubbed"):
                raise not_found()
            before = dict(ticket)
            ticket["status"] = ticket.pop("previous_state")
            self._tell(actor, ticket, before, "undeleted")

    def scrub(self, actor: Actor, ticket: Record) -> None:
        """Delete a deleted ticket for good: its content is gone, its id stays."""
        with self._store.lock:
            before = dict(ticket)
            ticket |= {"subject": "SCRUBBED", "description": "SCRUBBED", "scrubbed": True}
            for table in ("comments", "audits"):
                for row in self._store.of_ticket(table, ticket["id"]):
                    del self._store.tables[table][row["id"]]
            self._tell(actor, ticket, before, "permanently_deleted")

    def touch(self, ticket: Record) -> None:
        """A change of Zendesk's own: an export has the ticket again, and `updated_at` stays."""
        ticket["generated_timestamp"] = int(self._store.now().timestamp())

    def leave_organization(self, actor: Actor, ticket: Record) -> None:
        """The ticket's organisation is gone. That triggers do not run is a guess."""
        before = dict(ticket)
        ticket["organization_id"] = None
        self._touch(ticket)
        self._fire(Event("System", ticket, before, actor.user, via("web")))

    def _tell(self, actor: Actor, ticket: Record, before: Mapping[str, object], news: str) -> None:
        """Fire for a change that triggers do not see and that no audit records."""
        self._touch(ticket)
        self._fire(Event("System", ticket, before, actor.user, via("web"), news=((news, {}),)))

    def close_solved(self, after: timedelta, rule: Record) -> None:
        """Close what has been solved for that long; triggers run, as on any automation's change."""
        with self._store.lock:
            limit = self._store.now() - after
            for ticket in list(self._store.tables["tickets"].values()):
                solved_at = self._store.tables["metric_sets"][ticket["id"]]["solved_at"]
                if ticket["status"] == "solved" and solved_at <= limit:
                    origin = via("rule", "automation", origin=rule)
                    event = self._apply(ticket, {"status": "closed"}, SYSTEM, origin)
                    self._record(event, None, {})

    def _wanted(self, body: Record) -> Record:
        """The columns that a request sets, checked against the records that they name."""
        wanted = self._statuses.wanted(lifecycle.columns(body) | self._fields.wanted(body))
        assignee_id, requester_id = wanted.get("assignee_id"), wanted.get("requester_id")
        if assignee_id is not None:
            if self._store.tables["users"].get(assignee_id, {}).get("role") not in {
                "agent",
                "admin",
            }:
                raise invalid("assignee", "Assignee: is not an agent", "InvalidValue")
            wanted.setdefault("group_id", self._store.group_id)
        if requester_id is not None:
            requester = self._store.tables["users"].get(requester_id)
            if requester is None:
                raise invalid("requester", "Requester: is invalid", "InvalidValue")
            wanted.setdefault("organization_id", requester["organization_id"])
        return wanted

    def _parent(self, body: Record) -> Record | None:
        """The closed ticket that a new one follows up; of another one Zendesk takes no notice."""
        parent = self._store.tables["tickets"].get(as_id(body.get("via_followup_source_id")) or 0)
        return parent if parent is not None and parent["status"] == "closed" else None

    def _opening(self, actor: Actor, body: Record, parent: Record | None) -> Record:
        """The columns of a new ticket, with the people that it is about."""
        wanted = self._wanted(body)
        wanted.setdefault("requester_id", self._requester(actor, body)["id"])
        requester = self._store.get("users", wanted["requester_id"])
        wanted.setdefault("organization_id", requester["organization_id"])
        if parent is None:
            return wanted
        return lifecycle.follow_up(parent, wanted, tagged="tags" in body)

    def _requester(self, actor: Actor, body: Record) -> Record:
        """The user whom `requester` describes; a stranger becomes one."""
        person = body.get("requester")
        if not isinstance(person, dict):
            return actor.user
        email = str(person.get("email")).lower()
        known = self._store.first("users", email=email)
        return known or self._store.add_user(str(person.get("name") or email), email)

    def _with_consequences(
        self,
        before: Mapping[str, object],
        wanted: Record,
        actor: Record,
        *,
        commented: bool = False,
    ) -> Record:
        """The change with all that follows from it."""
        synced = self._fields.with_tags(before, wanted)
        auto_assign = self.auto_assign_on_solve
        after = lifecycle.consequences(
            before, synced, actor, commented=commented, auto_assign=auto_assign
        )
        return self._statuses.with_custom_status(before, after)

    def _apply(
        self,
        ticket: Record,
        wanted: Record,
        actor: Record,
        origin: Record,
        *,
        commented: bool = False,
    ) -> Event:
        """Store a change; what it was before is in the event."""
        before = dict(ticket)
        ticket |= self._with_consequences(before, wanted, actor, commented=commented)
        return Event("Change", ticket, before, actor, origin)

    def _record(self, event: Event, comment: Record | None, body: Record) -> Record:
        """Write the audit of a change, store its comment, and fire."""
        ticket = event.ticket
        custom = body.get("metadata") or {}
        audit: Record = {"ticket_id": ticket["id"], "author_id": event.actor["id"]}
        metadata = {"system": {}, "custom": custom, **event.marks}
        author_id = as_id((comment or {}).get("author_id"))
        if author_id not in {None, event.actor["id"]}:
            metadata = on_behalf(metadata, event.actor)
        audit |= {"metadata": metadata, "events": [], "via": event.via}
        changes = self._changes(event)
        if not (changes or comment or custom):
            return {"id": self._store.next_id(), "created_at": self._store.now(), **audit}
        event.audit = audit = self._store.insert("audits", audit)
        if comment is not None:
            event.comment = self._comment(event, audit, comment)
            audit["events"].append({"id": event.comment["id"], "type": "Comment"})
        audit["events"] += changes
        self._touch(ticket)
        metrics = self._store.tables["metric_sets"][ticket["id"]]
        lifecycle.measure(metrics, event.before, ticket, event.comment)
        self._fire(event)
        return audit

    def _comment(self, event: Event, audit: Record, spec: Record) -> Record:
        author = self._store.tables["users"].get(as_id(spec.get("author_id")) or event.actor["id"])
        author = event.actor if author is None else author
        text = str(spec["body"]).encode()[:LONGEST_COMMENT].decode(errors="ignore")
        if author["role"] != "end-user":
            text = rendered(text, event, self._store)
        shown = lifecycle.shown(text, spec.get("html_body"))
        markup = f'<div class="zd-comment" dir="auto"><p dir="auto">{shown}</p></div>'
        public = spec.get("public", True) if author["role"] != "end-user" else True
        row: Record = {
            "ticket_id": event.ticket["id"],
            "type": "Comment",
            "author_id": author["id"],
        }
        row |= {"body": text, "html_body": markup, "plain_body": text, "public": bool(public)}
        row |= {"attachments": [], "via": event.via, "role": author["role"]}
        row |= {"audit_id": audit["id"], "metadata": audit["metadata"]}
        return self._store.insert("comments", row)

    def _changes(self, event: Event) -> list[Record]:
        """The events of an audit that tell what changed, or what a new ticket began with."""
        created = event.kind == "Create"
        names = [name for name in event.ticket if name.startswith("custom_fields_")]
        rows: list[Record] = []
        for name in (*lifecycle.AUDITED, *names):
            before, after = event.before.get(name), event.ticket.get(name)
            shown = created and name in {"priority", "type"}
            if not shown and (before == after or (created and not after)):
                continue
            row: Record = {"id": self._store.next_id(), "type": "Create" if created else "Change"}
            row |= {"value": _audited(name, after)}
            row |= {"field_name": name.removeprefix("custom_fields_")}
            rows.append(row if created else row | {"previous_value": _audited(name, before)})
        return rows

    def _touch(self, ticket: Record) -> None:
        now = self._store.now()
        ticket |= {"updated_at": now, "generated_timestamp": int(now.timestamp())}


def _audited(name: str, value: object) -> object:
    """Audits write numbers as text, ids but of custom statuses among them; lists stay lists."""
    plain = value is None or isinstance(value, list) or name == "custom_status_id"
    return value if plain else str(value)


def _said(texts: Record, side: str) -> Record | None:
    text = texts.get(f"{side}_comment")
    public = bool(texts.get(f"{side}_comment_is_public"))
    return {"body": text, "public": public} if text else None
