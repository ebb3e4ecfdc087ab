"""What the bridge has in a Zammad: names, fields, conditions. The one place that says so. No I/O.

The conditions are those that were seen to work on a running Zammad; an attribute that it does not
know is accepted and silently never matches, so each trigger is to be proved by a test ticket.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from bridge.adapters.displays import SUMMARY
from bridge.adapters.resources import Json
from bridge.policy.hours import Weekly, time_of_day
from bridge.ticket import PointsState, SlaState

WEBHOOK = "points-bridge"
TRIGGER_PREFIX = "zz-points-bridge: "
"""Zammad runs triggers by name, so ours come last and see what the others did."""
WORKFLOW = "points-bridge: its fields are read-only"
HIDING = "points-bridge: hides while empty: "
"""And the name of the field that is empty."""

NATIVE_PREFIX = "zz-points-bridge "
"""Calendars and SLAs have no note either, so everything that begins like this is ours.

Zammad takes the first SLA by name that fits, and of those without a condition the last one: so an
admin's own go before ours where they have a condition, and not where they have none.
"""

_TEXT_TYPES = frozenset({"input", "select", "tree_select", "textarea"})
EMPTY_DEFAULT = "an empty default"
SHORT_NAME = "a short name"
UNNEEDED = frozenset({EMPTY_DEFAULT, SHORT_NAME})
"""What an attribute may lack that the bridge works without: it shows more than was decided, or at
more length than a column has room for."""

_LONG_NAMES = {
    "points_response_due": "Points: first response due",
    "points_sla_state": "Points: first response",
}
"""What an earlier version called them; what an admin has called them stays."""

#: Zammad's own fields end with the priority, at 80; made without a position, ours come last.
_BEFORE_ALL_OTHERS = 81
#: What Zammad fills a new record with; of a time, its distance from now.
_DEFAULTS = ("default", "diff")


@dataclass(frozen=True, slots=True)
class Field:
    """A custom attribute: `option` is what it must allow; an admin may allow more, and rename it.

    `needed` False: the bridge only reads it, and any attribute that holds a text will do.
    """

    object: str
    name: str
    display: str
    data_type: str
    option: Json = field(default_factory=dict)
    screens: Json = field(default_factory=dict)
    needed: bool = True

    def definition(self) -> Json:
        """The attribute as it is made."""
        named = {"object": self.object, "name": self.name, "display": self.display}
        typed = {"data_type": self.data_type, "data_option": self.option}
        place = {"position": _BEFORE_ALL_OTHERS} if self.name == SUMMARY else {}
        return {
            **named,
            **typed,
            **place,
            "screens": self.screens,
            "active": True,
            "editable": True,
        }

    def fits(self, data_type: str) -> bool:
        """Whether an attribute of that type can be this field; a type never changes later."""
        return data_type == self.data_type if self.needed else data_type in _TEXT_TYPES

    def named_at_length(self, display: str | None) -> bool:
        """Whether an earlier version named it, which is too long for a column."""
        return display is not None and display == _LONG_NAMES.get(self.name)

    def lacking(self, option: Mapping[str, Any]) -> list[str]:
        """What an attribute with these options does not allow, though the bridge writes it.

        Only that is compared: Zammad adds keys of its own to what it was sent.
        """
        if not self.needed:
            return []
        lacks = [f"option {key}" for key in self._missing_options(option)]
        filled = any(option.get(key) not in (None, "") for key in _DEFAULTS)
        lacks += [EMPTY_DEFAULT] if filled else []
        if self.data_type == "integer":
            lacks += ["min"] if option.get("min", 0) > self.option["min"] else []
            lacks += ["max"] if option.get("max", 0) < self.option["max"] else []
        return lacks

    def widened(self, option: Mapping[str, Any]) -> Json:
        """The same options, and what they lack; what else an admin has chosen stays."""
        wide = dict(option) | {key: self.option[key] for key in _DEFAULTS if key in self.option}
        if missing := self._missing_options(option):
            labels = self.option["options"]
            wide["options"] = dict(option["options"]) | {key: labels[key] for key in missing}
        if self.data_type == "integer":
            wide["min"] = min(option.get("min", 0), self.option["min"])
            wide["max"] = max(option.get("max", 0), self.option["max"])
        return wide

    def _missing_options(self, option: Mapping[str, Any]) -> list[str]:
        if self.data_type != "select" or not self.needed:
            return []
        return [key for key in self.option["options"] if key not in (option.get("options") or {})]


# Empty until something is decided: 0 would be a statement (product rule 6.7).
_POINTS = {"default": None, "min": 0, "max": 1_000_000, "null": True}
_DAY = {"future": True, "past": True, "diff": None, "null": True}
_TEXT = {"type": "text", "maxlength": 250, "default": "", "null": True}

_SHOWN, _HIDDEN = {"shown": True, "required": False}, {"shown": False, "required": False}
_ON_TICKETS = {
    "create_middle": {"ticket.agent": _HIDDEN, "ticket.customer": _HIDDEN},
    "edit": {"ticket.agent": _SHOWN, "ticket.customer": _HIDDEN},
}
_ON_ORGANIZATIONS = {
    "edit": {"admin.organization": _SHOWN, "ticket.agent": _SHOWN},
    "create": {"admin.organization": _SHOWN, "ticket.agent": _SHOWN},
    "view": {"admin.organization": {"shown": True}, "ticket.agent": {"shown": True}},
}


def _choice(options: Iterable[PointsState | SlaState]) -> Json:
    labels = {option.value: option.label for option in options}
    return {"default": "", "options": labels, "nulloption": True, "null": True, "maxlength": 255}


TICKET_FIELDS = tuple(
    Field("Ticket", name, display, data_type, option, _ON_TICKETS)
    for name, display, data_type, option in (
        (SUMMARY, "Points: summary", "input", _TEXT),
        ("points_state", "Points: state", "select", _choice(PointsState)),
        ("points_response_due", "Points: due (your time)", "datetime", _DAY),
        ("points_sla_state", "Points: answer", "select", _choice(SlaState)),
        ("points_charged", "Points: charged", "integer", _POINTS),
        ("points_balance", "Points: balance", "integer", _POINTS),
        ("points_next_expiry", "Points: next expiry", "date", _DAY),
        ("points_free_reopen_until", "Points: free re-open until", "date", _DAY),
    )
)
"""What agents see on a ticket; the adapter writes them all with every update."""


ACCOUNT_FIELDS = tuple(
    Field("Organization", name, display, data_type, option, _ON_ORGANIZATIONS)
    for name, display, data_type, option in (
        ("points_balance", "Points: balance", "integer", _POINTS),
        ("points_next_expiry", "Points: next expiry", "date", _DAY),
    )
)
"""What agents see of an account on its organisation, where points are to be shown there."""


def organization_fields(zone: str, country: str, subdivision: str) -> tuple[Field, ...]:
    """What an organisation's record says about its support hours, under the names in settings."""
    displays = {zone: "Time zone", country: "Country", subdivision: "State or province"}
    return tuple(
        Field("Organization", name, f"Support: {display}", "input", _TEXT, _ON_ORGANIZATIONS, False)
        for name, display in displays.items()
    )


def trigger_conditions(bridge_id: int) -> dict[str, Json]:
    """The conditions that tell the bridge everything but its own writes, by trigger name.

    A guard on `updated_by_id` alone matches only when the person changed, so each one stands beside
    what has changed. "created" has none: a ticket that the bridge's user opens is an incident too.
    Nor have those of a merge, which is no update: of its two tickets each is told of once. Closing
    has no trigger of its own, being a change of state.
    """
    update = _row("ticket.action", "is", "update")
    guard = _row("ticket.updated_by_id", "is not", [str(bridge_id)]) | {"pre_condition": "specific"}
    public = _row("article.internal", "is", "false")
    by_customer = _row("article.sender_id", "is", ["2"])
    by_agent = _row("article.sender_id", "is", ["1"])
    return {
        "created": {"ticket.action": {"operator": "is", "value": "create"}},
        "state changed": _all(update, _row("ticket.state_id", "has changed", []), guard),
        "customer article": _all(update, by_customer, public, guard),
        "agent article": _all(update, by_agent, public, guard),
        "customer changed": _all(update, _row("ticket.customer_id", "has changed", []), guard),
        "organization changed": _all(
            update, _row("ticket.organization_id", "has changed", []), guard
        ),
        "merged": {"ticket.action": {"operator": "is", "value": "update.merged_into"}},
        "received a merge": {"ticket.action": {"operator": "is", "value": "update.received_merge"}},
    }


def trigger(condition: Json, webhook_id: int | None) -> Json:
    """A trigger; `always` would fire on changes of the system that nobody sees."""
    return {
        "condition": condition,
        "perform": {"notification.webhook": {"webhook_id": webhook_id}},
        "activator": "action",
        "execution_condition_mode": "selective",
        "active": True,
    }


def webhook(endpoint: str | None, secret: str | None) -> Json:
    """The webhook. With a payload of its own Zammad loses events when a template does not fit.

    An endpoint or a secret that is not known is left as it is.
    """
    known: Json = {"endpoint": endpoint, "signature_token": secret}
    given = {key: value for key, value in known.items() if value}
    return given | {"customized_payload": False, "active": True}


def webhook_at_first() -> Json:
    """What an admin may change of it later."""
    return {"ssl_verify": True}


@dataclass(frozen=True, slots=True)
class Overview:
    """A list of tickets for agents: its menu cuts off long names. `link` is its address."""

    name: str
    link: str
    condition: Json
    order: Json
    columns: tuple[str, ...]
    former: str | None = None

    def body(self, open_state_ids: Iterable[int]) -> Json:
        """The overview; None of its tickets is done, but where somebody must look all the same."""
        waiting = {"operator": "is", "value": [str(id_) for id_ in open_state_ids]}
        states = {} if self.link == _REVIEW else {"ticket.state_id": waiting}
        return {"name": self.name, "condition": states | self.condition, "order": self.order}

    def at_first(self, role_ids: Iterable[int]) -> Json:
        """What an admin may change of it later: who sees it, and its columns."""
        view = {key: list(self.columns) for key in "dms"} | {"view_mode_default": "s"}
        return {"role_ids": list(role_ids), "view": view, "link": self.link, "active": True}


def _one_of(*values: PointsState | SlaState) -> Json:
    return {"operator": "is", "value": [value.value for value in values]}


_REVIEW = "points_review"
_COLUMNS = ("number", "title", "customer", "organization")
#: A time is shown as long as an answer is awaited: so what was answered late is not among them.
_HAS_A_TIME = {"operator": "after (absolute)", "value": "2000-01-01T00:00:00Z"}
OVERVIEWS = (
    Overview(
        "Points: due",
        "points_response_due",
        {
            "ticket.points_sla_state": _one_of(
                SlaState.RUNNING, SlaState.AT_RISK, SlaState.BREACHED
            ),
            "ticket.points_response_due": _HAS_A_TIME,
        },
        {"by": "points_response_due", "direction": "ASC"},
        (*_COLUMNS, "points_response_due", "points_sla_state"),
        former="Support points: first response due",
    ),
    Overview(
        "Points: waiting",
        "points_waiting",
        {"ticket.points_state": _one_of(PointsState.AWAITING_POINTS)},
        {"by": "created_at", "direction": "ASC"},
        (*_COLUMNS, "created_at"),
    ),
    Overview(
        "Points: review",
        _REVIEW,
        {"ticket.points_state": _one_of(PointsState.REVIEW)},
        {"by": "updated_at", "direction": "DESC"},
        (*_COLUMNS, "updated_at"),
    ),
)


def workflows() -> dict[str, Json]:
    """What the browser does with our fields, by name; Zammad's API takes writes all the same.

    They are read-only, and each is hidden as long as it holds nothing. Of a ticket on which nothing
    is decided numbers are hidden as well: some Zammads filled them with 0.
    """
    names = [one.name for one in TICKET_FIELDS]
    undecided = ("points_state", "points_charged", "points_balance")
    hidden = {name: (name,) for name in names if name not in undecided}
    made = {WORKFLOW: _workflow({}, "set_readonly", names)}
    for name, fields in (hidden | {undecided[0]: undecided}).items():
        empty = {f"ticket.{name}": {"operator": "not set", "value": []}}
        made[HIDING + name] = _workflow(empty, "hide", fields)
    return made


def _workflow(saved: Json, action: str, fields: Iterable[str]) -> Json:
    act = {"operator": [action], action: "true"}
    return {
        "object": "Ticket",
        "preferences": {"screen": ["create_middle", "edit"]},
        "condition_saved": saved,
        "condition_selected": {},
        "perform": {f"ticket.{name}": act for name in fields},
        "stop_after_match": False,
        "changeable": True,
        "active": True,
    }


_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def calendar(zone: str, weekly: Weekly, closed: Iterable[date]) -> Json:
    """A calendar; a feed of holidays would add days that the bridge does not know."""
    return {
        "timezone": zone,
        "business_hours": {
            name: _business_day(weekly.get(number, ())) for number, name in enumerate(_WEEKDAYS)
        },
        "public_holidays": {
            day.isoformat(): {"active": True, "summary": "public holiday"} for day in sorted(closed)
        },
        "ical_url": None,
    }


def _business_day(windows: Iterable[tuple[int, int]]) -> Json:
    frames = [[time_of_day(opens), time_of_day(closes)] for opens, closes in windows]
    # Also a closed day has a frame in Zammad's own form, and in what was recorded.
    return {"active": bool(frames), "timeframes": frames or [["09:00", "17:00"]]}


def sla(calendar_id: int | None, minutes: int, values: Mapping[str, str]) -> Json:
    """An SLA for the organisations with these values; without any, for all that no other fits."""
    return {
        "calendar_id": calendar_id,
        "first_response_time": minutes,
        "condition": {
            f"organization.{name}": {"operator": "is", "value": value}
            for name, value in values.items()
        },
    }


def _row(name: str, operator: str, value: object) -> Json:
    return {"name": name, "operator": operator, "value": value}


def _all(*rows: Json) -> Json:
    return {"operator": "AND", "conditions": list(rows)}
