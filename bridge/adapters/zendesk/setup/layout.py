"""What the bridge has in a Zendesk: names, conditions, a view. The one place to say so. No I/O."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bridge.adapters.resources import Json
from bridge.ticket import PointsState, SlaState

WEBHOOK = "points bridge"
EVENTS = "points bridge events"
TRIGGER_PREFIX = "Points bridge: "

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
    """A trigger. Of the ticket it tells the id alone: any text of it could break the JSON.

    Always with both arrays: one that is sent its conditions alone loses its actions, and the other
    way round.
    """
    text = json.dumps({"event": event, "ticket_id": "{{ticket.id}}"})
    action = {"field": "notification_webhook", "value": [webhook_id, text]}
    return {"conditions": trigger_conditions()[event], "actions": [action], "active": True}


_CUSTOMERS = frozenset({"requester_id", "requester_and_ccs"})
#: What the bridge may change of a ticket, beside its custom fields.
_CHANGED_BY_US = ("status", "current_tags", "custom_fields_")


def mails_agents(row: Mapping[str, Any]) -> bool:
    """Whether a trigger mails agents, or a group of them."""
    actions = {
        (str(one.get("field")), _first(one.get("value"))) for one in row.get("actions") or ()
    }
    mailed = {to for field, to in actions if field in {"notification_user", "notification_group"}}
    return row.get("active") is not False and bool(mailed - _CUSTOMERS)


def fires_on_ours(row: Mapping[str, Any], bridge_id: int | None) -> bool:
    """Whether a trigger may act on the bridge's own updates: none of its conditions keeps it."""
    rows = (row.get("conditions") or {}).get("all") or ()
    return not any(_keeps_ours_away(one, str(bridge_id)) for one in rows)


def _keeps_ours_away(row: Mapping[str, Any], bridge: str) -> bool:
    field, operator = str(row.get("field")), str(row.get("operator"))
    if operator in {"changed", "value", "value_previous"}:
        return not field.startswith(_CHANGED_BY_US)
    ours = {"role": {"agent", bridge}, "update_type": {"Change"}, "current_via_id": {"5"}}
    if field not in ours or operator not in {"is", "is_not"}:
        return False
    return (_compared(row) in ours[field]) is (operator == "is_not")


def webhook(endpoint: str | None, subscriptions: Iterable[str]) -> Json:
    """A webhook; an endpoint that is not known is left as it is."""
    address = {"endpoint": endpoint} if endpoint else {}
    sent = {"status": "active", "http_method": "POST", "request_format": "json"}
    return address | sent | {"subscriptions": [*subscriptions]}


@dataclass(frozen=True, slots=True)
class View:
    """A list of tickets for agents, by the ids of our fields; its menu cuts off long titles.

    It has the tickets whose field `key` is one of `options`, and shows `shown` beside what every
    view shows. What comes first is `sort_by`; None: the day of the response, as Zendesk sorts by no
    text.
    """

    title: str
    key: str
    options: tuple[PointsState | SlaState, ...]
    below: str
    shown: tuple[str, ...] = ()
    sort_by: str | None = None
    former: str | None = None

    def body(self, field_ids: Mapping[str, int]) -> Json | None:
        """The view; None where its fields have no ids yet."""
        if {self.key, *self.shown} - field_ids.keys():
            return None
        every = [{"field": "status", "operator": "less_than", "value": self.below}]
        if self.sort_by is None:
            # A time is shown as long as an answer is awaited, so what was answered late has none.
            day = f"custom_fields_{field_ids[_DAY]}"
            every.append({"field": day, "operator": "present", "value": ""})
        field = f"custom_fields_{field_ids[self.key]}"
        some = [
            {"field": field, "operator": "is", "value": f"{self.key}_{option}"}
            for option in self.options
        ]
        conditions = {"all": every, "any": some}
        return {"title": self.title, "conditions": conditions, "active": True}

    def at_first(self, field_ids: Mapping[str, int]) -> Json:
        """What an admin may change of it later: its columns, and what comes first."""
        columns = ["nice_id", "description", "requester", "organization", "group", "assignee"]
        shown = [field_ids[key] for key in self.shown]
        sort_by = self.sort_by or str(field_ids[_DAY])
        return {"output": {"columns": columns + shown, "sort_by": sort_by, "sort_order": "asc"}}


_DAY = "points_response_due_date"
VIEWS = (
    View(
        "Points: due",
        "points_sla_state",
        (SlaState.RUNNING, SlaState.AT_RISK, SlaState.BREACHED),
        below="solved",
        shown=("points_response_due", _DAY, "points_sla_state"),
        former="Support points: first response due",
    ),
    View(
        "Points: waiting",
        "points_state",
        (PointsState.AWAITING_POINTS,),
        below="solved",
        sort_by="created",
    ),
    View(
        "Points: review",
        "points_state",
        (PointsState.REVIEW,),
        below="closed",
        sort_by="updated",
    ),
)


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
        (str(row.get("field")), str(row.get("operator") or "is"), _compared(row))
        for row in rows or ()
    )


def _compared(row: Mapping[str, object]) -> str:
    """A condition's value, of which "present" needs none.

    Some accounts show a channel as a word, and take nothing but its number. The words are those of
    tickets and of event webhooks.
    """
    if row.get("operator") == "present":
        return ""
    value = str(row.get("value"))
    of_channel = row.get("field") == _GUARD["field"]
    return _GUARD["value"] if of_channel and value.lower() in {"api", "web_service"} else value


def _first(value: object) -> str:
    """Whom an action is for: the first of its values."""
    return str(value[0]) if isinstance(value, list) and value else str(value)


def _texts(value: object) -> object:
    return [str(part) for part in value] if isinstance(value, list) else str(value)
