"""Zammad's notices to the bridge's own user, which nobody reads.

Each write to a ticket that has no owner mails the agents of its group, the one who wrote among
them. What the others are told is their own choice; this user's is to be told nothing.
"""

from collections.abc import Mapping
from typing import Any

from bridge.adapters.resources import Item, Json, Lists, Resource
from bridge.adapters.zammad.setup.admin import ZammadAdmin
from bridge.adapters.zammad.ticket import checked

_ME = "users/me"
_CONFIG = "notification_config"


class Notifications(Resource):
    """The one user whose token the bridge runs with; it changes itself, without any admin.

    Args:
        agent: calls as the bridge itself.
        lists: forgotten with every change.
    """

    required = False

    def __init__(self, agent: ZammadAdmin, lists: Lists) -> None:
        super().__init__(lists, _ME, "user", [Item("of the bridge", dict, required=False)])
        self._agent = agent

    def rows(self) -> list[Json]:
        """That user, whatever it is called."""
        return [checked(Json, self._agent.get(_ME)) | {"name": self.items[0].name}]

    def differing(self, row: Json, body: Json) -> list[str]:  # noqa: ARG002
        """The events of which it is told, by mail or in the browser."""
        events = [event for event, rule in _matrix(row).items() if _tells(rule)]
        return [f"notices of {', '.join(events)}"] if events else []

    def update(self, row: Json, body: Json) -> Json:  # noqa: ARG002
        """PUT of all its rules with everything off, which is not echoed; then GET."""
        silent = {event: _silenced(rule) for event, rule in _matrix(row).items()}
        self._agent.put("users/preferences", {_CONFIG: {**_config(row), "matrix": silent}})
        return self.rows()[0]


def _config(row: Json) -> Mapping[str, Any]:
    found = (row.get("preferences") or {}).get(_CONFIG)
    return found if isinstance(found, Mapping) else {}


def _matrix(row: Json) -> Mapping[str, Any]:
    """Of which events the user is told, in which cases (criteria) and how (channels)."""
    found = _config(row).get("matrix")
    return found if isinstance(found, Mapping) else {}


def _tells(rule: Mapping[str, Any]) -> bool:
    """Whether in some case something is sent."""
    return all(any((rule.get(part) or {}).values()) for part in ("criteria", "channel"))


def _silenced(rule: Mapping[str, Any]) -> Json:
    parts = ("criteria", "channel")
    return {part: dict.fromkeys(rule.get(part) or {}, False) for part in parts}
