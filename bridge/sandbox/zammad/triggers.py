"""Webhooks, triggers and what else an admin defines; what triggers do when a ticket changes."""

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from email.utils import parseaddr
from typing import Literal

from bridge.sandbox.zammad.conditions import Event, matches
from bridge.sandbox.zammad.desk import Desk
from bridge.sandbox.zammad.escalation import check_hours
from bridge.sandbox.zammad.records import ApiError, Record
from bridge.sandbox.zammad.store import Store

Automation = Literal["Webhook", "Trigger", "CoreWorkflow", "Overview", "Calendar", "Sla", "Macro"]

_DEFAULTS: dict[Automation, Record] = {
    "Webhook": {
        "name": None,
        "endpoint": None,
        "signature_token": None,
        "ssl_verify": True,
        "basic_auth_username": None,
        "basic_auth_password": None,
        "note": None,
        "active": True,
    },
    "Trigger": {
        "name": None,
        "condition": {},
        "perform": {},
        "disable_notification": True,
        "note": None,
        "active": True,
    },
    "CoreWorkflow": {
        "name": None,
        "object": None,
        "preferences": {},
        "condition_saved": {},
        "condition_selected": {},
        "perform": {},
        "active": True,
        "stop_after_match": False,
        "changeable": True,
        "priority": 500,
    },
    "Overview": {
        "name": None,
        "link": None,
        "prio": 1,
        "condition": {},
        "order": {},
        "group_by": None,
        "view": {},
        "role_ids": [],
        "user_ids": [],
        "organization_shared": False,
        "out_of_office": False,
        "active": True,
    },
    "Calendar": {
        "name": None,
        "timezone": None,
        "business_hours": {},
        "default": False,
        "ical_url": None,
        "public_holidays": {},
        "last_log": None,
        "last_sync": None,
    },
    "Sla": {
        "name": None,
        "calendar_id": None,
        "first_response_time": None,
        "response_time": None,
        "update_time": None,
        "solution_time": None,
        "condition": {},
        "data": {},
    },
    "Macro": {
        "name": None,
        "perform": {},
        "active": True,
        "ux_flow_next_up": "none",
        "note": None,
        "group_ids": [],
    },
}

_REQUIRED: dict[Automation, tuple[str, ...]] = {
    "Webhook": ("name", "endpoint"),
    "Trigger": ("name", "condition", "perform"),
    "CoreWorkflow": ("name",),
    "Overview": ("name", "role_ids"),
    "Calendar": ("name",),
    "Sla": ("name",),
    "Macro": ("name", "perform"),
}

_NO_REPLY = re.compile(r"(mailer-daemon|postmaster|abuse|root|no-?reply.*)@")

Enqueue = Callable[[Record, int, Event], None]
"""Takes a trigger, the id of its webhook, and the event: a delivery is to be made."""


class Triggers:
    """Triggers act on a change at once; what they send is rendered later, at its delivery.

    Args:
        store: the database.
        enqueue: takes the deliveries.
    """

    def __init__(self, store: Store, enqueue: Enqueue) -> None:
        self._store = store
        self._enqueue = enqueue

    def create(self, table: Automation, spec: Mapping[str, object], by: int) -> Record:
        """Add a webhook, a trigger or another of these. A trigger's name alone is unique.

        A trigger's attributes may be ones that do not exist (recording 060). Workflows only change
        what agents see in the browser, so they do nothing here (recordings 269 to 273).

        Raises:
            ApiError: 422, as recordings 046, 058 and 059.
        """
        fields = _DEFAULTS[table] | _pick(table, spec)
        self._check(table, fields, None)
        return self._store.insert(table, fields, by)

    def update(self, table: Automation, row_id: int, spec: Mapping[str, object], by: int) -> Record:
        """Change one. Deliveries that wait use a webhook's new endpoint and secret (276).

        Raises:
            ApiError: 404, or 422 as in `create`.
        """
        row = self._store.get(table, row_id)
        fields = _pick(table, spec)
        self._check(table, row | fields, row_id)
        self._store.change(row, fields, by)
        return row

    def delete(self, table: Automation, row_id: int) -> None:
        """Remove one.

        Raises:
            ApiError: 404, or 422, a trigger uses the webhook (recording 263).
        """
        self._store.get(table, row_id)
        for row in self._store.tables["Trigger"].values():
            if table == "Webhook" and _webhook_id(row["perform"]) == row_id:
                user = f"Trigger: {row['name']} (#{row['id']})"
                raise ApiError(422, f"Cannot delete! This webhook is referenced by {user}")
        del self._store.tables[table][row_id]
        if table == "Calendar":
            self._move_slas(row_id)

    def run(self, event: Event, desk: Desk) -> None:
        """Act on a change, in the order of the triggers' names in lower case.

        What a trigger changes fires no other trigger: that is Zammad's default.
        """
        rows = self._store.tables["Trigger"].values()
        for row in sorted(rows, key=lambda row: str(row["name"]).lower()):
            if row["active"] and matches(row["condition"], event, self._related(event)):
                self._perform(row, event, desk)

    def _move_slas(self, calendar_id: int) -> None:
        """SLAs of a calendar that is gone get another one. From Zammad's code: no recording."""
        other = next(iter(self._store.tables["Calendar"]), None)
        for row in self._store.tables["Sla"].values():
            if row["calendar_id"] == calendar_id:
                row["calendar_id"] = other

    def _perform(self, trigger: Record, event: Event, desk: Desk) -> None:
        """Carry a trigger out: what it changes comes before what it writes (recording 597)."""
        perform = trigger["perform"].items()
        for action, options in perform:
            if action.startswith("ticket."):
                change = {action.removeprefix("ticket."): options["value"]}
                desk.set_quietly(event.ticket, change)
        for action, options in perform:
            if action == "notification.webhook":
                self._enqueue(trigger, int(options["webhook_id"]), event)
            elif action == "notification.email":
                recipient = self._recipient(event, options["recipient"])
                if recipient:
                    desk.auto_reply(event.ticket, recipient, options["subject"], options["body"])
            elif action == "article.note":
                desk.note_of_trigger(event.ticket, options)

    def _recipient(self, event: Event, kind: object) -> str:
        """Who gets an automatic reply: the article's sender, if that is no robot and no loop.

        From Zammad's code: or the ticket's customer, if the trigger says so. An article from an
        agent names no address, so there is none (recording 473). Thirty replies in ten minutes are
        the most that one address gets (recording 598).
        """
        article = event.article or {"from": "", "preferences": {}}
        address = parseaddr(article["from"] or "")[1].lower()
        if "ticket_customer" in str(kind):
            address = self._store.get("User", event.ticket["customer_id"])["email"]
        wanted = article["preferences"].get("send-auto-response", True)
        if not wanted or "@" not in address or _NO_REPLY.match(address):
            return ""
        since = self._store.now() - timedelta(minutes=10)
        rows = self._store.tables["TicketArticle"].values()
        sent = [
            row["ticket_id"]
            for row in rows
            if row["sender_id"] == 3 and row["type_id"] == 1 and row["to"] == address
            if row["created_at"] > since
        ]
        loops = len(sent) >= 30 or sent.count(event.ticket["id"]) >= 10
        return "" if loops else address

    def _related(self, event: Event) -> Callable[[str], Record | None]:
        def find(owner: str) -> Record | None:
            if owner in {"ticket", "article"}:
                return event.ticket if owner == "ticket" else event.article
            table = {"customer": "User", "organization": "Organization"}[owner]
            return self._store.tables[table].get(event.ticket[f"{owner}_id"])

        return find

    def _check(self, table: Automation, fields: Record, own_id: int | None) -> None:
        for key in _REQUIRED[table]:
            if not fields[key]:
                raise ApiError(422, f"Attribute '{key}\" of relation \"{table.lower()}s' required!")
        if table == "Calendar":
            check_hours(fields)
        if table == "Webhook" and not str(fields["endpoint"]).startswith(("http://", "https://")):
            problem = "The provided endpoint is invalid, no http or https protocol was specified."
            raise ApiError(422, f"Endpoint {problem}")
        other = self._store.first("Trigger", name=fields["name"]) if table == "Trigger" else None
        if other is not None and other["id"] != own_id:
            raise ApiError(422, "This object already exists.")


def _pick(table: Automation, spec: Mapping[str, object]) -> Record:
    return {key: value for key, value in spec.items() if key in _DEFAULTS[table]}


def _webhook_id(perform: Mapping[str, Mapping[str, object]]) -> int | None:
    value = perform.get("notification.webhook", {}).get("webhook_id")
    return None if value is None else int(str(value))
