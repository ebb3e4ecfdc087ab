"""What the bridge has in a Zendesk: names, conditions, a view. The one place to say so. No I/O."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bridge.adapters.resources import Json
from bridge.ticket import SlaState

WEBHOOK = "points bridge"
EVENTS = "points bridge events"
TRIGGER_PREFIX = "Points bridge: "
VIEW = "Support points: first response due"

BY_TRIGGERS = ("conditional_ticket_events",)
"""The subscription of a webhook that triggers use. Zendesk mixes it with no other, and lets neither
kind of webhook become the other."""

EVENT_PREFIX = "zen:event-type:"
EVENT_TYPES = tuple(
    f"{EVENT_PREFIX}ticket.{event}"
    for event in ("merged", "soft_deleted", "undeleted", "permanently_deleted", "marked_as_spam")
)
"""What happens to a ticket without any trigger being run for it."""


@dataclass(frozen=True, slots=True)
class Hook:
    """A webhook of ours; `secret` is the setting that holds its signing secret."""

    name: str
    subscriptions: tuple[str, ...]
    secret: str
    required: bool = True

    @property
    def takes_triggers(self) -> bool:
        """Whether it is the one that triggers use."""
        return self.subscriptions == BY_TRIGGERS


HOOK = Hook(WEBHOOK, BY_TRIGGERS, "webhook_secret")
EVENTS_HOOK = Hook(EVENTS, EVENT_TYPES, "event_webhook_secret", required=False)
HOOKS = {hook.name: hook for hook in (HOOK, EVENTS_HOOK)}


def title(row: Mapping[str, object]) -> str:
    """What a record is called."""
    return str(row.get("title") or row.get("name"))


def by_triggers(webhook: Mapping[str, object]) -> bool:
    """Whether triggers use that webhook, and it is not subscribed to events."""
    return webhook.get("subscriptions") == [*BY_TRIGGERS]


_GUARD = {"field": "current_via_id", "operator": "is_not", "value": "5"}
"""The change did not come by "Web service (API)", which is what 5 is."""


def trigger_conditions() -> dict[str, Json]:
    """The conditions that tell the bridge everything but its own writes, by event.

    The guard is not for new tickets: one that the customer's own software opens over the API would
    cost nothing.
    """
    created = {"field": "update_type", "operator": "is", "value": "Create"}
    changed = {"field": "update_type", "operator": "is", "value": "Change"}
    return {
        "created": {"all": [created], "any": []},
        "changed": {"all": [changed, dict(_GUARD)], "any": []},
    }


def trigger(event: str, webhook_id: object) -> Json:
    """A trigger. Of the ticket it tells the id alone: any text of it could break the JSON."""
    text = json.dumps({"event": event, "ticket_id": "{{ticket.id}}"})
    action = {"field": "notification_webhook", "value": [webhook_id, text]}
    return {"conditions": trigger_conditions()[event], "actions": [action], "active": True}


def webhook(endpoint: str | None, subscriptions: Iterable[str]) -> Json:
    """A webhook; an endpoint that is not known is left as it is."""
    address = {"endpoint": endpoint} if endpoint else {}
    sent = {"status": "active", "http_method": "POST", "request_format": "json"}
    return address | sent | {"subscriptions": [*subscriptions]}


_SHOWN_IN_VIEW = {"points_response_due", "points_response_due_date", "points_sla_state"}


def view(field_ids: Mapping[str, int]) -> Json | None:
    """Unsolved tickets that wait for a first response; None where its fields have no ids yet."""
    if _SHOWN_IN_VIEW - field_ids.keys():
        return None
    waiting = (SlaState.RUNNING, SlaState.AT_RISK, SlaState.BREACHED)
    field = f"custom_fields_{field_ids['points_sla_state']}"
    unsolved = {"field": "status", "operator": "less_than", "value": "solved"}
    states = [
        {"field": field, "operator": "is", "value": f"points_sla_state_{state}"}
        for state in waiting
    ]
    return {"conditions": {"all": [unsolved], "any": states}, "active": True}


def view_at_first(field_ids: Mapping[str, int]) -> Json:
    """What an admin may change of the view later: its columns, and that the first due comes first.

    Zendesk sorts by no text, so it is the day of the response that sorts.
    """
    columns = ["nice_id", "description", "requester", "organization", "group", "assignee"]
    sort_by = str(field_ids["points_response_due_date"])
    output = {"columns": columns + [field_ids[key] for key in sorted(_SHOWN_IN_VIEW)]}
    return {"output": output | {"sort_by": sort_by, "sort_order": "asc"}}


def plain(key: str, value: Any) -> object:
    """A value as it is compared: order, the form of numbers and what Zendesk adds do not count."""
    if key == "subscriptions":
        return sorted(map(str, value or ()))
    if key == "conditions" and isinstance(value, Mapping):
        return {part: _conditions(value.get(part)) for part in ("all", "any")}
    if key == "actions" and isinstance(value, list):
        return [(str(row.get("field")), _texts(row.get("value"))) for row in value]
    return value


def _conditions(rows: Any) -> list[tuple[str, ...]]:
    """Zendesk's page names conditions that have no operator; "is" is what they mean."""
    return sorted(
        (str(row.get("field")), str(row.get("operator") or "is"), _channel(row))
        for row in rows or ()
    )


def _channel(row: Mapping[str, object]) -> str:
    """A condition's value. Some accounts show a channel as a word, and take nothing but its number.

    The words are those of tickets and of event webhooks.
    """
    value = str(row.get("value"))
    of_channel = row.get("field") == _GUARD["field"]
    return _GUARD["value"] if of_channel and value.lower() in {"api", "web_service"} else value


def _texts(value: object) -> object:
    return [str(part) for part in value] if isinstance(value, list) else str(value)
