"""Triggers, their categories, and views: their administration, and what triggers do."""

import re
from collections.abc import Callable, Mapping
from typing import Literal

from bridge.sandbox.zendesk.conditions import CHANNELS, VIA_IDS, Event, check, holds
from bridge.sandbox.zendesk.desk import Desk
from bridge.sandbox.zendesk.lifecycle import columns
from bridge.sandbox.zendesk.placeholders import rendered
from bridge.sandbox.zendesk.records import Record, as_id, invalid
from bridge.sandbox.zendesk.store import Store

Kind = Literal["triggers", "views"]

_COLUMNS = ("subject", "requester", "created", "updated", "group", "assignee")
_MOST_COLUMNS = 10
_SORTED = {"group_by": None, "group_order": "desc", "sort_by": None, "sort_order": "desc"}
_NEEDED_IN_VIEWS = frozenset({"status", "type", "group_id", "assignee_id", "requester_id"})

_ACTIONS = re.compile(
    "notification_webhook|notification_user|notification_group|status|priority|type|assignee_id|group_id"
    r"|current_tags|remove_tags|set_tags|custom_fields_\d+"
)

Enqueue = Callable[[str, str, int, bytes], None]
"""Takes a webhook's id, a trigger's title, a ticket's id and a body: a delivery is to be made."""


class Rules:
    """The account's business rules. Names are not unique, positions decide the order.

    Args:
        store: the database.
        enqueue: takes the deliveries.
        takes_triggers: whether a webhook is there and is one that triggers may be connected to.

    Attributes:
        channels_as_words: whether channels in conditions are shown as words; sent they are numbers.
            Some accounts were seen to do so.
    """

    def __init__(
        self, store: Store, enqueue: Enqueue, takes_triggers: Callable[[str], bool]
    ) -> None:
        self._store = store
        self._enqueue = enqueue
        self._takes_triggers = takes_triggers
        self.channels_as_words = False
        category = store.insert("trigger_categories", {"name": "Notifications", "position": 0})
        self.default_category = str(category["id"])

    def create(self, kind: Kind, spec: Mapping[str, object]) -> Record:
        """Add a trigger or a view.

        Raises:
            ApiError: 422, no title, conditions or actions, or ones that cannot work.
        """
        title = spec.get("title")
        if not title:
            raise invalid("title", "Title: cannot be blank", "BlankValue")
        position = 1 + max(
            (row["position"] for row in self._store.tables[kind].values()), default=0
        )
        fields: Record = {"title": title, "raw_title": title, "active": True, "default": False}
        fields |= {"description": None, "position": position}
        fields |= {"conditions": {"all": [], "any": []}}
        if kind == "triggers":
            fields |= {"category_id": self.default_category, "actions": []}
            spec = {"conditions": {}, "actions": [], **spec}
        else:
            fields |= {"output": dict(_SORTED), "restriction": None}
        return self._store.insert(kind, fields | self._settings(kind, fields, spec))

    def update(self, kind: Kind, row_id: int, spec: Mapping[str, object]) -> Record:
        """Change one.

        Of a view, `all` and `any` are replaced each on its own. A trigger is another matter:
        "Updating a condition or action updates both the conditions and actions arrays, clearing all
        existing values of both arrays."

        Raises:
            ApiError: 404, or 422 as in `create`.
        """
        row = self._store.get(kind, row_id)
        settings = self._settings(kind, row, spec)
        if kind == "triggers" and {"conditions", "actions"} & settings.keys():
            row |= {"conditions": {"all": [], "any": []}, "actions": []}
        row |= settings | {"updated_at": self._store.now()}
        return row

    def delete(self, kind: Kind, row_id: int) -> None:
        """Remove one.

        Raises:
            ApiError: 404.
        """
        self._store.get(kind, row_id)
        del self._store.tables[kind][row_id]

    def ordered(self, kind: Kind) -> list[Record]:
        """All of a kind, by position."""
        return sorted(self._store.tables[kind].values(), key=lambda row: int(row["position"]))

    def tickets(self, view: Record) -> list[Record]:
        """The tickets that a view shows."""
        tickets = self._store.tables["tickets"].values()
        return [
            ticket
            for ticket in tickets
            if ticket["status"] != "deleted"
            and holds(
                view["conditions"],
                Event("System", ticket, ticket, {"role": "system"}, ticket["via"]),
                self._store,
            )
        ]

    def run(self, event: Event, desk: Desk) -> None:
        """Act on a change, by position; what a trigger changes makes the others look once more.

        Each trigger acts at most once on one update, as Zendesk has it.
        """
        waiting = [row for row in self.ordered("triggers") if row["active"]]
        while due := [row for row in waiting if holds(row["conditions"], event, self._store)]:
            waiting.remove(due[0])
            self._perform(due[0], event, desk)

    def _perform(self, trigger: Record, event: Event, desk: Desk) -> None:
        wanted: Record = {}
        tags = set(event.ticket["tags"])
        for action in trigger["actions"]:
            name, value = action["field"], action["value"]
            if name == "notification_webhook":
                webhook_id, template = value
                body = rendered(template, event, self._store).encode()
                self._enqueue(webhook_id, trigger["title"], event.ticket["id"], body)
            elif name in {"notification_user", "notification_group"}:
                pass  # a mail, which nobody reads here
            elif name in {"current_tags", "remove_tags", "set_tags"}:
                words = set(str(value).split())
                tags = {"current_tags": tags | words, "remove_tags": tags - words}.get(name, words)
                wanted["tags"] = sorted(tags)
            else:
                wanted |= columns({name: value}) or {name: value}
        if wanted:
            desk.apply_rule(event, wanted, trigger)

    def _settings(self, kind: Kind, before: Record, spec: Mapping[str, object]) -> Record:
        """What a request sets, checked. Only a trigger's conditions are inside `conditions`."""
        settings = {
            name: spec[name] for name in ("active", "description", "position") if name in spec
        }
        if "title" in spec:
            settings |= {"title": spec["title"], "raw_title": spec["title"]}
        if "category_id" in spec and kind == "triggers":
            category_id = as_id(spec["category_id"])
            self._store.get("trigger_categories", category_id)
            settings["category_id"] = str(category_id)
        if kind == "triggers":
            return settings | self._of_trigger(spec)
        given = {name: spec[name] or [] for name in ("all", "any") if name in spec}
        conditions = before["conditions"] | given
        check(conditions)
        _check_view(conditions)
        output = before["output"] | _output(spec.get("output"))
        return settings | {"conditions": conditions, "output": output}

    def _of_trigger(self, spec: Mapping[str, object]) -> Record:
        settings: Record = {}
        if "conditions" in spec:
            given = spec["conditions"] if isinstance(spec["conditions"], dict) else {}
            settings["conditions"] = {name: given.get(name) or [] for name in ("all", "any")}
            check(settings["conditions"])
        if "actions" in spec:
            self._check_actions(spec["actions"])
            settings["actions"] = spec["actions"]
        return settings

    def _check_actions(self, actions: object) -> None:
        if not isinstance(actions, list) or not actions:
            raise invalid("base", "Must have at least one action")
        for action in actions:
            name, value = str(action.get("field")), action.get("value")
            if not _ACTIONS.fullmatch(name):
                raise invalid("base", f"Action field {name} was deleted and cannot be used")
            if name == "notification_webhook" and not self._takes_triggers(str(value[0])):
                raise invalid("base", "Webhook was deleted and cannot be used")


def with_words(conditions: Mapping[str, list[Record]]) -> Record:
    """Conditions as an account shows them whose channels are words."""
    return {
        name: [row | ({"value": _word(row)} if row["field"] in CHANNELS else {}) for row in rows]
        for name, rows in conditions.items()
    }


def _word(row: Record) -> object:
    words = {str(number): word for word, number in VIA_IDS.items()}
    return words.get(str(row["value"]), row["value"])


def execution(view: Record) -> Record:
    """How a view is shown: its columns, beside what it is sorted by."""
    names = view["output"].get("columns", _COLUMNS)
    columns_shown = [{"id": name, "title": str(name).capitalize()} for name in names]
    return {**view["output"], "columns": columns_shown, "fields": columns_shown}


def _output(given: object) -> Record:
    """How a request wants a view shown: "You can specify a total of 10 columns"."""
    output = given if isinstance(given, dict) else {}
    if len(output.get("columns", ())) > _MOST_COLUMNS:
        raise invalid("base", f"A view has {_MOST_COLUMNS} columns at most")
    return {name: output[name] for name in (*_SORTED, "columns") if name in output}


def _check_view(conditions: Record) -> None:
    """Insist on a condition that Zendesk's page about views names, in `all`."""
    if _NEEDED_IN_VIEWS.isdisjoint(row.get("field") for row in conditions["all"]):
        raise invalid("base", "A view needs a condition on status, type, group or a person")
