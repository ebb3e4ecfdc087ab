"""How records look from outside: in API answers, as sideloads, and in an event webhook's body."""

from collections.abc import Callable, Iterable, Mapping
from uuid import uuid4

from bridge.sandbox.zendesk.conditions import Event, via_id
from bridge.sandbox.zendesk.fields import OrganizationFields, TicketFields
from bridge.sandbox.zendesk.records import Record, stamp
from bridge.sandbox.zendesk.store import ACCOUNT_ID, Store

_VIA_TYPES = {0: "web_form", 4: "mail", 5: "web_service", 8: "rule", 27: "closed_ticket"}
"""The channels in the words of event webhooks, which are others than the API's."""

_NEWS = {
    # column: the type of event when it changes
    "assignee_id": "agent_assignment_changed",
    "organization_id": "organization_changed",
    "priority": "priority_changed",
    "requester_id": "requester_changed",
    "status": "status_changed",
    "subject": "subject_changed",
    "type": "type_changed",
    "custom_status_id": "custom_status_changed",
}
_TICKET = (
    *("id", "external_id", "via", "created_at", "updated_at", "generated_timestamp", "type"),
    *("subject", "description", "priority", "status", "recipient", "requester_id"),
    *("submitter_id", "assignee_id", "organization_id", "group_id", "problem_id", "is_public"),
    *("due_at", "tags", "followup_ids", "ticket_form_id", "brand_id", "custom_status_id"),
)
_ALWAYS: Record = {
    "collaborator_ids": [],
    "follower_ids": [],
    "email_cc_ids": [],
    "forum_topic_id": None,
    "has_incidents": False,
    "satisfaction_rating": None,
    "allow_channelback": False,
    "allow_attachments": True,
}
_MESSAGING = frozenset({"native_messaging", "whatsapp", "line", "instagram_dm"})
_PEOPLE = ("requester_id", "submitter_id", "assignee_id", "author_id")
_INTERNAL = frozenset({"ticket_id", "role"})


class Shapes:
    """Renders records, without changing them. `base_url` is that of the request at hand."""

    def __init__(
        self, store: Store, fields: TicketFields, organization_fields: OrganizationFields
    ) -> None:
        self._store = store
        self._fields = fields
        self._organization_fields = organization_fields
        self.base_url = "https://support.zendesk.example"

    def url(self, kind: str, row_id: object) -> str:
        """The address of a record."""
        return f"{self.base_url}/api/v2/{kind}/{row_id}.json"

    def record(self, kind: str, row: Record) -> Record:
        """A record of a kind that needs no more than its address."""
        return {"url": self.url(kind, row["id"]), **row}

    def ticket(self, row: Record) -> Record:
        """A ticket with its custom fields."""
        custom = self._fields.shown(row)
        shown = {"url": self.url("tickets", row["id"]), "raw_subject": row["subject"]}
        shown |= {name: row[name] for name in _TICKET}
        by = row["via"]["channel"]
        came = {"from_messaging_channel": by in _MESSAGING}
        came["sharing_agreement_ids"] = row.get("sharing_agreement_ids", [])
        return {**shown, "custom_fields": custom, "fields": custom, **_ALWAYS, **came}

    def related(self, row: Record, *, archived: bool) -> Record:
        """What a ticket is related to: those that it follows up, as texts."""
        source = row["via"]["source"]
        sources = [source["from"]["ticket_id"]] if source["rel"] == "follow_up" else []
        related = {"url": self.url("tickets", f"{row['id']}/related"), "topic_id": None}
        return related | {
            "followup_source_ids": [str(key) for key in sources],
            "from_archive": archived,
            "incidents": 0,
            "jira_issue_ids": [],
        }

    def deleted_ticket(self, row: Record) -> Record:
        """A deleted ticket in the list of those that can be restored."""
        actor = self._store.tables["users"][row["deleted_by"]]
        names = ("id", "subject", "deleted_at", "previous_state")
        shown = {name: row[name] for name in names}
        return shown | {"actor": {"id": actor["id"], "name": actor["name"]}}

    def embedded(self, row: Record, names: Iterable[str]) -> Record:
        """What `include` puts into a ticket itself."""
        shown: Record = {}
        if "comment_count" in names:
            shown["comment_count"] = len(self._store.of_ticket("comments", row["id"]))
        if "metric_sets" in names:
            shown["metric_set"] = self.metric_set(row["id"])
        return shown

    def metric_set(self, ticket_id: int) -> Record:
        """A ticket's metrics."""
        row = self._store.tables["metric_sets"][ticket_id]
        return {"url": self.url("ticket_metrics", row["id"]), **row}

    def comment(self, row: Record) -> Record:
        """A comment."""
        return {
            name: value for name, value in row.items() if name not in _INTERNAL | {"updated_at"}
        }

    def audit(self, row: Record) -> Record:
        """An audit; the texts of its comments are those of the comments."""
        events = [
            self._comment_event(event["id"]) if event["type"] == "Comment" else event
            for event in row["events"]
        ]
        names = ("id", "ticket_id", "created_at", "author_id", "metadata")
        return {**{name: row[name] for name in names}, "events": events, "via": row["via"]}

    def _comment_event(self, comment_id: int) -> Record:
        comment = self._store.tables["comments"][comment_id]
        outside = _INTERNAL | {"via", "metadata", "created_at", "updated_at"}
        return {name: value for name, value in comment.items() if name not in outside}

    def user(self, row: Record) -> Record:
        """A user."""
        fixed = dict.fromkeys(("phone", "photo", "external_id", "alias", "details", "notes"))
        state = {"active": row.get("active", True), "verified": True, "tags": [], "locale": "en-US"}
        return {"url": self.url("users", row["id"]), **row, **fixed, **state}

    def anonymous(self) -> Record:
        """Who is there without credentials: 200, and nobody."""
        row: Record = {"id": None, "name": "Anonymous user", "email": "invalid@example.com"}
        row |= {"role": "end-user", "organization_id": None, "user_fields": {}}
        return self.user(row | {"created_at": None, "updated_at": None})

    def organization(self, row: Record) -> Record:
        """An organisation with all of its custom fields."""
        custom = self._organization_fields.shown(row["organization_fields"])
        return {"url": self.url("organizations", row["id"]), **row, "organization_fields": custom}

    def sideloads(self, rows: Iterable[Mapping[str, object]], names: Iterable[str]) -> Record:
        """The records that tickets, comments or audits refer to, by the names in `include`."""
        found = list(rows)
        shown: dict[str, Callable[[], list[Record]]] = {
            "users": lambda: self._linked("users", found, _PEOPLE, self.user),
            "organizations": lambda: self._linked(
                "organizations", found, ("organization_id",), self.organization
            ),
            "groups": lambda: self._linked(
                "groups", found, ("group_id",), lambda row: self.record("groups", row)
            ),
        }
        return {name: shown[name]() for name in names if name in shown}

    def _linked(
        self,
        table: str,
        rows: Iterable[Mapping[str, object]],
        columns: Iterable[str],
        show: Callable[[Record], Record],
    ) -> list[Record]:
        ids = dict.fromkeys(row.get(column) for row in rows for column in columns)
        stored = self._store.tables[table]
        return [show(stored[key]) for key in ids if isinstance(key, int) and key in stored]

    def events(self, event: Event) -> list[tuple[str, Record]]:
        """What event webhooks are told about a change: the full type, and the whole body."""
        named: list[tuple[str, Record]] = list(event.news)
        if event.kind == "Create":
            named.append(("created", {}))
        else:
            named += [
                (kind, {"current": _word(name, event.ticket[name]), "previous": previous})
                for name, kind in _NEWS.items()
                if event.changed(name)
                for previous in [_word(name, event.before.get(name))]
            ]
        if event.comment is not None:
            named.append(("comment_added", {"comment": self._told(event.comment)}))
        now, sequence = self._store.now(), uuid4().hex
        bodies = []
        for position, (kind, about) in enumerate(named, 1):
            meta = {"meta": {"sequence": {"id": sequence, "position": position}}}
            body: Record = {"type": f"zen:event-type:ticket.{kind}", "account_id": ACCOUNT_ID}
            body |= {"id": str(uuid4()), "time": stamp(now), "zendesk_event_version": "2022-11-06"}
            body |= {"subject": f"zen:ticket:{event.ticket['id']}", "detail": _detail(event)}
            bodies.append((body["type"], body | {"event": about | meta}))
        return bodies

    def _told(self, comment: Record) -> Record:
        author = self._store.tables["users"].get(comment["author_id"], {"name": "Zendesk"})
        staff = {"id": str(comment["author_id"]), "is_staff": comment["role"] != "end-user"}
        told = {"id": str(comment["id"]), "body": comment["body"], "is_public": comment["public"]}
        return {**told, "author": {**staff, "name": author["name"]}}


def _detail(event: Event) -> Record:
    """A ticket as event webhooks tell it: ids are texts, choices are in capitals."""
    ticket = event.ticket
    ids = {
        "brand_id": ticket["brand_id"],
        "form_id": ticket["ticket_form_id"],
        **{name: ticket[name] for name in ("assignee_id", "group_id", "organization_id")},
        **{name: ticket[name] for name in ("id", "requester_id", "submitter_id")},
        "actor_id": event.actor["id"],
    }
    return {
        **{name: None if value is None else str(value) for name, value in ids.items()},
        **{name: _word(name, ticket[name]) for name in ("priority", "status", "type")},
        **{name: ticket[name] for name in ("description", "external_id", "is_public", "subject")},
        "tags": ticket["tags"] or None,
        "custom_status": str(ticket["custom_status_id"]),
        **{name: ticket[name] for name in ("created_at", "updated_at")},
        "via": {"channel": _VIA_TYPES.get(via_id(ticket["via"]), "web_form")},
    }


def _word(name: str, value: object) -> object:
    if value is None or name == "subject":
        return value
    return str(value) if name.endswith("_id") else str(value).upper()
